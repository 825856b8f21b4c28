"""A model answers its own warm-up requests, or it is said why not."""

import shutil

import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from psad_tf.errors import InputError
from psad_tf.replay import replay
from psad_tf.warmup import WARMUP_FILE


@pytest.fixture
def copy(exported, tmp_path):
    return shutil.copytree(exported.path, tmp_path / "copy")


def test_every_request_is_answered(copy):
    records = list(tf.data.TFRecordDataset(str(copy / WARMUP_FILE)))
    assert replay(copy) == len(records) >= 4


def test_a_half_copied_model_does_not_answer(copy):
    shutil.rmtree(copy / "variables")
    with pytest.raises(InputError, match="does not answer"):
        replay(copy)


def test_a_model_without_requests_is_refused(copy):
    (copy / WARMUP_FILE).unlink()
    with pytest.raises(InputError, match="export the model again"):
        replay(copy)


class Made(tf.Module):
    """Answers every request alike."""

    def __init__(self, score, order):
        super().__init__()
        self.score, self.order = tf.Variable(score), order

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "examples")])
    def answer(self, examples):
        count = tf.shape(examples)[0]
        scores = tf.fill([count, len(self.order)], self.score)
        return {"scores": scores, "order": tf.tile([self.order], [count, 1])}


@pytest.mark.parametrize(
    ("score", "order", "words"),
    [
        (float("nan"), [1, 0, -1], "not finite"),
        (1.0, [1, 1, -1], "which is none"),
        (1.0, [2, 0, -1], "which is none"),
    ],
)
def test_what_is_no_ranking_is_refused(score, order, words, tmp_path):
    made = Made(score, order)
    signatures = {"serving_default": made.answer}
    tf.saved_model.save(made, str(tmp_path), signatures)
    log = prediction_log_pb2.PredictionLog()
    request = log.predict_log.request
    request.model_spec.signature_name = "serving_default"
    request.inputs["examples"].CopyFrom(tf.make_tensor_proto([b"", b""]))
    (tmp_path / WARMUP_FILE).parent.mkdir()
    with tf.io.TFRecordWriter(str(tmp_path / WARMUP_FILE)) as writer:
        writer.write(log.SerializeToString())
    with pytest.raises(InputError, match=words):
        replay(tmp_path)
