"""What benches ask: answers that exist, each trial once."""

from dataclasses import MISSING, fields
from itertools import groupby

import pytest

from psad_tf.bench.plans import BASE, BENCHES, DECODINGS, Plan, plan_of
from psad_tf.bench.trial import KINDS, Decoding, Trial
from psad_tf.config import PSADConfig
from psad_tf.errors import ConfigError

SEEDS = (0, 1)


def usual(**changes):
    """The defaults of `PSADConfig` with some values changed."""
    known = {f.name: f.default for f in fields(PSADConfig) if f.default is not MISSING}
    return known | changes


def by_topic(plan):
    topics = groupby(plan.variants, key=lambda v: v.topic)
    return {topic: list(variants) for topic, variants in topics}


@pytest.mark.parametrize("slate", [4, 5, 10])
@pytest.mark.parametrize("bench", BENCHES)
def test_every_answer_is_a_trial_compared_with_one_of_its_topic(bench, slate):
    plan = plan_of(bench, usual(slate_length=slate), SEEDS, splits=("test",))
    assert set(plan.trials) == {v.trial for v in plan.variants}
    for name, trial in plan.trials.items():
        assert name == trial.name and trial.kind in KINDS
        assert trial.seeds == SEEDS and trial.splits == ("test",)
    for topic, variants in by_topic(plan).items():
        names = [v.name for v in variants]
        assert len(names) == len(set(names)) >= 2, topic
        assert {v.reference for v in variants} == {names[0]}, topic


@pytest.mark.parametrize("bench", BENCHES)
def test_branches_that_are_reported_are_branches_of_the_trial(bench):
    plan = plan_of(bench, usual(), SEEDS)
    for variant in plan.variants:
        trial = plan.trials[variant.trial]
        there = {"student"}
        if trial.kind == "psad":
            there |= {d.name for d in trial.decodings}
        assert {branch for branch, _ in variant.branches} <= there, variant


@pytest.mark.parametrize("bench", BENCHES)
def test_every_answer_is_a_configuration_that_can_be(bench):
    """Beside a data set's sizes; what is usual anyway is no change."""
    sizes = {"item_rows": 20, "item_widths": (1,), "item_unknown_ids": (1,)}
    sizes |= {"user_rows": 8, "user_widths": (1,), "user_unknown_ids": (1,)}
    sizes |= {"candidate_dense_size": 1, "history_dense_size": 1}
    sizes |= {"list_length": 10, "history_length": 5}
    for trial in plan_of(bench, usual(), SEEDS).trials.values():
        PSADConfig.of({**usual(), **sizes, **trial.model})
        assert all(v != usual()[k] for k, v in trial.model.items()), trial


def test_trials_of_one_content_have_one_name_in_all_benches():
    trials = [t for b in BENCHES for t in plan_of(b, usual(), SEEDS).trials.values()]
    content = [repr((sorted(t.model.items()), t.kind, t.train_lists)) for t in trials]
    names = {t.name for t in trials}
    # The base, for one, is in all of them.
    assert len(trials) > len(set(content)) == len(names)
    assert len({*zip(content, [t.name for t in trials], strict=True)}) == len(names)


def test_the_studys_references_are_what_is_usual():
    plan = plan_of("study", usual(), SEEDS)
    references = {v.trial for v in plan.variants if v.name == v.reference}
    assert references == {BASE}
    assert plan.trials[BASE].model == {} and plan.trials[BASE].kind == "psad"
    assert plan.trials[BASE].decodings == DECODINGS


def test_where_another_answer_is_usual_the_reference_stays_and_is_a_trial():
    plan = plan_of("study", usual(position="table"), SEEDS)
    relative, table = by_topic(plan)["P"]
    assert relative.reference == table.reference == "2L-1 relative values"
    assert plan.trials[relative.trial].model == {"position": "relative"}
    assert table.trial == BASE


def test_grids_hold_their_numbers_and_leave_out_what_does_not_fit():
    def values(**changes):
        topics = by_topic(plan_of("hyperparameters", usual(**changes), SEEDS))
        return {topic: [v.value for v in found] for topic, found in topics.items()}

    # The usual number comes first: it is what the others are compared with.
    assert values()["block size K"] == [2, 1, 5, 10]
    assert values(slate_length=5)["block size K"] == [2, 1, 5]
    assert values(slate_length=2)["refined slots γ"] == [1, 0, 2]
    # One that is not in the grid is tried, too.
    assert values(temperature=3.0)["temperature τ"] == [3, 0.5, 1, 2, 4]
    plan = plan_of("hyperparameters", usual(), SEEDS)
    for variant in plan.variants:
        model = plan.trials[variant.trial].model
        expected = [] if variant.name == variant.reference else [variant.value]
        assert list(model.values()) == expected, variant


def test_few_training_lists_are_tried_where_they_are_few():
    def trials(**limits):
        plan = plan_of("distillation", usual(), SEEDS, **limits)
        few = [v for v in plan.variants if "training lists" in v.topic]
        assert [v.name for v in few] == ["block, online", "no teacher"] * (
            len(few) // 2
        )
        return [
            (plan.trials[v.trial].kind, plan.trials[v.trial].train_lists) for v in few
        ]

    every = [("psad", 500), ("scorer", 500), ("psad", 2000), ("scorer", 2000)]
    assert trials() == trials(train_lists=30_000) == every
    assert trials(train_lists=5000) == every[:2]
    assert trials(train_lists=1000) == []


def test_all_slots_at_once_are_the_slate():
    plan = plan_of("ablation", usual(slate_length=7), SEEDS)
    trial = {v.name: plan.trials[v.trial].model for v in plan.variants}
    assert trial["w/o sa"] == {"block_size": 7}
    assert trial["w/o sace"] == {"block_size": 7, "refine_size": 0}


def test_the_same_question_again_is_the_same_trial():
    plan = Plan(usual(), SEEDS, train_lists=5)
    first = plan.trial({"block_size": "all slots"})
    assert plan.trial({"block_size": 10}) == first == "block_size-10"
    assert plan.trial({"block_size": 2}) == plan.trial({}) == BASE
    assert plan.trial({}, kind="scorer") == "kind-scorer"
    assert len(plan.trials) == 3
    assert {t.train_lists for t in plan.trials.values()} == {5}


def test_what_does_not_exist_is_refused():
    with pytest.raises(ConfigError, match="trial 'x': kind='student'; it must be one"):
        Trial("x", "student")
    with pytest.raises(ConfigError, match="decoding 'd': evaluator='map'; it must be"):
        Decoding("d", 1, "map")


def test_an_evaluator_is_needed_where_a_decoding_asks_for_one():
    assert not Trial("x").needs_evaluator
    judged = (Decoding(), Decoding("judged", 4, "clicks"))
    assert Trial("x", decodings=judged).needs_evaluator
