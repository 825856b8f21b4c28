"""What a list costs, as formulas of its sizes: for those who plan, without a device.

With L = N + M positions, width d, feed-forward width F = 2d, F_i item fields and F_u
user fields of width e, operations are two for each multiply-add:

    items       2 L d (F_i e)            fields to the states' width
    dense       2 L d · numbers
    gate        2 L d · 3 d              and the profile's parts, once a list
    position    2 (L + M - 1) h          an MLP of width h on each distance, each layer
    layer       2 M d (2 d + 2 F)        queries, mix, feed-forward
              + 2 L d · 2 d              keys and values
              + 2 M L d · 2              attention
    head        2 M d (d + 1)

tests/bench/test_roofline.py holds them to what is counted from the model itself.
"""

from psad_tf.bench.roofline.shapes import DENSE, ITEM_FIELDS, USER_FIELDS, Shape

EMBEDDING, POSITION, FFN = 16, 16, 2


def student(shape: Shape) -> float:
    """Operations of matrix products for one list that PSAD-S ranks."""
    m, d, length = shape.candidates, shape.width, shape.candidates + shape.history
    user = USER_FIELDS * EMBEDDING
    items = length * d * (ITEM_FIELDS * EMBEDDING + DENSE)
    gate = length * d * 3 * d + user * d * 3
    distances = length + m - 1
    position = distances * POSITION + user * POSITION
    layer = m * d * (2 * d + 2 * FFN * d) + length * d * 2 * d + 2 * m * length * d
    head = m * d * (d + 1)
    return 2.0 * (items + gate + head + shape.layers * (position + layer))


def user_side(shape: Shape) -> float:
    """The part of `student` that the candidates have nothing to do with."""
    past = Shape(**{**vars(shape), "candidates": 0})
    d, user = shape.width, USER_FIELDS * EMBEDDING
    items = past.history * d * (ITEM_FIELDS * EMBEDDING + DENSE)
    gate = past.history * d * 3 * d + user * d * 3
    distances = shape.history + 2 * shape.candidates - 1
    position = distances * POSITION + user * POSITION
    return 2.0 * (items + gate + shape.layers * position)


def teacher(shape: Shape) -> float:
    """Operations of matrix products for one list that PSAD-G orders greedily.

    Keys and values of the candidates are made once, as candidates and as placed items.
    Each block of K slots attends to the M candidates, to the items placed before it
    (for the refinement all T) and to its own slots.
    """
    m, t, d = shape.candidates, shape.slate, shape.width
    passes = [
        (first, min(shape.block, t - first)) for first in range(0, t, shape.block)
    ]
    if shape.refine:
        passes.append((t, shape.refine))
    total = m * d * (2 * d + d + 2 * d)
    for placed, k in passes:
        keys = m + placed + k
        queries = k * d * (4 * d + 2 * FFN * d) + 2 * k * keys * d
        total += placed * m * 2 * d + queries + k * m * d
    return student(shape) + 2.0 * total
