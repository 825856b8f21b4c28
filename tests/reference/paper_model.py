"""One list through the whole model, equation after equation.

The list is what is really there: its candidates, its history, no padding.
"""

import math
from typing import NamedTuple

from arithmetic import add, gelu, linear, part, softmax
from encoder_equations import encode, eq_2, eq_12
from generator_equations import eq_3, eq_4, eq_5
from loss_equations import eq_6, eq_7, eq_8, eq_9, eq_10
from model_cases import arrays


class RealList(NamedTuple):
    """A list without its padding, and which candidates were clicked."""

    user_ids: object
    candidate_ids: object
    candidate_dense: object
    history_ids: object
    history_dense: object
    clicked: list


def real_list(inputs, label, row):
    """The real part of one row of the input tensors."""
    one = {name: values[row] for name, values in arrays(inputs).items()}
    is_valid, is_past = one["candidate_is_valid"], one["history_is_valid"]
    return RealList(
        one["user_ids"],
        one["candidate_ids"][is_valid],
        one["candidate_dense"][is_valid].astype("float64"),
        one["history_ids"][is_past],
        one["history_dense"][is_past].astype("float64"),
        [bool(y) for y in label[row][is_valid]],
    )


def embed(ids, table, widths):
    """e_1 ++ ... ++ e_k of section 4.1; several values of a field count as their mean.

    Args:
        ids: The fields' columns side by side; 0 is no value.
        table: The embeddings of all fields.
        widths: Columns of each field.
    """
    vector, first = [], 0
    for width in widths:
        values = [table[i] for i in ids[first : first + width] if i]
        total = [0.0] * table.shape[1]
        for value in values:
            total = add(total, value)
        vector += [t / max(len(values), 1) for t in total]
        first += width
    return vector


def candidate_states(config, weights, one):
    """H of the candidates, `[candidates][dim]`: section 4.1 and eq 1, 2, 11 to 13."""
    c, w = config, part(weights, "scorer/list_encoder")
    user = embed(one.user_ids, w["user_embedding/table/embeddings"], c.user_widths)
    items = []
    for place in ("history", "candidate"):
        ids, dense = getattr(one, f"{place}_ids"), getattr(one, f"{place}_dense")
        for rank, (item, numbers) in enumerate(zip(ids, dense, strict=True)):
            # Amended: x_v is brought to the width d by one linear layer.
            fields = embed(item, w["item_embedding/table/embeddings"], c.item_widths)
            x = add(linear(fields, w, "fields"), linear(numbers, w, f"{place}_dense"))
            if place == "candidate" and c.candidates == "ranked":
                x = add(x, w["places/embeddings"][rank])
            items.append(interact(x, user, w, c.interaction))
    past, before = len(one.history_ids), c.history_length
    if c.history == "personal":
        # Amended: the candidates meet profile and history in a layer of their own.
        known = [linear(user, w, "user_part"), *items[:past]]
        no_bias = [[0.0] * len(known) for _ in items[past:]]
        items = eq_2(
            items[past:], known, no_bias, part(w, "personal"), c.num_heads, "logits"
        )
        past, before = 0, 0
    # Amended: the newest past item is next to the first candidate, or to any of a set.
    places = [before - i for i in range(past, 0, -1)]
    own = c.candidates != "set"
    places += [before + i * own for i in range(len(one.candidate_ids))]
    rows = c.list_length if own else 1
    length = before + rows
    is_encoded = c.history == "encoded"
    states = encode(
        items,
        places,
        user,
        part(w, "encoder"),
        [length if is_encoded else rows] * (c.num_layers - 1) + [rows],
        length,
        c.num_heads,
        c.position,
        c.position_placement,
        # Amended: the past items stay what they were.
        past if c.history == "attended" else 0,
    )[-len(one.candidate_ids) :]
    if c.interaction != "late_fusion":
        return states
    late = part(w, "late_fusion")
    return [add(h, fuse(h, user, late)) for h in states]


def interact(x, user, weights, interaction):
    """The item as the encoder gets it."""
    if interaction == "gate":
        return eq_12(x, user, part(weights, "gate"))
    if interaction == "concatenation":
        return add(x, linear(user, weights, "gate/profile"))
    return x


def fuse(state, user, weights):
    """GeLU(W [H, P_u])."""
    both = add(linear(state, weights, "state_part"), linear(user, weights, "user_part"))
    return [gelu(b) for b in both]


def scores_of(weights, states):
    """The logits of s of eq 7."""
    head, scores = part(weights, "scorer/scoring_network"), []
    for state in states:
        hidden = [max(0.0, h) for h in linear(state, head, "hidden")]
        scores.append(linear(hidden, head, "score")[0])
    return scores


def taught(config, decoder, states, order):
    """Eq 3 and 5 over the target order: each slot's logits and what remains there."""
    logits, remains = [], []
    for slot in range(config.slate_length):
        block, inside = divmod(slot, config.block_size)
        given = block, config.block_size, decoder, config.num_heads
        queries = eq_3(states, order, *given)
        logits.append(eq_5(states, queries[inside]))
        earlier = order[: block * config.block_size]
        left = [i for i in range(len(states)) if i not in earlier]
        remains.append(left if slot < len(order) else [])
    return logits, remains


def refined(config, decoder, states, order, logits, remains):
    """Eq 4 and 5 at the γ slots whose item was the least likely.

    Returns:
        The slots, their logits and what remains there.
    """

    def sureness(slot):
        if slot >= len(order):
            return math.inf
        shares = softmax([logits[slot][i] for i in remains[slot]])
        return shares[remains[slot].index(order[slot])]

    slots = sorted(range(config.slate_length), key=sureness)[: config.refine_size]
    slots.sort()
    queries = eq_4(states, order, slots, decoder, config.num_heads)
    kept = [item for slot, item in enumerate(order) if slot not in slots]
    left = [i for i in range(len(states)) if i not in kept]
    may = [left if slot < len(order) else [] for slot in slots]
    return slots, [eq_5(states, query) for query in queries], may


def placed(config, clicked, scores):
    """The order given to the generator. Amended: the paper says nothing of it.

    What is sampled in training is the best of the scores here; clicked first and as
    shown, the items of each group stay as they came.
    """
    key = {
        "sampled": lambda i: -scores[i],
        "shown": lambda i: not clicked[i],
        "exposed": lambda i: i,
    }[config.target_order]
    return sorted(range(len(scores)), key=key)[: config.slate_length]


def joint_loss(config, weights, one):
    """Eq 10 of one list and its parts, by name."""
    c, decoder = config, part(weights, "decoder")
    states = candidate_states(c, weights, one)
    scores = scores_of(weights, states)
    order = placed(c, one.clicked, scores)

    def form(slots):
        # As they were shown: then a slot learns from its own item.
        is_exposed = c.target_order == "exposed"
        own = [order[s : s + 1] for s in slots] if is_exposed else None
        return c.generation_loss, own, c.hinge_on, c.hinge_weight, c.loss_reduction

    logits, remains = taught(c, decoder, states, order)
    slots = range(c.slate_length)
    js = [slot + 1 for slot in slots]
    teacher = eq_8(logits, remains, c.distill_from)
    parts = {
        "generation": eq_6(logits, one.clicked, remains, js, *form(slots)),
        "refinement": 0.0,
        "scorer": eq_7(scores, one.clicked, c.scorer_loss, c.loss_reduction),
        "distillation": eq_9(teacher, scores, c.temperature, c.distill_from),
    }
    if c.refine_size:
        slots, again, may = refined(c, decoder, states, order, logits, remains)
        js = [slot + 1 for slot in slots]
        parts["refinement"] = eq_6(again, one.clicked, may, js, *form(slots))
    weights = c.generation_weight, c.distillation_weight
    return {"loss": eq_10(*parts.values(), *weights), **parts}
