"""The engine, from raw files to stored lists, against plain loops over the rows."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn_raw import FEATURES, KNOWN, chance, logs, reader_of, run_tasks, write_raw
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reference_lists import outcome

from psad_tf.data.logs.protocol import Protocol
from psad_tf.data.windows import SPLITS

SEVERAL = Protocol(
    list_length=FEATURES.list_length,
    history_length=FEATURES.history_length,
    shares=(0.2, 0.4, 0.2),
    by_time=True,
    min_candidates=2,
    min_item_rows=3,
)
ONE = replace(SEVERAL, by_time=False, window_length=5, one_list=True)
PROTOCOLS = {
    "paper": SEVERAL,
    "librerank": ONE,
    "requests": replace(SEVERAL, window_seconds=0, window_length=3),
    "last request": replace(ONE, window_seconds=0, window_length=3),
    "everything": replace(
        SEVERAL,
        min_item_rows=0,
        min_user_rows=0,
        needs_click=False,
        both_labels=False,
        min_candidates=1,
    ),
}


def expected_lists(listed):
    """What a stored list holds, by its name."""
    return {
        one.request_id: (
            one.fate,
            one.t_start,
            one.rows[0].user,
            [row.item for row in one.shown],
            [float(row.clicked) for row in one.shown],
            [row.item for row in one.history],
            one.row_count,
        )
        for one in listed
        if one.fate in SPLITS
    }


def found_lists(stored):
    return {
        one.request_id: (
            split,
            one.timestamp,
            one.user["user_id"],
            [candidate["item_id"] for candidate in one.candidates],
            list(one.labels),
            [past["item_id"] for past in one.history],
            one.user["user_row_count"],
        )
        for split, lists in stored.items()
        for one in lists
    }


@pytest.mark.parametrize("name", PROTOCOLS)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_lists_and_ends_of_rows(name, data):
    protocol = PROTOCOLS[name]
    by_request = not protocol.window_seconds
    rows = data.draw(logs(by_request))
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        write_raw(folder, rows)
        reader = reader_of(protocol, by_request)
        counts, stored = run_tasks(folder, reader, protocol)
    listed, ends = outcome(rows, set(KNOWN), protocol, chance())
    assert found_lists(stored) == expected_lists(listed)
    prefix = "rows/shown/"
    told = {
        n.removeprefix(prefix): c for n, c in counts.items() if n.startswith(prefix)
    }
    assert told.pop("read") == len(rows) == sum(told.values())
    assert {end: n for end, n in told.items() if n} == {
        e: n for e, n in ends.items() if n
    }
    hours = [
        np.expm1(p["log_hours_ago"])
        for x in sum(stored.values(), [])
        for p in x.history
    ]
    assert all(hour >= 0 for hour in hours)
