"""Eq 1, 2 and 11 to 13 in loops, written from the paper.

There is no padding and no mask here: what a layer masks is left out of the lists.
`weights` are those of the layer that computes the same, by their path within it.
"""

import math

import numpy as np
from arithmetic import add, dot, gelu, layer_norm, linear, part, sigmoid, softmax, times


def eq_1(queries, keys, positions, placement):
    """Attention weights of one head.

        A = Softmax((X W_Q)(X W_K)) / sqrt(d_x) + P                       as printed
        A = Softmax((X W_Q)(X W_K)^T / sqrt(d) + P)                          amended

    Args:
        queries: `[queries][d]`, X W_Q of the head; d is the head's width.
        keys: `[keys][d]`, X W_K of the head.
        positions: `[queries][keys]`, P.
        placement: `weights` is the printed form, `logits` the amended one.
    """
    weights = []
    for query, row in zip(queries, positions, strict=True):
        products = [dot(query, key) for key in keys]
        scale = 1 / math.sqrt(len(query))
        if placement == "weights":
            shares = [share * scale for share in softmax(products)]
            weights.append(add(shares, row))
        else:
            weights.append(softmax(add([p * scale for p in products], row)))
    return weights


def eq_2(queries, keys, positions, weights, heads, placement="logits"):
    """One layer: attention and feed-forward.

        H = A (X W_V),  H~ = FFN(H)                                       as printed
        H = LN(X + A (X W_V) W_O),  H~ = LN(H + FFN(H))                      amended

    Amended by heads, residuals and normalisation, which the paper doesn't draw. Keys
    get no bias. In the decoder the queries are not among the keys' positions.

    Args:
        queries: `[queries][dim]`, X where outputs are wanted.
        keys: `[keys][dim]`, X that is attended to.
        positions: `[queries][keys]`, P.
        weights: Of an `AttentionBlock`.
        heads: Attention heads; each has a slice of the width.
        placement: As for `eq_1`.
    """
    width = len(queries[0]) // heads
    mixed = [[] for _ in queries]
    for head in range(heads):
        mine = slice(head * width, (head + 1) * width)
        q = [linear(x, weights, "query")[mine] for x in queries]
        k = [linear(x, weights, "key")[mine] for x in keys]
        v = [linear(x, weights, "value")[mine] for x in keys]
        for row, shares in zip(mixed, eq_1(q, k, positions, placement), strict=True):
            row += [dot(shares, [value[o] for value in v]) for o in range(width)]
    states = []
    for x, row in zip(queries, mixed, strict=True):
        attended = add(x, linear(row, weights, "mix"))
        hidden = layer_norm(attended, weights, "attention_norm")
        wide = [max(0.0, h) for h in linear(hidden, weights, "ffn_in")]
        whole = add(hidden, linear(wide, weights, "ffn_out"))
        states.append(layer_norm(whole, weights, "ffn_norm"))
    return states


def eq_11(x, user, weights):
    """The gate's two sides of one item.

        G1 = MLP1(sg(X), P_u),  G2 = GeLU(MLP2(sg(X), P_u))

    As printed: an MLP is one fully connected layer on item and user side by side. sg,
    the stop gradient, doesn't show in the values.
    """
    both = [*x, *user]
    g1 = linear(both, _side_by_side(weights, "linear_item", "linear_user"), "both")
    g2 = linear(both, _side_by_side(weights, "gelu_item", "gelu_user"), "both")
    return g1, [gelu(g) for g in g2]


def eq_12(x, user, weights):
    """One item seen through the user's profile.

        S = Sigmoid(MLP(G1 * G2)),  X^ = S * X, "combined with the projected user
        profile"                                                          as printed
        X^ = S * X + W P_u                                                   amended

    Args:
        x: `[dim]`, X.
        user: `[user_dim]`, P_u.
        weights: Of a `UserProfileGate`.
    """
    product = times(*eq_11(x, user, weights))
    gate = [sigmoid(s) for s in linear(product, weights, "gate")]
    return add(times(gate, x), linear(user, weights, "profile"))


def eq_13(position, user, weights):
    """One entry of P, fitted to the user.

        P^_ij = P_ij + Tanh(MLP(sg(P_u) ++ P_ij))

    As printed, with one hidden layer of GeLU. sg doesn't show in the values.

    Args:
        position: P_ij.
        user: `[user_dim]`, P_u.
        weights: Of a `PersonalizedPositionBias`.
    """
    kernels = _side_by_side(weights, "user_part", "position_part")
    hidden = [gelu(h) for h in linear([*user, position], kernels, "both")]
    return position + math.tanh(linear(hidden, weights, "output_part")[0])


def encode(items, places, user, weights, rows, length, heads, kind, placement, past=0):
    """The stacked layers: "the input X^l of each layer is the output H~^(l-1)".

    Args:
        items: `[items][dim]`, the real items of the sequence.
        places: Where each of them stands in the sequence with its padding.
        user: `[user_dim]`, P_u.
        weights: Of a `SharedEncoder`.
        rows: For each layer, how many places at the sequence's end it computes.
        length: Of the sequence with its padding.
        heads: Attention heads.
        kind: P_ij is a value of its own (`table`) or that of j - i (`relative`).
        placement: As for `eq_1`.
        past: Items at the start that later layers see as they came in.

    Returns:
        `[real items of the last layer][dim]`.
    """
    fixed, fixed_places = items[:past], places[:past]
    for layer, count in enumerate(rows):
        if layer:
            items, places = [*fixed, *items], [*fixed_places, *places]
        bias = part(weights, f"position_bias_{layer}")
        first = length - count
        wanted = [i for i, place in enumerate(places) if place >= first]
        positions = []
        for i in wanted:
            row = places[i] - first
            flat = [
                row * length + place if kind == "table" else place - row + count - 1
                for place in places
            ]
            values = [bias["position_values"][f] for f in flat]
            if "user_part/kernel" in bias:
                values = [eq_13(value, user, bias) for value in values]
            positions.append(values)
        block = part(weights, f"block_{layer}")
        queries = [items[i] for i in wanted]
        items = eq_2(queries, items, positions, block, heads, placement)
        places = [places[i] for i in wanted]
    return items


def _side_by_side(weights, first, second):
    """The two parts of a layer as one layer on their inputs side by side."""
    kernel = [*weights[f"{first}/kernel"], *weights[f"{second}/kernel"]]
    biases = [weights[f"{n}/bias"] for n in (first, second) if f"{n}/bias" in weights]
    return {"both/kernel": np.array(kernel), "both/bias": biases[0]}
