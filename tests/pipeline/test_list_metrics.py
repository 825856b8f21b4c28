"""The gate's metrics: those of `psad_tf.metrics`, wired into TFMA."""

import json
from dataclasses import replace

import numpy as np
import pytest
import quick_beam  # noqa: F401
import tensorflow_model_analysis as tfma
from fitted_transform import FEATURES, USER, A, B, C, past_item, write_records
from tensorflow_model_analysis.metrics import metric_types
from tensorflow_model_analysis.proto import config_pb2

from psad_tf import metrics
from psad_tf.data.ranking_list import RankingList
from psad_tf.feature_sets import MOVIELENS_100K
from psad_tf.features import LABEL
from tfx_pipeline.evaluation import (
    GAIN_METRIC,
    GATE_METRIC,
    custom_extractors,
    eval_config,
)
from tfx_pipeline.list_metrics import MEASURES, ListMetric

PAD = -1.7e38
# Labels of each list, and its scores with the padding of the served signature.
LISTS = [
    ([0, 1, 0], [0.3, 0.2, 0.1, PAD]),  # the click in second place
    ([1, 0, 1, 1], [0.9, 0.8, 0.7, 0.6]),
    ([0, 0], [0.5, 0.5, PAD, PAD]),  # no click
    ([0, 1], [0.5, 0.5, PAD, PAD]),  # a tie keeps the initial order
    ([0, 0, 1], [0.1, 0.2, 0.9, PAD]),  # from third place to the first
    ([1], [-2.0, PAD, PAD, PAD]),
]


def computation_of(**arguments):
    (computation,) = ListMetric(**arguments).computations(
        eval_config=config_pb2.EvalConfig(), model_names=[""]
    )
    return computation


def value_of(computation, labels, scores):
    """What the combiner is given of one list."""
    extracts = {
        tfma.LABELS_KEY: np.array(labels, float),
        tfma.PREDICTIONS_KEY: np.array(scores),
        tfma.EXAMPLE_WEIGHTS_KEY: np.array([1.0]),
    }
    (preprocessor,) = computation.preprocessors
    (value,) = preprocessor.process(extracts)
    return value


def measured(lists, parts=1, **arguments):
    """The metric over lists, accumulated in some parts that are merged."""
    computation = computation_of(**arguments)
    combiner = computation.combiner
    accumulators = [combiner.create_accumulator() for _ in range(parts)]
    for i, (labels, scores) in enumerate(lists):
        part = i % parts
        value = value_of(computation, labels, scores)
        accumulators[part] = combiner.add_input(accumulators[part], value)
    merged = combiner.merge_accumulators(accumulators)
    (value,) = combiner.extract_output(merged).values()
    return value


def test_hand_worked_values():
    second = 1 / np.log2(3)  # the only click, in second place
    assert measured(LISTS[:1], measure="ndcg", top_k=10) == pytest.approx(second)
    # Clicks in places 1, 3, 4: (1 + 2/3) / 2 of those in the top 3, / 3 of all.
    assert measured(LISTS[1:2], measure="map", top_k=3) == pytest.approx(5 / 6)
    by_relevant = measured(LISTS[1:2], measure="map_by_relevant", top_k=3)
    assert by_relevant == pytest.approx(5 / 9)
    assert measured(LISTS[2:3]) == 0
    assert measured([LISTS[0], LISTS[2]]) == pytest.approx(second / 2)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("k", [1, 2, 10])
def test_it_is_the_mean_of_the_projects_own_metric(measure, k):
    length = 4
    labels = np.array([x + [0] * (length - len(x)) for x, _ in LISTS], float)
    scores = np.array([x for _, x in LISTS])
    is_valid = np.arange(length) < np.array([len(x) for x, _ in LISTS])[:, None]
    expected = MEASURES[measure](labels, scores, is_valid, k=k).mean()
    assert measured(LISTS, measure=measure, top_k=k) == pytest.approx(expected)


@pytest.mark.parametrize("parts", [2, 5, 9])
def test_merged_accumulators_weigh_every_list_the_same(parts):
    assert measured(LISTS, parts) == pytest.approx(measured(LISTS))


def test_the_gain_is_that_over_the_initial_order():
    # A click from third place to the first: 1 - 1 / log2 4.
    assert measured(LISTS[4:5], over_initial=True) == pytest.approx(0.5)
    for unmoved in (LISTS[0], LISTS[1], LISTS[3]):
        assert measured([unmoved], over_initial=True) == 0
    worse = [([1, 0], [0.1, 0.2, PAD])]
    expected = 1 / np.log2(3) - 1
    assert measured(worse, over_initial=True) == pytest.approx(expected)


def test_tfmas_own_ndcg_agrees_where_a_list_has_a_click():
    (computation,) = tfma.metrics.NDCG("gain", top_k_list=[2]).computations(
        eval_config=config_pb2.EvalConfig(), query_key="query", sub_keys=[]
    )
    combiner = computation.combiner
    random = np.random.default_rng(0)
    for n in (2, 3, 7):
        labels = (np.arange(n) == 1) | (random.random(n) < 0.3)
        scores = random.permutation(n).astype(float)
        element = metric_types.StandardMetricInputs(
            labels=labels.astype(float),
            predictions=scores,
            features={"gain": labels.astype(float), "query": np.array(["q"] * n)},
        )
        total = combiner.add_input(combiner.create_accumulator(), element)
        (theirs,) = combiner.extract_output(total).values()
        ours = measured([(labels, scores)], measure="ndcg", top_k=2)
        assert ours == pytest.approx(float(theirs)), n


def test_no_list_has_no_value_and_a_nan_score_is_no_order():
    assert np.isnan(measured([]))
    assert np.isnan(measured([*LISTS, ([0, 1], [np.nan, 0.0])]))
    # In the padding it counts for nothing.
    assert measured([([0, 1], [0.0, 1.0, np.nan])]) == 1


def test_an_unknown_measure_is_named():
    with pytest.raises(ValueError, match="'mrr'.*ndcg, map"):
        ListMetric(measure="mrr")


def test_tfma_measures_and_decides_nothing():
    (spec,) = eval_config(MOVIELENS_100K).metrics_specs
    names = {json.loads(m.config)["name"] for m in spec.metrics}
    assert {GATE_METRIC, GAIN_METRIC, "map_by_relevant_at_5"} <= names
    # A point estimate is no ground to bless a model on.
    for message in (spec, *spec.metrics):
        assert not message.per_slice_thresholds
    assert not any(m.HasField("threshold") for m in spec.metrics)


PAST = past_item("b", "War", 1950.0, 3.0)


def labelled():
    """Lists that differ in their groups: past items, activity, age, what is known."""
    old = {**USER, "user_age": 60.0, "user_rating_count": 150.0}
    young = {**USER, "user_age": 20.0, "user_rating_count": 3.0}
    young |= {"user_id": "u2", "user_occupation": "lawyer"}
    return [
        RankingList(USER, [A, B, C], [], [0.0, 1.0, 0.0], "r0", 1),
        RankingList(old, [C, B, A], [PAST], [0.0, 0.0, 1.0], "r1", 2),
        RankingList(young, [B, A], [PAST] * 7, [0.0, 1.0], "r2", 3),
        RankingList(old, [A, C], [PAST] * 7, [1.0, 0.0], "r3", 4),
    ]


@pytest.fixture(scope="module")
def evaluated(exported, tmp_path_factory):
    """Slice key -> metric name -> value, of `labelled` by the exported model."""
    import apache_beam as beam
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2
    from tfx_bsl.public import tfxio

    from schemas import schema_path

    folder = tmp_path_factory.mktemp("evaluated")
    file = write_records(folder / "lists", labelled())
    config = eval_config(FEATURES)
    config.options.compute_confidence_intervals.value = False
    schema = text_format.Parse(
        schema_path(FEATURES.name).read_text(), schema_pb2.Schema()
    )
    source = tfxio.TFExampleRecord(
        str(file), schema=schema, raw_record_column_name=tfma.ARROW_INPUT_COLUMN
    )
    model = tfma.default_eval_shared_model(str(exported.path), eval_config=config)
    extractors = custom_extractors(model, config, source.TensorAdapterConfig())
    with beam.Pipeline(argv=["--runner=FnApiRunner"]) as pipeline:
        (
            pipeline
            | source.BeamSource()
            | tfma.ExtractEvaluateAndWriteResults(
                eval_config=config,
                eval_shared_model=model,
                extractors=extractors,
                output_path=str(folder / "out"),
                schema=schema,
            )
        )
    result = tfma.load_eval_result(str(folder / "out"))
    return {
        key: {name: value["doubleValue"] for name, value in values[""][""].items()}
        for key, values in result.slicing_metrics
    }


def own_ndcg(exported, lists):
    import tensorflow as tf

    from psad_tf.data.examples import encode_list

    requests = [encode_list(replace(x, labels=None), FEATURES) for x in lists]
    signature = tf.saved_model.load(str(exported.path)).signatures["serving_default"]
    scores = signature(examples=tf.constant(requests))["scores"].numpy()
    values = []
    for one, row in zip(lists, scores, strict=True):
        labels = np.array([one.labels])
        everywhere = np.ones(labels.shape, bool)
        values.append(metrics.ndcg(labels, row[None, : labels.size], everywhere, k=10))
    return np.ravel(values)


def test_every_list_is_in_its_groups_and_measured_as_served(evaluated, exported):
    ndcg = own_ndcg(exported, labelled())
    groups = {
        (): [0, 1, 2, 3],
        (("slice_history_length", "0"),): [0],
        (("slice_history_length", "1-4"),): [1],
        (("slice_history_length", "5-19"),): [2, 3],
        (("slice_user_activity", "0"),): [0],
        (("slice_user_activity", "1-19"),): [2],
        (("slice_user_activity", "100+"),): [1, 3],
        (("slice_age_group", "0-24"),): [2],
        (("slice_age_group", "25-34"),): [0],
        (("slice_age_group", "50+"),): [1, 3],
        # The transform knows items a and b, and the profile of USER.
        (("slice_user", "known"),): [0, 1, 3],
        (("slice_user", "unknown"),): [2],
        (("slice_profile", "known"),): [0, 1, 3],
        (("slice_profile", "unknown"),): [2],
        (("slice_past_items", "0"),): [0],
        (("slice_past_items", "1+"),): [1, 2, 3],
        (("slice_items", "known"),): [2],
        (("slice_items", "over 10% new"),): [0, 1, 3],
    }
    assert set(evaluated) == set(groups)
    for key, members in groups.items():
        expected = ndcg[members].mean()
        assert evaluated[key][GATE_METRIC] == pytest.approx(expected, abs=1e-6), key


def test_the_gain_is_over_the_order_of_the_request(evaluated, exported):
    initial = [1 / np.log2(3), 0.5, 1 / np.log2(3), 1.0]  # the click's first place
    expected = own_ndcg(exported, labelled()).mean() - np.mean(initial)
    assert evaluated[()][GAIN_METRIC] == pytest.approx(expected, abs=1e-6)
    assert LABEL not in evaluated[()]
