"""The gate's arithmetic on lists that can be worked out by hand."""

import numpy as np
import pytest

from psad_tf import metrics
from tfx_pipeline.gate.check import (
    ABOVE,
    AT_LEAST,
    AT_MOST,
    HIGH,
    LOW,
    VALUE,
    Demand,
    all_passed,
)
from tfx_pipeline.gate.config import GateConfig, reasons
from tfx_pipeline.gate.decision import Facts, decide
from tfx_pipeline.gate.means import ALL, means
from tfx_pipeline.gate.resampling import Estimate, estimate, resampled_sums
from tfx_pipeline.gate.values import BINS, ListValues, joined, list_values

SECOND = 1 / np.log2(3)  # NDCG of the one click in second place
LABELS = np.array([[0.0, 1, 0], [1, 0, 0], [0, 1, 0]])
IS_VALID = np.array([[1, 1, 1], [1, 1, 1], [1, 1, 0]], bool)
SCORES = np.array([[0.1, 0.9, 0.2], [0.1, 0.9, 0.2], [0.5, 0.5, np.nan]])


def test_each_list_against_paper():
    found = list_values(LABELS, IS_VALID, SCORES, blessed=-SCORES)
    # First place; second after b; a tie keeps the initial order.
    assert found.candidate == pytest.approx([1, 0.5, SECOND])
    assert found.initial == pytest.approx([SECOND, 1, SECOND])
    assert found.blessed == pytest.approx([0.5, 1, SECOND])
    # What stands in the padding counts for nothing.
    assert found.is_finite.tolist() == [True, True, True]
    assert found.is_constant.tolist() == [False, False, True]
    assert found.candidates.tolist() == [3, 3, 2]
    assert found.excess is None and len(found) == 3


def test_a_list_with_a_bad_score_counts_as_nothing():
    scores = SCORES.copy()
    scores[0, 2] = np.inf
    found = list_values(LABELS, IS_VALID, scores)
    assert found.is_finite.tolist() == [False, True, True]
    assert found.candidate[0] == 0


def test_calibration_is_the_mean_distance_over_bins():
    # Predicted 0.75 four times with two clicks, 0.25 once with a click.
    logit = np.log(3)
    scores = np.array([[logit, logit, logit], [logit, -logit, 0.0]])
    labels = np.array([[1.0, 0, 1], [0, 1, 0]])
    is_valid = np.array([[1, 1, 1], [1, 1, 0]], bool)
    found = list_values(labels, is_valid, scores, is_probability=True)
    assert found.excess.shape == (2, BINS)
    assert found.excess[:, 7] == pytest.approx([0.25, 0.75])
    assert found.excess[:, 2] == pytest.approx([0, -0.75])
    checks = decide(found, Facts(), GateConfig(resamples=1000))
    (check,) = (c for c in checks if c.name == "calibration")
    assert check.value == pytest.approx((1.0 + 0.75) / 5)
    assert check.passed is False and check.margin == pytest.approx(0.1 - 0.35)


def test_parts_are_joined_in_the_order_that_is_asked():
    parts = [
        list_values(
            LABELS[:1], IS_VALID[:1], SCORES[:1], None, {"g": np.array([True])}
        ),
        list_values(
            LABELS[1:], IS_VALID[1:], SCORES[1:], None, {"g": np.array([False, True])}
        ),
    ]
    found = joined(parts, np.array([2, 0, 1]))
    assert found.candidate == pytest.approx([SECOND, 1, 0.5])
    assert found.groups["g"].tolist() == [True, True, False]
    assert found.blessed is None and found.excess is None


@pytest.mark.parametrize("size", [7, 300])
def test_the_resamples_are_those_of_the_paired_bootstrap(size):
    values = np.random.default_rng(size).normal(size=size)
    sums = resampled_sums(np.stack([values, np.ones(size)], axis=1), 2000, seed=5)
    assert (sums[:, 1] == size).all()
    found = estimate(values.mean(), sums[:, 0] / size, 0.975)
    expected = metrics.paired_bootstrap(values, 2000, seed=5, level=0.95)
    assert found == pytest.approx(expected)


def made(candidate, groups):
    size = len(candidate)
    return ListValues(
        np.array(candidate, float),
        np.zeros(size),
        None,
        np.ones(size, bool),
        np.zeros(size, bool),
        None,
        np.full(size, 3),
        {k: np.array(v, bool) for k, v in groups.items()},
    )


def test_groups_have_their_own_means_and_small_ones_none():
    a, b, c = ("p", "a"), ("p", "b"), ("p", "c")
    values = made(
        [1, 1, 0, 0, 0.5],
        {a: [1, 1, 0, 0, 0], b: [0, 0, 1, 1, 0], c: [0, 0, 0, 0, 1]},
    )
    found = means(values, least=2, resamples=1000, seed=0)
    assert found.sizes == {ALL: 5, a: 2, b: 2, c: 1}
    assert {g: x for (n, g), x in found.values.items() if n == "ndcg"} == {
        ALL: pytest.approx(0.5),
        a: 1,
        b: 0,
    }
    # All lists of a group are alike: no resample gives it another mean.
    assert found.of("ndcg", a, 0.975) == (1, 1, 1)
    assert found.gap("ndcg", a, b, 0.975) == (1, 1, 1)
    low, high = found.of("ndcg", ALL, 0.975)[1:]
    assert 0 <= low < 0.5 < high <= 1


FOUND = Estimate(0.02, 0.01, 0.03)


@pytest.mark.parametrize(
    "sign, by, bound, passes, margin",
    [
        (ABOVE, LOW, 0.005, True, 0.005),
        (ABOVE, LOW, 0.01, False, 0.0),
        (AT_LEAST, LOW, 0.01, True, 0.0),
        (AT_LEAST, HIGH, 0.025, True, 0.005),
        (AT_MOST, LOW, 0.015, True, 0.005),
        (AT_MOST, HIGH, 0.015, False, -0.015),
        (AT_MOST, VALUE, 0.015, False, -0.005),
    ],
)
def test_a_bound_is_held_against_the_end_that_is_named(sign, by, bound, passes, margin):
    check = Demand("ndcg", bound, "because", sign, by, "do this").check(FOUND)
    assert (check.passed, check.margin) == (passes, pytest.approx(margin))
    assert check.remedy == ("" if passes else "do this")
    assert check.interval == (0.01, 0.03)


def test_the_finding_says_all_of_it():
    demand = Demand("gain_over_initial", 0.015, "because", ABOVE, LOW, "train on")
    assert demand.check(FOUND, "age: 18-24").finding == (
        "NDCG@10 gain over the initial order of age: 18-24 is +0.0200 (+0.0100 to "
        "+0.0300); lower end must be > +0.0150: failed by 0.0050"
    )
    latency = Demand("latency", 200.0, "because", AT_MOST, VALUE, "").check(12.34)
    assert latency.finding == (
        "99th percentile of the time for one list is 12.3 ms; it must be <= 200.0 ms: "
        "passed by 187.7 ms"
    )


def test_no_number_passes_nowhere():
    for sign in (ABOVE, AT_LEAST, AT_MOST):
        demand = Demand("ndcg", 0.5, "because", sign, VALUE, "")
        assert demand.check(np.nan).passed is False


def test_nothing_decided_is_no_blessing():
    demand = Demand("ndcg", 0.5, "because", ABOVE, VALUE, "")
    skipped, good, bad = demand.skipped("none"), demand.check(0.6), demand.check(0.4)
    assert not all_passed([]) and not all_passed([skipped])
    assert all_passed([skipped, good]) and not all_passed([good, bad])


def test_the_remedy_says_how_many_lists_would_do():
    values = made([0.0, 0.06] * 200, {})
    gate = GateConfig(resamples=1000, min_gain_over_initial=0.028)
    (check,) = (
        c for c in decide(values, Facts(), gate) if c.name == "gain_over_initial"
    )
    spread = check.value - check.interval[0]
    lists = int(np.ceil(400 * (spread / 0.002) ** 2))
    assert check.value == pytest.approx(0.03) and check.passed is False
    assert f"{lists:,} test lists (now 400)" in check.remedy


def test_every_bound_has_its_reason():
    told = reasons()
    assert set(told) == set(GateConfig.__dataclass_fields__)
    assert all(text.endswith(".") for text in told.values())
    assert told["max_ndcg"].startswith("NDCG@10 is not surely above it. Clicks have")


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"confidence": 0.5}, "confidence=0.5 must lie between"),
        ({"resamples": 999}, "resamples=999 must be at least 1000"),
        ({"resamples": 1000.5}, "resamples=1000.5 must be a whole number"),
        ({"min_ndcg": "0.5"}, "min_ndcg='0.5' must be a number"),
        ({"max_slice_gap": True}, "max_slice_gap=True must be a number"),
        ({"min_slice_lists": 1}, "min_slice_lists=1 must be at least 2"),
    ],
)
def test_a_wrong_bound_is_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        GateConfig(**wrong)
