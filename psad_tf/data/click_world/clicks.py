"""How users of the click world click: place times likeness, as in URCC's simulator.

Source: Y. Xi et al., "Context-aware Reranking with Utility Maximization for
Recommendation", arXiv 2110.09059 (URCC, also CRUM), the click model of its published
code. The user reads from the top. The item in place k, counted from 1, is examined
with probability

    e_k = k^-eta * (0.5 + 0.5 * <f_p, f_k> / (|f_p| + |f_k|)),

where f_p is the vector of the last item clicked above it; before any click the second
factor is 1. An examined item is clicked with the probability of its relevance. What is
clicked thus depends on the items above, and the worth of a list is more than the sum
of its items.

Shapes: lists may have any leading axes `...`; padding stands at the end of a list.
"""

import numpy as np


def likeness(vectors: np.ndarray) -> np.ndarray:
    """The second factor of e_k, for every pair of items.

    Args:
        vectors: `[..., list, dim]` item vectors.

    Returns:
        `[..., list, list]`, symmetric: 0.5 for orthogonal or zero vectors. It is a
        probability as long as no vector is longer than 2.
    """
    products = vectors @ np.swapaxes(vectors, -1, -2)
    lengths = np.linalg.norm(vectors, axis=-1)
    sums = lengths[..., :, None] + lengths[..., None, :]
    return 0.5 + 0.5 * products / np.where(sums > 0, sums, 1.0)


def sample(
    relevance: np.ndarray,
    vectors: np.ndarray,
    is_valid: np.ndarray,
    eta: float = 1.0,
    random: np.random.Generator | None = None,
) -> np.ndarray:
    """Draws the clicks of lists, from the top down.

    Args:
        relevance: `[..., list]` probability of a click once examined.
        vectors: `[..., list, dim]` item vectors.
        is_valid: `[..., list]` bool, False on padding, which is never clicked.
        eta: How fast examination falls with the place.
        random: The source of chance; a fresh one by default.

    Returns:
        `[..., list]` bool, True for a click.
    """
    random = np.random.default_rng() if random is None else random
    attention = _attention(relevance, is_valid, eta)
    factors = likeness(vectors)
    draws = random.random(attention.shape)
    clicks = np.zeros(attention.shape, bool)
    # The factors that the last click leaves to each item below.
    factor = np.ones(attention.shape)
    for place in range(attention.shape[-1]):
        probability = attention[..., place] * factor[..., place]
        clicks[..., place] = draws[..., place] < probability
        clicked = clicks[..., place, None]
        factor = np.where(clicked, factors[..., place, :], factor)
    return clicks


def click_probabilities(
    relevance: np.ndarray,
    vectors: np.ndarray,
    is_valid: np.ndarray,
    eta: float = 1.0,
) -> np.ndarray:
    """The exact probability of a click on each item, whatever happens above it.

    Dynamic programming over which item was clicked last: the sum over all outcomes
    of n items needs n^2 steps and not 2^n.

    Args:
        relevance: `[..., list]` probability of a click once examined.
        vectors: `[..., list, dim]` item vectors.
        is_valid: `[..., list]` bool, False on padding.
        eta: How fast examination falls with the place.

    Returns:
        `[..., list]` probabilities, 0 on padding.
    """
    attention = _attention(relevance, is_valid, eta)
    return marginals(attention, likeness(vectors))


def utility(
    relevance: np.ndarray,
    vectors: np.ndarray,
    is_valid: np.ndarray,
    eta: float = 1.0,
) -> np.ndarray:
    """`[...]` the expected number of clicks of each list, in the order given."""
    return click_probabilities(relevance, vectors, is_valid, eta).sum(axis=-1)


def utility_of_order(
    relevance: np.ndarray,
    vectors: np.ndarray,
    is_valid: np.ndarray,
    eta: float,
    order: np.ndarray,
) -> np.ndarray:
    """The expected number of clicks if the list were shown in another order.

    Args:
        relevance: `[..., list]` probability of a click once examined.
        vectors: `[..., list, dim]` item vectors.
        is_valid: `[..., list]` bool, False on padding.
        eta: How fast examination falls with the place.
        order: `[..., slate]` whole numbers: which item stands in each place, -1 past
            the end. No item twice; padding last. Items left out aren't shown.

    Returns:
        `[...]` expected clicks.
    """
    shown = np.take_along_axis(relevance, order, axis=-1)
    is_shown = np.take_along_axis(is_valid, order, axis=-1) & (order >= 0)
    shown_vectors = np.take_along_axis(vectors, order[..., None], axis=-2)
    return utility(shown, shown_vectors, is_shown, eta)


def marginals(attention: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """The probabilities of `click_probabilities` from its two parts.

    Args:
        attention: `[..., list]` relevance * k^-eta, 0 on padding.
        factors: `[..., list, list]` what a last click on the first item leaves to the
            second.

    Returns:
        `[..., list]` probabilities of a click.
    """
    clicked = np.empty(attention.shape)
    no_click = np.ones(attention.shape[:-1])
    # last[..., j]: the probability that j is the last item clicked so far.
    last = np.zeros(attention.shape)
    for place in range(attention.shape[-1]):
        passed = last[..., :place]
        given = attention[..., place, None] * factors[..., :place, place]
        clicked[..., place] = (passed * given).sum(axis=-1)
        clicked[..., place] += no_click * attention[..., place]
        passed *= 1 - given
        no_click *= 1 - attention[..., place]
        last[..., place] = clicked[..., place]
    return clicked


def place_weights(places: int, eta: float) -> np.ndarray:
    """`[places]` k^-eta, the first factor of e_k."""
    return np.arange(1, places + 1, dtype=float) ** -eta


def _attention(relevance: np.ndarray, is_valid: np.ndarray, eta: float) -> np.ndarray:
    """`[..., list]` relevance * k^-eta, 0 on padding."""
    weights = place_weights(relevance.shape[-1], eta)
    return np.where(is_valid, relevance * weights, 0.0)
