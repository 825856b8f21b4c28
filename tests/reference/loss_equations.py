"""Eq 6 to 10 of one list in loops, written from the paper.

A list is its real candidates alone. `remains[j]` names the candidates that slot j may
choose: the paper doesn't say that an item is chosen once, we do. Slots are counted from
1 as in the paper where they have a weight.
"""

import math

from arithmetic import sigmoid, softmax


def cross_entropies(logits, clicked, kind, counts=None):
    """The terms of the cross-entropy in eq 6 and 7.

        -y_i log p_i                                          clicks      as printed
        -y_i log p_i - (1 - y_i) log(1 - p_i)                 bce            amended
        -y_i log Softmax(logits)_i                            softmax        amended

    Args:
        logits: Of the candidates there are.
        clicked: Whether each of them was clicked, y.
        kind: `clicks`, `bce` or `softmax`.
        counts: Whether each of them is learned from; all are if it is not said.

    Returns:
        The terms; for `softmax` those of the clicked candidates alone.
    """
    counts = [True] * len(logits) if counts is None else counts
    shares, terms = softmax(logits), []
    for logit, share, y, is_term in zip(logits, shares, clicked, counts, strict=True):
        p = sigmoid(logit)
        if not is_term:
            continue
        if kind == "softmax":
            terms += [-math.log(share)] if y else []
            continue
        if kind == "clicks":
            terms.append(-math.log(p) if y else 0.0)
        else:
            terms.append(-math.log(p) if y else -math.log(1 - p))
    return terms


def hinge(values, clicked):
    """max(0, 1 - min of clicked p + max of other p), 0 without one of the two."""
    clicks = [v for v, y in zip(values, clicked, strict=True) if y]
    others = [v for v, y in zip(values, clicked, strict=True) if not y]
    if not clicks or not others:
        return 0.0
    return max(0.0, 1 - min(clicks) + max(others))


def eq_6(
    logits, clicked, remains, slots, kind, counts, hinge_on, hinge_weight, reduction
):
    """The generative loss.

        sum_j w_j (sum_i (-y_i log p_ij) + max{0, 1 - min_(y=1) p_ij + max_(y=0) p_ij})
        w_j = 1 / log(j + 1)                                              as printed

    Amended: over the candidates that remain; log of base 2 in w_j; both halves of the
    cross-entropy; the hinge with a weight and on logits; `mean` over candidates and
    weighted mean over slots.

    Args:
        logits: `[slots][candidates]`, logits of p_ij.
        clicked: `[candidates]`, y.
        remains: `[slots]`, the candidates that may be chosen there.
        slots: j of each slot, counted from 1.
        kind: See `cross_entropies`.
        counts: `[slots]`, the candidates a slot learns from, or None for all: y depends
            on i alone, as printed.
        hinge_on: `probabilities` as printed, or `logits`.
        hinge_weight: 1 as printed.
        reduction: `sum` as printed, or `mean`.
    """
    total, weights = 0.0, 0.0
    for slot, (row, left, j) in enumerate(zip(logits, remains, slots, strict=True)):
        if not left:
            continue
        among = [counts is None or i in counts[slot] for i in left]
        mine = [clicked[i] for i in left]
        terms = cross_entropies([row[i] for i in left], mine, kind, among)
        learned = [i for i, is_term in zip(left, among, strict=True) if is_term]
        values = [row[i] if hinge_on == "logits" else sigmoid(row[i]) for i in learned]
        margin = hinge(values, [clicked[i] for i in learned])
        weight = 1 / math.log2(j + 1)
        entropy = sum(terms) if reduction == "sum" else mean(terms)
        total += weight * (entropy + hinge_weight * margin)
        weights += weight
    if reduction == "sum":
        return total
    return total / weights if weights else 0.0


def eq_7(scores, clicked, kind, reduction):
    """The scorer's loss, s_i = Sigmoid(MLP(H_i)).

        -sum_i y_i log s_i                                                as printed

    Amended as the cross-entropy of eq 6.

    Args:
        scores: `[candidates]`, logits of s_i.
        clicked: `[candidates]`, y.
        kind: See `cross_entropies`.
        reduction: `sum` as printed, or `mean`.
    """
    terms = cross_entropies(scores, clicked, kind)
    return sum(terms) if reduction == "sum" else mean(terms)


def eq_8(logits, remains, on):
    """What the teacher makes of each candidate.

        p~_ij = exp(p_ij) / sum_k exp(p_kj),  p^_i = sum_j p~_ij e^-j / sum_j e^-j

    Amended: over the candidates that remain, on logits in place of p.

    Args:
        logits: `[slots][candidates]`, logits of p_ij.
        remains: `[slots]`, the candidates that may be chosen there.
        on: `probabilities` as printed, or `logits`.
    """
    total, weights = [0.0] * len(logits[0]), 0.0
    for j, (row, left) in enumerate(zip(logits, remains, strict=True), start=1):
        if not left:
            continue
        values = [row[i] if on == "logits" else sigmoid(row[i]) for i in left]
        for i, share in zip(left, softmax(values), strict=True):
            total[i] += share * math.exp(-j)
        weights += math.exp(-j)
    return [t / weights for t in total]


def eq_9(teacher, scores, temperature, on, floor=1e-9):
    """The distillation loss.

        KL(Softmax(p^ / tau) || Softmax(s / tau))                         as printed
        KL(Softmax(log p^ / tau) || Softmax(logit of s / tau))               amended

    Args:
        teacher: `[candidates]`, p^.
        scores: `[candidates]`, logits of s_i.
        temperature: tau.
        on: `probabilities` as printed, or `logits`.
        floor: The least p^ of which a logarithm is taken.
    """
    if on == "logits":
        teacher = [math.log(max(p, floor)) for p in teacher]
    else:
        scores = [sigmoid(s) for s in scores]
    p = softmax([t / temperature for t in teacher])
    q = softmax([s / temperature for s in scores])
    return sum(a * math.log(a / b) for a, b in zip(p, q, strict=True) if a > 0)


def eq_10(generation, refinement, scorer, distillation, weight, alpha):
    """L = L_gen + L_scorer + alpha L_Distillation.

    Amended: L_gen is that of the blocks and that of the refined slots, with a weight; 1
    as printed.
    """
    return weight * (generation + refinement) + scorer + alpha * distillation


def mean(terms):
    return sum(terms) / len(terms) if terms else 0.0
