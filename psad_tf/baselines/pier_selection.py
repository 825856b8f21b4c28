"""PIER's first half (FPSM): candidate orders, and those nearest to what a user likes.

Orders are int32 `[batch, orders, slate]`, -1 past the list's end.
"""

import math
from itertools import permutations

import keras
import numpy as np
from keras import ops

from psad_tf.baselines.slates import extend, first_beams, is_order, of_beams
from psad_tf.masking import mask_logits

MOST_FOR_ALL_ORDERS = 6  # Candidates: 720 orders.
_FAR = 1e9


def candidate_orders(scores, is_valid, slate, width):
    """All orders of a short list; of a longer one those of a beam search.

    Args and returns are those of `beam_orders`.
    """
    if is_valid.shape[1] <= MOST_FOR_ALL_ORDERS:
        return all_orders(is_valid, slate)
    return beam_orders(scores, is_valid, slate, width)


def all_orders(is_valid, slate):
    """Every order of each list, once.

    Args:
        is_valid: bool `[batch, list]`, valid entries first.
        slate: Places.

    Returns:
        The orders; and which of them there are, bool `[batch, orders]`: a short list
        has fewer.
    """
    length = is_valid.shape[1]
    every = np.array(list(permutations(range(length), slate)), "int32")
    places = np.arange(slate)
    count = ops.sum(ops.cast(is_valid, "int32"), axis=1)[:, None, None]
    has_item = places < count
    # Padding stands at its own place, so that an order of the others comes once.
    is_there = ops.where(has_item, every < count, every == places)
    return ops.where(has_item, every, -1), ops.all(is_there, axis=-1)


def beam_orders(scores, is_valid, slate, width):
    """The likeliest orders a beam search finds, each item by its score alone.

    Args:
        scores: float32 `[batch, list]`; a place takes an item with the probability of
            the softmax over what remains.
        is_valid: bool `[batch, list]`.
        slate: Places.
        width: Orders wanted.

    Returns:
        As `all_orders`, the likeliest order first.
    """
    length = is_valid.shape[1]
    remains = ops.repeat(is_valid[:, None], width, axis=1)
    worth, order = first_beams(is_valid, width), []
    for _ in range(slate):
        log_p = ops.log_softmax(mask_logits(scores[:, None], remains))
        worth, parent, item = extend(worth, log_p, remains)
        order = [of_beams(before, parent) for before in order] + [item]
        remains = of_beams(remains, parent) & ~ops.one_hot(item, length, dtype="bool")
    return ops.stack(order, axis=2), is_order(worth)


def past_pages(values, is_valid, size):
    """Cuts a history into pages from its end, so that only the oldest may be short.

    Args:
        values: float `[batch, length, ...]`, the newest item last.
        is_valid: bool `[batch, length]`, valid entries first.
        size: Items of a page.

    Returns:
        float `[batch, pages, size, ...]`, the newest page first, items in the order of
        the history; and which items there are, bool `[batch, pages, size]`.
    """
    length, rest = values.shape[1], values.shape[2:]
    pages = -(-length // size)
    count = ops.sum(ops.cast(is_valid, "int32"), axis=1)[:, None, None]
    end = count - size * ops.arange(pages, dtype="int32")[:, None]
    place = ops.maximum(end - size, 0) + ops.arange(size, dtype="int32")
    index = ops.reshape(ops.minimum(place, length - 1), (-1, pages * size))
    flat = ops.reshape(values, (-1, length, math.prod(rest)))
    cut = ops.take_along_axis(flat, index[..., None], axis=1)
    return ops.reshape(cut, (-1, pages, size, *rest)), place < end


def position_codes(length, dim):
    """The sinusoids of places counted from 1: NumPy float32 `[length, dim]`."""
    place, column = np.arange(1, length + 1)[:, None], np.arange(dim)
    angle = place / 10000 ** (column // 2 * 2 / dim)
    return np.where(column % 2, np.cos(angle), np.sin(angle)).astype("float32")


def page_weights(pages):
    """What a page counts, the newest first: 1/2, 1/2, 1/3, 1/3, 1/4, ..., as NumPy."""
    return (1 / (2 + np.arange(pages) // 2)).astype("float32")


@keras.saving.register_keras_serializable(package="psad_tf")
class PermutationSelection(keras.layers.Layer):
    """The orders nearest to a user's past pages, and those farthest from them.

        v = mean over places of code_t * e_t;  b = sign(v R)
        distance = sum over pages of w_page (bits in which b and b_page differ)

    R is random, of both signs and never trained (SimHash). No gradient passes.

    Args:
        keep: Orders kept.
        bits: Of a signature.
    """

    def __init__(self, keep, bits=64, **kwargs):
        super().__init__(**kwargs)
        self.keep = keep
        self.bits = bits

    def build(self, items_shape):
        self.projections = self.add_weight(
            shape=(items_shape[-1], self.bits),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            trainable=False,
            name="projections",
        )

    def call(self, items, order, is_real, pages, is_past):
        """Selects.

        Args:
            items: float `[batch, list, dim]`, the candidates' embeddings.
            order: The candidate orders.
            is_real: bool `[batch, orders]`, which of them there are.
            pages: float `[batch, pages, places, dim]`, embeddings of past items, the
                newest page first.
            is_past: bool `[batch, pages, places]`.

        Returns:
            The nearest orders and the farthest ones, each with which of them there are:
            bool `[batch, keep]`. Without past pages the first orders are both.
        """
        distance = self.distance(items, order, pages, is_past)
        keep, found = min(self.keep, order.shape[1]), []
        for key in (-distance, distance):
            _, index = ops.top_k(ops.where(is_real, key, -_FAR), keep)
            there = ops.take_along_axis(is_real, index, axis=1)
            found.append((of_beams(order, index), there))
        return tuple(found)

    def distance(self, items, order, pages, is_past):
        """The distance of each order: float32 `[batch, orders]`; as for `call`."""
        placed = ops.one_hot(order, items.shape[1], dtype=items.dtype)
        listed = ops.matmul(placed, ops.stop_gradient(items)[:, None])
        mine = self.signature(listed, order >= 0)
        past = self.signature(ops.stop_gradient(pages), is_past)
        # Of signs +1 and -1 the product counts like bits less unlike ones.
        differ = (self.bits - ops.matmul(mine, ops.swapaxes(past, 1, 2))) / 2
        weight = page_weights(past.shape[1]) * ops.cast(
            ops.any(is_past, axis=2), "float32"
        )
        return ops.sum(differ * weight[:, None], axis=2)

    def signature(self, vectors, is_valid):
        """Signs +1 and -1 of sets of items in order.

        Args:
            vectors: float `[batch, sets, places, dim]`.
            is_valid: bool `[batch, sets, places]`.

        Returns:
            float32 `[batch, sets, bits]`.
        """
        code = position_codes(*vectors.shape[2:])
        here = ops.where(is_valid[..., None], ops.cast(vectors, "float32") * code, 0.0)
        # The sum has the signs of the mean.
        hashed = ops.matmul(ops.sum(here, axis=2), self.projections)
        return ops.where(hashed > 0, 1.0, -1.0)

    def get_config(self):
        return {**super().get_config(), "keep": self.keep, "bits": self.bits}
