"""What clients of a canary counted, and what follows of it."""

import json

import numpy as np
import pytest
from client_pages import page

from psad_tf.errors import InputError
from tfx_pipeline.canary.counts import Counts, Meter, Share, read_clicks
from tfx_pipeline.canary.decision import (
    PROMOTE,
    ROLL_BACK,
    WAIT,
    CanaryConfig,
    compare,
    decide,
    difference,
)


def meter(places, slow_seconds=0.1, **more):
    return Meter("stable", places, slow_seconds, **more)


def test_pages_of_several_clients_are_added_up(tmp_path):
    pages = [page(tmp_path / "a", 90, 10, 95, 5), page(tmp_path / "b", 50, 0, 50, 0)]
    assert meter(pages).read() == Counts(Share(10, 150), Share(5, 150), None)
    assert meter(pages, 0.5).read().slow == Share(0, 150)


def test_what_was_counted_before_is_left_out_from_now_on(tmp_path):
    pages = [page(tmp_path / "a", 90, 10, 95, 5), page(tmp_path / "b", 50, 0, 50, 0)]
    clicks = tmp_path / "clicks.json"
    told = {"stable": {"lists": 9, "clicked": 4}, "canary": {"lists": 3, "clicked": 1}}
    clicks.write_text(json.dumps(told))
    found = meter(pages, clicks=clicks, from_now=True)
    assert found.read() == Counts(Share(0, 0), Share(0, 0), Share(0, 0))
    page(tmp_path / "a", 190, 11, 194, 7)
    page(tmp_path / "b", 20, 5, 20, 5)  # it has begun anew
    clicks.write_text(json.dumps(told | {"stable": {"lists": 12, "clicked": 6}}))
    assert found.read() == Counts(Share(1 + 5, 101 + 25), Share(2 + 5, 126), (2, 3))


def test_a_page_that_says_nothing_is_named(tmp_path):
    with pytest.raises(InputError, match="no bound 0.15 s.*0.1, 0.2"):
        meter([page(tmp_path / "a", 1, 0, 1, 0)], 0.15)
    with pytest.raises(InputError, match="give a client's metrics page"):
        meter([str(tmp_path / "none")])
    (tmp_path / "html").write_text("<html>")
    with pytest.raises(InputError, match="no bound"):
        meter([str(tmp_path / "html")])


def test_clicks_are_read_strictly(tmp_path):
    file = tmp_path / "clicks.json"
    told = {"stable": {"lists": 9, "clicked": 4}, "canary": {"lists": 3, "clicked": 1}}
    file.write_text(json.dumps(told))
    assert read_clicks(file) == {"stable": Share(4, 9), "canary": Share(1, 3)}
    file.write_text(json.dumps(told | {"canary": {"lists": 3, "clicked": 4}}))
    with pytest.raises(InputError, match="canary has 4 of 3 lists"):
        read_clicks(file)
    file.write_text("{}")
    with pytest.raises(InputError, match="KeyError.*give"):
        read_clicks(file)


def test_the_interval_of_a_difference_is_newcombes():
    # Newcombe 1998, table II, example (a): 56/70 - 48/80.
    found = difference(Share(48, 80), Share(56, 70), 0.975)
    assert found == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    # Without a single error the interval still has a width.
    none = difference(Share(0, 100), Share(0, 100), 0.975)
    assert none.value == 0 and none.low < -0.03 and none.high > 0.03


def counts(errors, slow=(20, 2000), clicked=None):
    return Counts(Share(*errors), Share(*slow), clicked and Share(*clicked))


@pytest.mark.parametrize(
    "canary, verdict",
    [
        (counts((2, 2000)), PROMOTE),
        (counts((60, 2000)), ROLL_BACK),
        (counts((0, 50), (0, 50)), WAIT),  # too few to tell
        (counts((0, 0), (0, 0)), WAIT),
        (counts((2, 2000), (300, 2000)), ROLL_BACK),
        (counts((2, 20_000), (20, 2000), (4000, 20_000)), PROMOTE),
        (counts((2, 20_000), (20, 2000), (3000, 20_000)), ROLL_BACK),
        (counts((2, 20_000), (20, 2000), (15, 100)), WAIT),
    ],
)
def test_the_verdict_is_on_intervals(canary, verdict):
    stable = counts((2, 20_000), (20, 2000), (4000, 20_000))
    findings = compare(stable, canary, CanaryConfig())
    assert decide(findings) == verdict
    assert len(findings) == (2 if canary.clicked is None else 3)
    assert all(f.text.endswith(f": {f.verdict}") for f in findings)


def test_looking_often_does_not_take_good_canaries_away():
    """500 canaries as good as stable, each looked at ten times: one in 40 at most."""
    config = CanaryConfig(max_error_increase=0.0, max_slow_increase=0.0, looks=10)
    random = np.random.default_rng(0)
    errors = random.binomial(200, 0.05, (500, 10, 2)).cumsum(axis=1)
    taken = 0
    for canary in errors:
        for look, (first, second) in enumerate(canary, start=1):
            pair = (Share(int(n), 200 * look) for n in (first, second))
            found = difference(*pair, config.level())
            if found.low > 0:
                taken += 1
                break
    assert taken / len(errors) <= 0.025
