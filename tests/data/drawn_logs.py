"""Logs that Hypothesis draws, and the same past with other futures."""

from hypothesis import strategies as st

LONGEST, STARS, TIMES = 20, st.integers(1, 5), st.integers(0, 9)


def log_rows(users: int, items: int):
    """Rows (user, item, rating, time) in which no user rates an item twice."""
    pairs = st.tuples(st.integers(0, users - 1), st.integers(0, items - 1))
    logs = st.dictionaries(pairs, st.tuples(STARS, TIMES), max_size=LONGEST)
    return logs.map(lambda found: [(*pair, *rest) for pair, rest in found.items()])


@st.composite
def in_other_futures(draw, logs):
    """A log, the same with other ratings from a moment on, and with none; the moment.

    So neither what is rated from then on may count, nor that it is rated at all.
    """
    rows, moment = draw(logs), draw(st.integers(0, 10))
    other = draw(st.lists(STARS, min_size=len(rows), max_size=len(rows)))
    changed = [
        (u, i, new if t >= moment else r, t)
        for (u, i, r, t), new in zip(rows, other, strict=True)
    ]
    return (rows, changed, [row for row in rows if row[3] < moment]), moment
