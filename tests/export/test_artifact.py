"""The artifact as a thing to ship: what is in it, and that it needs nothing else."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
from export_cases import FEATURES, LISTS, SIGNATURES, inputs_of
from stored_arrays import stored_arrays, times_stored

from psad_tf import __version__
from psad_tf.warmup import WARMUP_FILE

ALONE = """
import json, sys

# None makes every import of the name fail.
for name in ("tfx", "tensorflow_transform", "keras", "tf_keras", "psad_tf"):
    sys.modules[name] = None
import tensorflow as tf

examples = [bytes.fromhex(line) for line in sys.stdin.read().split()]
score = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
print(json.dumps(score(examples=tf.constant(examples))["scores"].numpy().tolist()))
"""


def test_every_weight_of_the_scorer_is_stored_once_and_nothing_else(exported):
    variables, constants = stored_arrays(exported.path)
    weights = exported.model.scorer.weights
    tables = [w for w in weights if w.path.endswith("table/embeddings")]
    assert len(tables) == len(variables) == 2
    assert {times_stored(table, variables) for table in tables} == {1}
    assert not any(times_stored(table, constants) for table in tables)
    others = [w for w in weights if not any(w is table for table in tables)]
    assert {times_stored(weight, constants) for weight in others} == {1}


def test_no_weight_of_the_teacher_is_stored(exported):
    variables, constants = stored_arrays(exported.path)
    teacher = exported.model.decoder.weights
    assert len(teacher) > 10
    stored = variables + constants
    assert not any(times_stored(weight, stored) for weight in teacher)


def test_it_answers_where_neither_keras_nor_tfx_can_be_imported(exported, model_scores):
    (examples,) = inputs_of("serving_default", LISTS).values()
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(exported.path)],
        input="\n".join(one.hex() for one in examples),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found, expected = np.array(json.loads(done.stdout)), model_scores(LISTS)
    for i, one in enumerate(LISTS):
        n = len(one.candidates)
        np.testing.assert_allclose(found[i, :n], expected[i, :n], atol=1e-5)


def test_a_moved_artifact_finds_its_vocabularies(exported, tmp_path, ask):
    import tensorflow as tf

    moved = shutil.copytree(exported.path, tmp_path / "elsewhere")
    names = {p.name for p in (moved / "assets").iterdir()}
    assert names == {
        f"vocabulary_{f.name}" for f in FEATURES.user + FEATURES.item if f.kind.is_text
    }
    for name in names:  # what the copy says must decide, not the original
        (moved / "assets" / name).write_text("nothing\n")
    signature = tf.saved_model.load(str(moved)).signatures["rank"]
    given = {k: tf.constant(v) for k, v in inputs_of("rank", LISTS).items()}
    difference = signature(**given)["scores"].numpy() - ask("rank", LISTS)["scores"]
    assert np.abs(difference).max() > 1e-3


def test_warm_up_asks_every_signature_about_the_largest_and_a_smallest_list(
    exported, loaded
):
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    sizes = {name: [] for name in SIGNATURES}
    for record in tf.data.TFRecordDataset(str(exported.path / WARMUP_FILE)):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        request = log.predict_log.request
        given = {k: tf.constant(tf.make_ndarray(v)) for k, v in request.inputs.items()}
        name = request.model_spec.signature_name
        answer = loaded.signatures[name](**given)
        sizes[name].append(int((answer["order"].numpy() >= 0).sum()))
    assert sizes == {name: [FEATURES.list_length, 1] for name in SIGNATURES}


def test_the_artifact_says_what_it_is(exported):
    described = json.loads((exported.path / "assets.extra" / "psad.json").read_text())
    assert described == {
        "version": __version__,
        "dataset": FEATURES.name,
        "note": "tiny",
    }


def test_the_embedded_server_serves_it_with_the_same_scores(
    exported, tmp_path, monkeypatch, model_scores
):
    from serving.client import RerankClient
    from serving.launch import running_server

    monkeypatch.setenv("PATH", os.path.dirname(sys.executable))  # no real binary
    shutil.copytree(exported.path, tmp_path / "7")
    expected = model_scores(LISTS)
    with running_server(tmp_path, features=FEATURES) as target:
        for name in SIGNATURES:
            with RerankClient(target, FEATURES, signature=name, timeout=30) as client:
                answers = client.rerank_batch(LISTS)
            for one, answer, scores in zip(LISTS, answers, expected, strict=True):
                assert answer.model_version == 7
                assert sorted(answer.order) == list(range(len(one.candidates)))
                np.testing.assert_allclose(
                    answer.scores, scores[list(answer.order)], atol=1e-5
                )
