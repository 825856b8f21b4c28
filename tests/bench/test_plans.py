"""What benches ask: answers that exist, each trial once."""

from itertools import groupby

import pytest

from psad_tf.bench.plans import BASE, BENCHES, Plan, all_trials, plan_of
from psad_tf.bench.trial import KINDS, Decoding, Trial
from psad_tf.errors import ConfigError

SEEDS = (0, 1)


@pytest.mark.parametrize("slate", [4, 5, 10])
@pytest.mark.parametrize("bench", BENCHES)
def test_every_answer_is_a_trial_compared_with_one_of_its_topic(bench, slate):
    plan = plan_of(bench, slate, SEEDS, splits=("test",))
    assert set(plan.trials) >= {v.trial for v in plan.variants}
    for name, trial in plan.trials.items():
        assert name == trial.name and trial.kind in KINDS
        assert trial.seeds == SEEDS and trial.splits == ("test",)
    for topic, variants in groupby(plan.variants, key=lambda v: v.topic):
        variants = list(variants)
        names = [v.name for v in variants]
        assert len(names) == len(set(names)) >= 2, topic
        assert {v.reference for v in variants} <= set(names), topic


@pytest.mark.parametrize("bench", BENCHES)
def test_branches_that_are_reported_are_branches_of_the_trial(bench):
    plan = plan_of(bench, 10, SEEDS)
    for variant in plan.variants:
        trial = plan.trials[variant.trial]
        there = {"student"}
        if trial.kind == "psad":
            there |= {d.name for d in trial.decodings}
        assert {branch for branch, _ in variant.branches} <= there, variant


def test_no_two_trials_do_the_same_and_no_two_share_a_name():
    trials = list(all_trials(10, SEEDS))
    content = [repr(sorted(t.model.items())) + t.kind for t in trials]
    assert len(set(content)) == len(content) == len({t.name for t in trials})


def test_trials_of_all_benches_are_those_of_each():
    together = {t.name: t for t in all_trials(10, SEEDS)}
    alone = {}
    for bench in BENCHES:
        alone |= plan_of(bench, 10, SEEDS).trials
    assert together == alone


def test_a_topics_defaults_are_the_base():
    plan = plan_of("study", 10, SEEDS)
    references = {v.topic: v.trial for v in plan.variants if v.name == v.reference}
    assert set(references.values()) == {BASE}
    assert plan.trials[BASE].model == {} and plan.trials[BASE].kind == "psad"


def test_grids_hold_their_numbers_and_leave_out_what_does_not_fit():
    def values(slate):
        plan = plan_of("hyperparameters", slate, SEEDS)
        return {
            topic: sorted(v.value for v in variants)
            for topic, variants in groupby(plan.variants, key=lambda v: v.topic)
        }

    assert values(10)["block size K"] == [1, 2, 5, 10]
    assert values(5)["block size K"] == [1, 2, 5]
    assert values(2)["refined slots γ"] == [0, 1, 2]
    changed = plan_of("hyperparameters", 10, SEEDS)
    for variant in changed.variants:
        model = changed.trials[variant.trial].model
        assert list(model.values()) in ([], [variant.value]), variant


def test_all_slots_at_once_are_the_slate():
    plan = plan_of("ablation", 7, SEEDS)
    trial = {v.name: plan.trials[v.trial].model for v in plan.variants}
    assert trial["w/o sa"] == {"block_size": 7}
    assert trial["w/o sace"] == {"block_size": 7, "refine_size": 0}


def test_the_same_question_again_is_the_same_trial():
    plan = Plan(10, SEEDS)
    first = plan.trial({"block_size": "all"})
    assert plan.trial({"block_size": 10}) == first == "block_size-10"
    assert plan.trial({}) == BASE and plan.trial({}, kind="scorer") == "kind-scorer"
    assert plan.trial({"block_size": 11}) == "" and len(plan.trials) == 3


def test_what_does_not_exist_is_refused():
    with pytest.raises(ConfigError, match="trial 'x': kind='student'; it must be one"):
        Trial("x", "student")
    with pytest.raises(ConfigError, match="decoding 'd': evaluator='map'; it must be"):
        Decoding("d", 1, "map")


def test_an_evaluator_is_needed_where_a_decoding_asks_for_one():
    assert not Trial("x").needs_evaluator
    judged = (Decoding(), Decoding("judged", 4, "clicks"))
    assert Trial("x", decodings=judged).needs_evaluator
