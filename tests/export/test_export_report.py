"""The report that every export writes, and the exports that it refuses."""

import json

import numpy as np
import pytest
from export_cases import FEATURES, LISTS

from psad_tf.data.examples import encode_list
from psad_tf.errors import ConfigError
from psad_tf.export_operations import layer_of
from psad_tf.metrics import ndcg
from psad_tf.serving_config import ServingConfig

M, N = FEATURES.list_length, FEATURES.history_length


@pytest.fixture(scope="module")
def validation(exported):
    """The awkward lists, every third candidate clicked."""
    import tensorflow as tf

    from psad_tf.training_data import model_inputs

    raw = tf.io.parse_example([encode_list(x, FEATURES) for x in LISTS], exported.spec)
    labels = np.tile(np.arange(M) % 3 == 1, (len(LISTS), 1)).astype("float32")
    return [(model_inputs(exported.transform(raw)), tf.constant(labels))]


@pytest.fixture(scope="module")
def export(exported):
    """Exports the same model in another way."""
    from psad_tf.export import export_scorer

    def export(path, validation, **choices):
        parts = exported.model.scorer, exported.transform, exported.spec, FEATURES
        serving = ServingConfig(**choices)
        export_scorer(*parts, path, serving=serving, validation=validation)
        return json.loads((path / "assets.extra" / "export_report.json").read_text())

    return export


def test_it_says_what_the_precision_cost(
    export, exported, validation, model_scores, tmp_path
):
    import tensorflow as tf

    choices = {"precision": "int8", "precision_tolerance": 1.0}
    report = export(tmp_path / "int8", validation, **choices)
    ((inputs, labels),) = validation
    is_valid = inputs["candidate_is_valid"].numpy()

    def mean_ndcg(scores):
        return np.mean(ndcg(labels.numpy(), scores, is_valid, k=10))

    loaded = tf.saved_model.load(str(tmp_path / "int8"))
    examples = tf.constant([encode_list(x, FEATURES) for x in LISTS])
    answer = loaded.signatures["serving_default"](examples)["scores"].numpy()
    before = model_scores(LISTS)
    found = report["ndcg_at_10"]
    assert found["lists"] == len(LISTS)
    assert found["float32"] == pytest.approx(mean_ndcg(before))
    assert found["exported"] == pytest.approx(mean_ndcg(answer))
    assert found["difference"] == found["exported"] - found["float32"]
    off = np.abs(before - answer)[is_valid].max()
    assert found["largest_score_difference"] == pytest.approx(off, abs=1e-5)
    assert report["serving"]["precision"] == "int8"
    # A byte a value, a scale for each row of a table and each column of a matrix.
    values = report["weights"]["values"]
    assert values < report["bytes"]["weights"] < 2 * values
    weights = exported.model.scorer.count_params()
    assert report["bytes"]["float32_weights"] == pytest.approx(4 * weights, rel=0.1)


@pytest.mark.parametrize(
    "spoil, message",
    [
        (
            lambda scores: -scores,
            "precision='float16' changes NDCG@10 on 5 validation lists by .* more than "
            "precision_tolerance=0.001; choose another precision or raise",
        ),
        (lambda scores: scores * np.nan, "'float16' gives scores that are no numbers"),
    ],
)
def test_what_costs_too_much_is_not_exported(
    spoil, message, export, validation, tmp_path, monkeypatch
):
    from psad_tf.export_core import ServedScorer

    class Spoilt(ServedScorer):
        def __call__(self, inputs, *more):
            return spoil(super().__call__(inputs, *more))

    monkeypatch.setattr("psad_tf.export.ServedScorer", Spoilt)
    with pytest.raises(ConfigError, match=message):
        export(tmp_path / "model", validation, precision="float16")
    assert not (tmp_path / "model").exists()


def test_reduced_precision_needs_lists_to_measure_it(export, tmp_path):
    message = "precision='float16' without validation lists; give the export some"
    with pytest.raises(ConfigError, match=message):
        export(tmp_path / "model", None, precision="float16")
    assert not (tmp_path / "model").exists()


@pytest.fixture(scope="module")
def report(exported):
    """Of the export that all tests share."""
    path = exported.path / "assets.extra" / "export_report.json"
    return json.loads(path.read_text())


def test_without_lists_float32_says_that_nothing_was_measured(report):
    assert report["ndcg_at_10"] is None


def test_all_weights_are_the_scorers_and_tables_alone_are_variables(exported, report):
    scorer = exported.model.scorer
    assert report["weights"] == {
        "count": len(scorer.weights),
        "values": scorer.count_params(),
        "variables": 2,  # the tables of items and of users
    }
    assert report["bytes"]["weights"] == report["bytes"]["float32_weights"]


def test_the_last_layer_computes_candidates_alone(exported, report):
    layers = report["operations"]["layers"]
    last = exported.model.config.num_layers - 1
    block = f"scorer/list_encoder/encoder/block_{last}"
    for name in ("mix", "ffn_in", "ffn_out"):
        assert layers[f"{block}/{name}"]["rows"] == [M]
    # Queries, keys and values in one product; then each head has its rows.
    assert layers[block]["rows"] == [M, *[exported.model.config.num_heads * M] * 2]
    # Of the past items keys and values alone, for all layers in one product.
    assert layers["scorer/list_encoder/encoder"]["rows"] == [N]
    assert layers["scorer/scoring_network/hidden"]["rows"] == [M]


def test_what_concerns_the_user_is_done_once_a_list(report):
    layers = report["operations"]["layers"]
    # The gate's three products of the profile are one; the items' are its own layers'.
    assert layers["scorer/list_encoder/gate"]["rows"] == [1]
    assert layers["scorer/list_encoder/encoder/user_part"]["rows"] == [1]
    of_user = [name for name in layers if "user" in name or "profile" in name]
    assert {tuple(layers[name]["rows"]) for name in of_user} == {(1,)}


def test_operations_are_counted_by_kind(exported, report):
    found, c = report["operations"], exported.model.config
    head = found["layers"]["scorer/scoring_network/hidden"]
    assert head["multiply_adds"] == M * c.hidden_dim * c.hidden_dim
    total = sum(layer["multiply_adds"] for layer in found["layers"].values())
    assert found["multiply_adds"] == total
    kinds = found["kinds"]
    products = sum(len(layer["rows"]) for layer in found["layers"].values())
    assert kinds["MatMul"] + kinds["BatchMatMulV2"] == products
    # One attention in each layer, and nothing that training alone needs.
    assert kinds["Softmax"] == c.num_layers
    assert not any("Random" in kind for kind in kinds)


def test_the_graphs_numbers_are_no_part_of_a_layers_name():
    names = {"scorer", "block_0", "block_1", "query"}
    assert layer_of("scorer_1/block_1/query_3/Tensordot/MatMul_1", names) == (
        "scorer/block_1/query"
    )
    assert layer_of("scorer/block_0_1/MatMul", names) == "scorer/block_0"
