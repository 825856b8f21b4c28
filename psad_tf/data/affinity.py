"""How well candidates fit a user's taste, by what was rated before a moment.

Four classical estimates of a candidate's residual (see `residuals`) for a user: from
the user's earlier residuals of the same genres and of films of about the same years,
from those of similar items (Sarwar et al. 2001), and from the candidate's residuals of
similar users (Resnick et al. 1994). Each is shrunk towards 0 when it rests on little,
and is 0 for a user without ratings; only the last one then still leans on everybody.
"""

from collections.abc import Sequence

import numpy as np

from psad_tf.data.log import Item
from psad_tf.data.residuals import Residuals

GENRE_PRIOR = 5.0  # ratings without a residual that each genre starts with
YEAR_PRIOR = 3.0  # the same for years
YEAR_SCALE = 5.0  # years after which a film counts 1/e as much
ITEM_PRIOR = 2.0  # similarity to items without a residual that a candidate starts with
USER_PRIOR = 1.0  # the same for users
ITEM_COMMON = 100.0  # with so many users in common, a similarity counts half
USER_COMMON = 50.0  # the same for items in common
STRANGER = 0.05  # similarity that every user has from the start


class Affinity:
    """The estimates for any user, candidates and moment.

    Args:
        ratings: Array of `RATING`, sorted by time.
        users: How many there are.
        items: As in the `Log`.
    """

    NAMES = ("genre_affinity", "year_affinity", "similar_items", "similar_users")

    def __init__(self, ratings: np.ndarray, users: int, items: Sequence[Item]):
        self._residuals = Residuals(ratings, users, len(items))
        genres = sorted({genre for item in items for genre in item.genres})
        self._genres = np.array(
            [[genre in item.genres for genre in genres] for item in items], np.float64
        )
        self._years = np.array([item.year for item in items], np.float64)

    def as_of(self, user: int, candidates: np.ndarray, moment: int) -> np.ndarray:
        """The estimates, from ratings of anybody before a moment.

        Args:
            user: Index.
            candidates: `[n]` indices of items the user rated at no earlier time.
            moment: Seconds since the epoch; ratings at that second don't count.

        Returns:
            `[n, 4]`, in the order of `NAMES`, in stars.
        """
        past = self._residuals.rated(user, moment)
        means = self._residuals.means(moment)
        of_past, past_is_known = self._residuals.of(past, moment, means)
        offered, offered_is_known = self._residuals.of(candidates, moment, means)
        own, genres, years = of_past[:, user], self._genres, self._years
        items = similarity(offered, of_past, offered_is_known, past_is_known)
        everybody = similarity(
            own[None], of_past.T, np.ones((1, len(past))), past_is_known.T, USER_COMMON
        )
        columns = (
            by_genre(own, genres[past], genres[candidates]),
            by_year(own, years[past], years[candidates]),
            by_items(own, items),
            by_users(offered, offered_is_known, everybody[0]),
        )
        return np.column_stack(columns)


def by_genre(own, past_genres, genres) -> np.ndarray:
    """A candidate's mean over its genres of the user's shrunk mean residual in each.

    Args:
        own: `[p]` the user's residuals.
        past_genres: `[p, genres]` of 0 and 1, of the items they are of.
        genres: `[n, genres]` of the candidates; each has at least one.
    """
    taste = own @ past_genres / (past_genres.sum(axis=0) + GENRE_PRIOR)
    return genres @ taste / genres.sum(axis=1)


def by_year(own, past_years, years) -> np.ndarray:
    """The user's shrunk mean residual of films of about a candidate's year.

    Args:
        own: `[p]` the user's residuals.
        past_years: `[p]` years of release of the items they are of; 0 is unknown.
        years: `[n]` of the candidates.
    """
    distance = np.abs(years[:, None] - past_years)
    is_known = (years[:, None] > 0) & (past_years > 0)
    weight = np.exp(-distance / YEAR_SCALE) * is_known
    return weight @ own / (weight.sum(axis=1) + YEAR_PRIOR)


def by_items(own, items) -> np.ndarray:
    """The user's residuals of past items, weighted by similarity to a candidate.

    Args:
        own: `[p]` the user's residuals.
        items: `[n, p]` similarity of candidates to past items.
    """
    return items @ own / (np.abs(items).sum(axis=1) + ITEM_PRIOR)


def by_users(residuals, is_known, users) -> np.ndarray:
    """A candidate's residuals, weighted by similarity of their users to the user.

    Args:
        residuals: `[n, users]` of the candidates.
        is_known: `[n, users]` 1 where there is one, else 0.
        users: `[users]` similarity to the user; dissimilar ones don't count.
    """
    weight = np.maximum(users + STRANGER, 0)
    return residuals @ weight / (is_known @ weight + USER_PRIOR)


def similarity(a, b, a_is_known, b_is_known, common=ITEM_COMMON) -> np.ndarray:
    """Correlation of rows over the columns that both know, shrunk when these are few.

    Args:
        a: `[n, columns]` residuals, 0 where unknown.
        b: `[m, columns]`.
        a_is_known: `[n, columns]` of 0 and 1.
        b_is_known: `[m, columns]`.
        common: Columns in common with which a correlation counts half.

    Returns:
        `[n, m]` between -1 and 1; 0 for rows with nothing in common.
    """
    shared = a_is_known @ b_is_known.T
    squares = (a**2 @ b_is_known.T) * (a_is_known @ (b**2).T)
    norm = np.sqrt(np.maximum(squares, np.finfo(np.float64).tiny))
    return a @ b.T / norm * shared / (shared + common)
