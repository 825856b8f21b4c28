"""From folders of trials to rows: whose figures they are, and what is left out."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_bundle import make_bundle
from written_trials import made_up, write_trials

from psad_tf import tensors
from psad_tf.bench import results
from psad_tf.bench.plans import Plan, Variant
from psad_tf.bench.report_tables import build_tables
from psad_tf.bench.trial import Decoding, Trial

SEEDS = (3, 5)
BUNDLE = make_bundle()
USUAL = {"slate_length": 2, "position": "relative", "block_size": 1}


@pytest.fixture
def asked():
    """Two topics of two answers each: the base, and another one."""
    plan = Plan(USUAL, SEEDS)
    values = {"1": 1, "2": 2}
    plan.ask("P", {"values": {}, "table": {"position": "table"}})
    plan.ask("K", {k: {"block_size": v} for k, v in values.items()}, values)
    return plan


def rows_of(plan, tmp_path, done=None, split="validation"):
    """The rows once some trials (or all) are done."""
    trials = [*plan.trials.values()]
    folders = {t.name: tmp_path / t.name for t in trials}
    done = [t for t in trials if done is None or t.name in done]
    folders |= write_trials(done, BUNDLE, {}, tmp_path)
    return results.of_plan("study", BUNDLE, plan, folders, split)


def test_rows_have_the_figures_of_their_trial_under_its_seeds(asked, tmp_path):
    found = rows_of(asked, tmp_path)
    assert [(r.topic, r.variant, r.reference, r.value) for r in found] == [
        ("P", "values", "values", None),
        ("P", "table", "values", None),
        ("K", "1", "1", 1),
        ("K", "2", "1", 2),
    ]
    for row in found:
        assert row.seeds == SEEDS and row.split == "validation"
        student, teacher = row.per_list["student_ndcg"], row.per_list["teacher_ndcg"]
        np.testing.assert_allclose(student, [[0.3] * 5, [0.5] * 5])
        np.testing.assert_allclose(teacher, student + 0.01)
        # Real clicks: nobody knows the true utility.
        assert {*row.per_list} == {
            f"{branch}_{metric}"
            for branch in ("student", "teacher")
            for metric in ("ndcg", "map")
        }


def test_a_way_to_decode_is_reported_as_the_teacher(tmp_path):
    plan = Plan(USUAL, SEEDS)
    plan.trial({})  # The base, which has all decodings.
    for name, branch in (("greedy", "teacher"), ("beam of 4", "beam")):
        branches = ((branch, "teacher"),)
        plan.variants.append(Variant("decoding", name, "base", "greedy", branches))
    greedy, beam = rows_of(plan, tmp_path)
    expected = made_up(plan.trials["base"], BUNDLE)
    for row, branch in ((greedy, "teacher"), (beam, "beam")):
        assert {*row.per_list} == {"teacher_ndcg", "teacher_map"}
        ndcg = expected[f"validation/{branch}/ndcg"]
        np.testing.assert_array_equal(row.per_list["teacher_ndcg"], ndcg)
    assert (beam.per_list["teacher_ndcg"] > greedy.per_list["teacher_ndcg"]).all()


@pytest.mark.parametrize(
    ("done", "topics"),
    [
        ([], set()),
        (["base"], set()),
        (["position-table"], set()),
        (["base", "position-table"], {"P"}),
        (["block_size-2", "position-table", "base"], {"P", "K"}),
    ],
)
def test_what_has_nothing_to_be_compared_with_is_left_out(
    asked, tmp_path, done, topics
):
    found = rows_of(asked, tmp_path, done)
    assert {r.topic for r in found} == topics
    assert len(found) == 2 * len(topics)


def test_lists_of_unknown_users_are_each_a_users_of_its_own(asked, tmp_path):
    columns = dict(BUNDLE.splits["test"])
    # Id 1 is every unknown user's.
    columns[tensors.USER_IDS] = np.array([[4], [1], [4], [1], [2]], np.uint8)
    columns[tensors.HISTORY_IS_VALID] = np.array(
        [[1, 1, 0], [0, 0, 0], [1, 1, 1], [1, 0, 0], [1, 0, 1]]
    )
    bundle = replace(BUNDLE, splits={**BUNDLE.splits, "test": columns})
    trials = [t.of(splits=("test",)) for t in asked.trials.values()]
    folders = write_trials(trials, bundle, {}, tmp_path)
    for row in results.of_plan("interaction", bundle, asked, folders, "test"):
        user = row.lists["user"]
        assert user[0] == user[2] and len(set(user)) == 4
        assert row.lists["activity"].tolist() == [2, 0, 3, 1, 2]
    rows = results.of_plan("interaction", bundle, asked, folders, "test")
    groups = {t.group: t.lists for t in build_tables(rows) if t.topic == "P"}
    # One of four users is a fifth, rounded: the first one, with two lists.
    assert groups["most active fifth of users"] == 2


PEERS = [
    Trial("psad", decodings=(Decoding(), Decoding("beam", 4)), seeds=SEEDS),
    Trial("scorer", "scorer", seeds=SEEDS),
    Trial("elsewhere", "scorer", seeds=SEEDS),
]


@pytest.fixture
def peers(tmp_path):
    """`of_peers` of two trials, the initial order and LambdaMART under `SEEDS`."""
    folders = write_trials(PEERS, BUNDLE, {}, tmp_path)
    fixed = {"initial order": {"ndcg": np.full((1, 5), 0.125, np.float32)}}
    rival = np.array([[0.25] * 5, [0.75] * 5], np.float32)
    rival = {
        "validation/lambdamart/ndcg": rival,
        "test/lambdamart/ndcg": np.zeros((2, 5), np.float32),
    }

    def rows(references, rival=rival, folders=folders):
        split = "validation"
        return results.of_peers(BUNDLE, folders, fixed, rival, SEEDS, split, references)

    return rows


def test_every_row_is_held_against_each_reference(peers):
    found = peers(("PSAD-S", "initial order", "of another bench"))
    rows = [
        "initial order",
        "LambdaMART",
        "PSAD-S",
        "PSAD-G, greedy",
        "PSAD-G, beam of 4",
        "scorer without a teacher",
    ]
    assert [(r.topic, r.variant) for r in found] == [
        (f"against {reference}", row)
        for reference in ("PSAD-S", "initial order")
        for row in rows
    ]
    by_name = {r.variant: r for r in found}
    assert by_name["initial order"].seeds == ()
    np.testing.assert_array_equal(by_name["initial order"].per_list["ndcg"][0], 0.125)
    np.testing.assert_allclose(
        by_name["scorer without a teacher"].per_list["ndcg"][:, 0], [0.3, 0.5]
    )
    np.testing.assert_array_equal(
        by_name["LambdaMART"].per_list["ndcg"], [[0.25] * 5, [0.75] * 5]
    )


def test_lambdamart_is_paired_with_the_same_seeds(peers):
    (table,) = build_tables(peers(("PSAD-S",)))
    rows = {row.variant: row for row in table.rows}
    paired = rows["LambdaMART"].against["ndcg"]
    # Seed 3: 0.25 against 0.3; seed 5: 0.75 against 0.5.
    np.testing.assert_allclose(paired.over_lists.mean, (-0.05 + 0.25) / 2, atol=1e-6)
    assert rows["LambdaMART"].seeds == SEEDS and not np.isnan(paired.over_seeds.low)


def test_what_is_not_done_yet_has_no_row(peers):
    found = peers(("initial order",), rival={}, folders={})
    assert [r.variant for r in found] == ["initial order"]
    assert peers(("PSAD-S",), folders={}) == []
