"""The signatures that are there when asked for: ids for text, and a user apart."""

import json
from contextlib import contextmanager

import grpc
import numpy as np
import pytest
from export_cases import FEATURES, LISTS
from fitted_transform import export_tiny
from in_session import InSession

from psad_tf.data.examples import encode_list
from psad_tf.data.packing import pack_lists
from psad_tf.errors import ConfigError
from psad_tf.list_matrix import ListMatrix
from psad_tf.serving_config import ServingConfig
from serving.fault import Fault
from serving.graph_run import GraphRun


@pytest.fixture(scope="module")
def extra(transform_output, tmp_path_factory):
    path = tmp_path_factory.mktemp("extra") / "model"
    names = ("rank_tensors", "rank_matrix", "user_side")
    serving = ServingConfig(extra_signatures=names)
    return export_tiny(transform_output, path, serving=serving)


@pytest.fixture(scope="module")
def signatures(extra):
    import tensorflow as tf

    loaded = tf.saved_model.load(str(extra.path))

    def ask(name, **inputs):
        given = {k: tf.constant(v) for k, v in inputs.items()}
        return {k: v.numpy() for k, v in loaded.signatures[name](**given).items()}

    ask.keep = loaded
    return ask


@pytest.fixture(scope="module")
def packed():
    return pack_lists(LISTS, FEATURES)


@pytest.fixture(scope="module")
def as_tensors(extra):
    """LISTS as `rank_tensors` takes them."""
    import tensorflow as tf

    from psad_tf.training_data import model_inputs

    encoded = [encode_list(x, FEATURES) for x in LISTS]
    inputs = model_inputs(extra.transform(tf.io.parse_example(encoded, extra.spec)))
    found = {"user_ids": inputs["user_ids"].numpy().astype(np.int32)}
    for place in ("candidate", "history"):
        is_valid = inputs[f"{place}_is_valid"].numpy()
        found[f"{place}_ids"] = inputs[f"{place}_ids"].numpy().astype(np.int32)
        found[f"{place}_dense"] = inputs[f"{place}_dense"].numpy()
        found[f"{place}_count"] = is_valid.sum(1).astype(np.int32)
    return found


@pytest.fixture(scope="module")
def layout(extra):
    """The columns of `rank_matrix`, as a client finds them beside the model."""
    content = (extra.path / "assets.extra" / "psad.json").read_text()
    return ListMatrix(**json.loads(content)["rank_matrix"])


@pytest.fixture(scope="module", params=[False, True], ids=["alone", "batched"])
def compiled(request, transform_output, tmp_path_factory):
    """Signatures compiled, asked in a session, as a model server asks them."""
    path = tmp_path_factory.mktemp("compiled_extra") / "model"
    serving = ServingConfig(
        xla=True,
        batch_sizes=(1, 4),
        batching=request.param,
        extra_signatures=("rank_tensors", "rank_matrix"),
    )
    model = InSession(export_tiny(transform_output, path, serving=serving).path)
    run = GraphRun(model.session)

    def ask(name, **inputs):
        signature = model.signatures[name]
        feeds = {signature.inputs[k].name: v for k, v in inputs.items()}
        return run({k: info.name for k, info in signature.outputs.items()}, feeds)

    return ask


@contextmanager
def refused(message):
    """What a server answers INVALID_ARGUMENT to, with this message."""
    with pytest.raises(Fault, match=message) as caught:
        yield
    assert caught.value.code is grpc.StatusCode.INVALID_ARGUMENT


def part(packed, *places):
    return {k: v for k, v in packed.items() if k.split("_")[0] in places}


def test_tensors_rank_as_text_does(signatures, packed, as_tensors):
    expected = signatures("rank", **packed)
    answer = signatures("rank_tensors", **as_tensors)
    np.testing.assert_allclose(answer["scores"], expected["scores"], atol=1e-6)
    np.testing.assert_array_equal(answer["order"], expected["order"])


def test_tensors_may_be_narrower_than_the_model(signatures, as_tensors):
    narrow = {k: v[1:2] for k, v in as_tensors.items()}  # 3 candidates, 1 past item
    expected = signatures("rank_tensors", **narrow)
    for place, width in (("candidate", 3), ("history", 1)):
        for name in (f"{place}_ids", f"{place}_dense"):
            narrow[name] = narrow[name][:, :width]
    answer = signatures("rank_tensors", **narrow)
    np.testing.assert_allclose(answer["scores"], expected["scores"], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("candidate_ids", lambda x: x - 10_000, "candidate_ids has an id that is not"),
        ("history_ids", lambda x: x + 10_000, "history_ids has an id that is not"),
        ("candidate_count", lambda x: x + 1, "candidate_count is negative or exceeds"),
        ("history_dense", lambda x: x[:, :3], "history_dense and history_ids differ"),
    ],
)
def test_tensors_that_cannot_be_meant_are_refused(
    signatures, as_tensors, name, change, message
):
    import tensorflow as tf

    given = as_tensors | {name: change(as_tensors[name])}
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        signatures("rank_tensors", **given)


def test_compiled_any_number_of_lists_rank_alike(
    signatures, compiled, as_tensors, layout
):
    expected = signatures("rank_tensors", **as_tensors)
    # None; one size, filled up to one; five and nine, filled up to multiples of four.
    for count in (0, 1, 3, 5, 9):
        chosen = np.resize(np.arange(len(LISTS)), count)
        given = {k: v[chosen] for k, v in as_tensors.items()}
        for answer in (
            compiled("rank_tensors", **given),
            compiled("rank_matrix", matrix=layout.fill(given)),
        ):
            for name, values in expected.items():
                np.testing.assert_allclose(answer[name], values[chosen], atol=1e-4)


@pytest.mark.parametrize("bad", [-1, 1 << 30])
def test_compiled_an_id_that_is_none_is_refused_all_the_same(
    bad, compiled, as_tensors, layout
):
    for name in ("user_ids", "candidate_ids", "history_ids"):
        changed = as_tensors[name].copy()
        changed.flat[-1] = bad
        with refused(f"{name} has an id"):
            compiled("rank_tensors", **(as_tensors | {name: changed}))
        matrix = layout.fill(as_tensors)
        end = np.cumsum([*layout.sizes.values()])[[*layout.sizes].index(name)]
        matrix[0, end - 1] = bad
        with refused(f"{name} has an id"):
            compiled("rank_matrix", matrix=matrix)
    counts = as_tensors["candidate_count"] + 100
    with refused("candidate_count"):
        compiled("rank_tensors", **(as_tensors | {"candidate_count": counts}))


def test_a_matrix_ranks_as_its_tensors_do(signatures, as_tensors, layout):
    expected = signatures("rank_tensors", **as_tensors)
    answer = signatures("rank_matrix", matrix=layout.fill(as_tensors))
    np.testing.assert_allclose(answer["scores"], expected["scores"], atol=1e-6)
    np.testing.assert_array_equal(answer["order"], expected["order"])


def test_more_items_than_a_matrix_holds_are_refused(
    signatures, compiled, as_tensors, layout
):
    import tensorflow as tf

    matrix = layout.fill(as_tensors)
    matrix[0, -1] = layout.history_length + 1
    with pytest.raises(tf.errors.InvalidArgumentError, match="history_count"):
        signatures("rank_matrix", matrix=matrix)
    with refused("history_count"):
        compiled("rank_matrix", matrix=matrix)


def test_a_matrix_of_other_columns_is_refused(compiled, as_tensors, layout):
    matrix = layout.fill(as_tensors)
    for columns in (matrix[:, :-1], np.pad(matrix, ((0, 0), (0, 1)))):
        named = f"must_have_{layout.width}_columns"
        with refused(named):
            compiled("rank_matrix", matrix=columns)


def test_a_users_side_serves_other_candidates(signatures, packed):
    side = signatures("user_side", **part(packed, "user", "history"))["user_side"]
    # Each user gets the candidates of the list before.
    moved = {k: np.roll(v, 1, axis=0) for k, v in part(packed, "candidate").items()}
    expected = signatures("rank", **{**packed, **moved})
    answer = signatures("rank_with_user_side", user_side=side, **moved)
    np.testing.assert_allclose(answer["scores"], expected["scores"], atol=1e-5)
    np.testing.assert_array_equal(answer["order"], expected["order"])


def test_a_side_of_another_model_is_refused(signatures, packed):
    import tensorflow as tf

    side = signatures("user_side", **part(packed, "user", "history"))["user_side"]
    side[1, 0] += 1
    with pytest.raises(tf.errors.InvalidArgumentError, match="another version"):
        signatures("rank_with_user_side", user_side=side, **part(packed, "candidate"))


def test_all_of_them_are_warmed_up(extra):
    from psad_tf.replay import replay

    # One width and size, and the smallest list, of each of six signatures.
    assert replay(extra.path) == 2 * 6


def test_encoded_history_has_no_side_to_export():
    from model_cases import tiny

    from psad_tf.export_core import ServedScorer
    from psad_tf.export_user_side import PackedUserSide
    from psad_tf.layers.scorer import Scorer

    scorer = Scorer(tiny(history="encoded", list_length=20, history_length=50))
    scorer.build()
    served = ServedScorer(scorer, FEATURES, ServingConfig())
    with pytest.raises(ConfigError, match="extra_signatures has 'user_side'"):
        PackedUserSide(served)
