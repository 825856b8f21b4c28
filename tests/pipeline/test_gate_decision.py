"""The gate's own test: what it must refuse, and what it must let pass."""

import numpy as np
import pytest
from gate_trials import GATE, draw, judged, noise, scores, strengths

from tfx_pipeline.gate.check import all_passed
from tfx_pipeline.gate.config import GateConfig
from tfx_pipeline.gate.resampling import Estimate

TRIALS = 50


def failures(checks) -> set[str]:
    return {check.name for check in checks if check.passed is False}


@pytest.fixture(scope="module")
def trials():
    """Of each seed: is an improvement of 0.01 pushed, and is an equal model?"""
    better, blessed = strengths(gain=0.01)
    found = []
    for seed in range(TRIALS):
        lists = draw(seed)
        now = scores(lists, blessed, seed, 1)
        honest = judged(lists, scores(lists, better, seed, 2), now)
        equal = judged(lists, scores(lists, blessed, seed, 3), now)
        found.append((all_passed(honest), all_passed(equal)))
    return np.array(found)


def test_an_honest_improvement_passes(trials):
    assert trials[:, 0].mean() >= 0.95


def test_an_equal_model_is_not_pushed(trials):
    assert trials[:, 1].mean() <= 0.05


@pytest.fixture(scope="module")
def lists():
    return draw(0)


@pytest.fixture(scope="module")
def blessed(lists):
    return scores(lists, strengths()[1], 0, 1)


def test_random_labels_teach_nothing(lists, blessed):
    random = noise(lists, 0, 9)
    assert "gain_over_initial" in failures(judged(lists, random))
    assert "gain_over_blessed" in failures(judged(lists, random, blessed))


@pytest.mark.parametrize("share", [1.0, 0.8])
def test_a_leaking_label_is_implausible(lists, blessed, share):
    """A feature that tells of so many clicks."""
    told = np.random.default_rng(0).random(lists.labels.shape) < share
    leaking = blessed + 100 * lists.labels * told
    assert {"gain_over_initial_plausible"} <= failures(judged(lists, leaking))
    found = failures(judged(lists, leaking, blessed))
    assert "gain_over_blessed_plausible" in found
    assert ("ndcg_plausible" in found) == (share == 1.0)


def test_scores_that_need_the_label_are_told_from_those_that_do_not(lists, blessed):
    checks = judged(lists, blessed, label_effect=0.25)
    assert failures(checks) == {"reads_labels"}
    assert all_passed(judged(lists, blessed, label_effect=0.0))


def test_constant_scores_rank_nothing(lists):
    constant = np.zeros(lists.labels.shape)
    assert failures(judged(lists, constant)) == {"constant", "gain_over_initial"}
    # A gate of low aims still sees it.
    low = GateConfig(resamples=1000, min_gain_over_initial=-1.0)
    assert failures(judged(lists, constant, gate=low)) == {"constant"}


def test_a_stale_model_is_refused_though_it_beats_the_initial_order(lists, blessed):
    stale = scores(lists, 1.4 * strengths()[1], 0, 2)
    assert all_passed(judged(lists, stale))
    assert failures(judged(lists, stale, blessed)) == {"gain_over_blessed"}


def test_a_truncated_model_is_refused(lists, blessed):
    """It ranks the first five candidates; the rest stays where it was."""
    better = scores(lists, strengths()[0], 0, 2)
    truncated = np.where(np.arange(20) < 5, better, -1000.0 - np.arange(20))
    assert "gain_over_blessed" in failures(judged(lists, truncated, blessed))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_one_score_that_is_no_number_is_enough(lists, blessed, bad):
    better = scores(lists, strengths()[0], 0, 2)
    assert all_passed(judged(lists, better, blessed))
    better[17, 3] = bad
    assert failures(judged(lists, better, blessed)) == {"finite"}
    nothing = np.full(better.shape, bad)
    assert "finite" in failures(judged(lists, nothing, blessed))


def test_the_very_model_that_is_served_is_not_held_against_itself(lists, blessed):
    checks = judged(lists, blessed, blessed, is_blessed_itself=True)
    assert all_passed(checks)
    (change,) = (c for c in checks if c.name == "gain_over_blessed")
    assert change.passed is None and "the very model" in change.finding
    # Another model with the same scores is an equal one.
    assert failures(judged(lists, blessed, blessed)) == {"gain_over_blessed"}


def test_a_negative_bound_asks_for_no_more_than_not_being_worse(lists, blessed):
    equal = scores(lists, strengths()[1], 0, 3)
    lenient = GateConfig(resamples=1000, min_gain_over_blessed=-0.01)
    assert all_passed(judged(lists, equal, blessed, lenient))
    stale = scores(lists, 1.4 * strengths()[1], 0, 2)
    assert not all_passed(judged(lists, stale, blessed, lenient))


def test_a_group_that_is_surely_harmed_is_not_hidden_by_the_mean(lists, blessed):
    cold = lists.groups["user_activity", "0"]
    harmful = scores(lists, strengths()[0], 0, 2)
    # Those users get the initial order backwards.
    harmful[cold] = np.arange(20)
    checks = judged(lists, harmful)
    failed = [c for c in checks if c.passed is False]
    assert {c.group for c in failed} >= {"user activity: 0"}
    assert "gain_over_initial" in failures(checks)
    overall = next(c for c in checks if c.name == "gain_over_initial")
    assert overall.passed and overall.group == "all lists"


def test_the_gap_between_groups_is_bounded(lists):
    helped = scores(lists, strengths()[0], 0, 2)
    helped[~lists.groups["user_activity", "15+"]] = -np.arange(20.0)
    strict = GateConfig(resamples=1000, max_slice_gap=0.02)
    (gap,) = (c for c in judged(lists, helped, gate=strict) if c.name == "slice_gap")
    assert gap.passed is False and gap.group.startswith("user activity: 15+ over")
    (gap,) = (c for c in judged(lists, helped) if c.name == "slice_gap")
    assert gap.passed is True


def test_a_group_of_few_lists_is_told_and_not_judged(lists, blessed):
    small = draw(3, size=200)
    checks = judged(small, scores(small, strengths()[1], 3, 1))
    size = small.groups["user_activity", "0"].sum()
    assert 0 < size < GATE.min_slice_lists
    (cold,) = (c for c in checks if c.group == "user activity: 0")
    assert cold.passed is None
    assert f"{size} of at least 50 test lists" in cold.finding


def test_small_groups_rarely_fail_by_chance(lists):
    """Groups that are drawn at random are harmed by nothing: 20 at once, 20 times."""
    better = scores(lists, strengths()[0], 0, 2)
    unjust = 0
    for seed in range(20):
        drawn = np.random.default_rng(seed).integers(20, size=len(better))
        groups = {("random", str(g)): drawn == g for g in range(20)}
        shifted = type(lists)(lists.labels, lists.truth, groups)
        # At the true gain as the floor, half of the means lie below it.
        gain = next(
            c.value for c in judged(lists, better) if c.name == "gain_over_initial"
        )
        gate = GateConfig(resamples=1000, min_slice_gain_over_initial=gain)
        unjust += not all_passed(judged(shifted, better, gate=gate))
    assert unjust <= 2


def test_the_teacher_and_the_artifact_are_bounded_too(lists, blessed):
    near, far = Estimate(0.01, 0.0, 0.02), Estimate(0.05, 0.03, 0.07)
    good = {"teacher_gap": near, "teacher_correlation": Estimate(0.6, 0.5, 0.7)}
    good |= {"latency_ms": 10.0, "artifact_mib": 5.0}
    assert all_passed(judged(lists, blessed, **good))
    for name, bad, failed in (
        ("teacher_gap", far, "teacher_gap"),
        ("teacher_correlation", Estimate(0.3, 0.1, 0.5), "teacher_correlation"),
        ("latency_ms", 201.0, "latency"),
        ("artifact_mib", 600.0, "size"),
    ):
        assert failures(judged(lists, blessed, **(good | {name: bad}))) == {failed}


def test_the_same_lists_always_get_the_same_verdict(lists, blessed):
    assert judged(lists, blessed) == judged(lists, blessed)
