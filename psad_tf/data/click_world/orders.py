"""The best order of a list under the click model: by trial of all, or by search."""

import itertools
from dataclasses import dataclass

import numpy as np

from psad_tf.data.click_world.clicks import likeness, marginals, place_weights
from psad_tf.data.errors import DataError

MOST_FOR_ALL_ORDERS = 6
_CHUNK = 2**22  # numbers held at once
_NEVER = 1e6  # more clicks than any list has


def best_order(
    relevance: np.ndarray,
    vectors: np.ndarray,
    is_valid: np.ndarray,
    eta: float = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """The order with the most expected clicks, found by trying every one.

    Args:
        relevance: `[batch, list]` probability of a click once examined; at most
            `MOST_FOR_ALL_ORDERS` items a list.
        vectors: `[batch, list, dim]` item vectors.
        is_valid: `[batch, list]` bool, False on padding, which may stand anywhere.
        eta: How fast examination falls with the place.

    Returns:
        `[batch, list]` the order (valid items first) and `[batch]` its expected clicks.

    Raises:
        DataError: The lists are too long to try every order.
    """
    length = relevance.shape[-1]
    if length > MOST_FOR_ALL_ORDERS:
        raise DataError(
            f"lists of {length} items have too many orders to try; give at most "
            f"{MOST_FOR_ALL_ORDERS} items, or use beam_order()"
        )
    orders = np.array(list(itertools.permutations(range(length))))
    rows = max(1, _CHUNK // (len(orders) * length * length))
    pieces = [
        _best_of_chunk(orders, relevance[a:b], vectors[a:b], is_valid[a:b], eta)
        for a, b in _chunks(len(relevance), rows)
    ]
    best, values = zip(*pieces, strict=True)
    return np.concatenate(best), np.concatenate(values)


def _best_of_chunk(orders, relevance, vectors, is_valid, eta):
    """Orders with padding above an item are left out, not only worth less."""
    shown = np.where(is_valid, relevance, 0.0)[:, orders]
    attention = shown * place_weights(shown.shape[-1], eta)
    factors = likeness(vectors)[:, orders[:, :, None], orders[:, None, :]]
    values = marginals(attention, factors).sum(axis=-1)
    valid = is_valid[:, orders]
    has_gap = (valid[..., 1:] & ~valid[..., :-1]).any(axis=-1)
    values = np.where(has_gap, -np.inf, values)
    best = values.argmax(axis=-1)
    return orders[best], values[np.arange(len(best)), best]


def beam_order(
    relevance: np.ndarray,
    vectors: np.ndarray,
    is_valid: np.ndarray,
    eta: float = 1.0,
    width: int = 16,
) -> tuple[np.ndarray, np.ndarray]:
    """A good order of a long list, by beam search on the true expected clicks.

    What it finds is a lower bound of the best order's worth; it is never below that
    of the order by relevance.

    Args:
        relevance: `[batch, list]` probability of a click once examined.
        vectors: `[batch, list, dim]` item vectors.
        is_valid: `[batch, list]` bool, False on padding, which may stand anywhere.
        eta: How fast examination falls with the place.
        width: How many beginnings are kept from place to place.

    Returns:
        `[batch, list]` the order (valid items first) and `[batch]` its expected clicks.
    """
    rows = max(1, _CHUNK // (width * relevance.shape[-1] ** 2))
    pieces = [
        _beam_of_chunk(relevance[a:b], vectors[a:b], is_valid[a:b], eta, width)
        for a, b in _chunks(len(relevance), rows)
    ]
    best, values = zip(*pieces, strict=True)
    return np.concatenate(best), np.concatenate(values)


def _beam_of_chunk(relevance, vectors, is_valid, eta, width):
    batch, length = relevance.shape
    relevance = np.where(is_valid, relevance, 0.0)
    factors, weights = likeness(vectors), place_weights(length, eta)
    beams = _Beams.start(batch, length)
    for place in range(length):
        beams = beams.grown(relevance * weights[place], factors, is_valid, width)
    by_relevance = np.argsort(np.where(is_valid, -relevance, np.inf), kind="stable")
    plain = _worth(by_relevance, relevance, factors, weights)
    orders, values = beams.orders[:, 0], beams.values[:, 0]
    is_better = values >= plain
    order = np.where(is_better[:, None], orders, by_relevance)
    return order, np.maximum(values, plain)


def _worth(order, relevance, factors, weights) -> np.ndarray:
    """`[batch]` the expected clicks of one order `[batch, list]` a list."""
    attention = np.take_along_axis(relevance, order, axis=1) * weights
    rows = np.arange(len(order))[:, None, None]
    shown = factors[rows, order[:, :, None], order[:, None, :]]
    return marginals(attention, shown).sum(axis=-1)


@dataclass(frozen=True)
class _Beams:
    """The beginnings of orders, best first; all have chosen equally many items.

    Args:
        orders: `[batch, beams, places]` the items chosen so far.
        values: `[batch, beams]` their expected clicks.
        last: `[batch, beams, list]` probability that the item was the last clicked.
        no_click: `[batch, beams]` probability that nothing was clicked.
        is_left: `[batch, beams, list]` True for the items not chosen yet.
    """

    orders: np.ndarray
    values: np.ndarray
    last: np.ndarray
    no_click: np.ndarray
    is_left: np.ndarray

    @classmethod
    def start(cls, batch: int, length: int) -> "_Beams":
        one = batch, 1
        return cls(
            orders=np.zeros((*one, 0), int),
            values=np.zeros(one),
            last=np.zeros((*one, length)),
            no_click=np.ones(one),
            is_left=np.ones((*one, length), bool),
        )

    def grown(self, attention, factors, is_valid, width) -> "_Beams":
        """Every beginning with every item that is left; the best `width` of them."""
        batch, beams, length = self.last.shape
        reach = self.last @ factors + self.no_click[..., None]
        gains = attention[:, None] * reach
        # Padding only once nothing else is left.
        rank = self.values[..., None] + np.where(is_valid[:, None], gains, -_NEVER)
        rank = np.where(self.is_left, rank, -np.inf).reshape(batch, beams * length)
        kept = min(width, beams * (length - self.orders.shape[-1]))
        best = np.argsort(-rank, axis=1, kind="stable")[:, :kept]
        rows = np.arange(batch)[:, None]
        beam, item = best // length, best % length
        return self._chosen(
            rows, beam, item, gains[rows, beam, item], attention, factors
        )

    def _chosen(self, rows, beam, item, gain, attention, factors) -> "_Beams":
        given = attention[rows, item]
        last = self.last[rows, beam] * (1 - given[..., None] * factors[rows, item])
        is_left = self.is_left[rows, beam]
        beams = np.arange(item.shape[1])
        last[rows, beams, item] = gain
        is_left[rows, beams, item] = False
        return _Beams(
            orders=np.concatenate([self.orders[rows, beam], item[..., None]], axis=-1),
            values=self.values[rows, beam] + gain,
            last=last,
            no_click=self.no_click[rows, beam] * (1 - given),
            is_left=is_left,
        )


def _chunks(total: int, size: int) -> list[tuple[int, int]]:
    return [(begin, begin + size) for begin in range(0, max(total, 1), size)]
