"""The Trainer's entry point: it goes on where a killed run of it stopped."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from fitted_transform import FEATURES, training_lists, write_records
from tensorflow_metadata.proto.v0 import schema_pb2
from tensorflow_transform.tf_metadata import schema_utils
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.utils import io_utils

from psad_tf import training
from schemas import schema_path
from tfx_pipeline import train, trainer

MODEL = {"hidden_dim": 8, "embedding_dim": 4, "num_layers": 1, "beam_width": 1}
TRAINING = {"epochs": 2, "batch_size": 2}


class PowerCut(BaseException):
    """Nothing that anybody catches."""


@pytest.fixture
def transformed(transform_output, tmp_path):
    """A folder as Transform leaves it; both splits have the same three lists."""
    layer = transform_output.transform_features_layer()
    schema = io_utils.parse_pbtxt_file(
        str(schema_path(FEATURES.name)), schema_pb2.Schema()
    )
    raw = schema_utils.schema_as_feature_spec(schema).feature_spec
    file = write_records(tmp_path / "raw", training_lists())
    records = list(tf.data.TFRecordDataset(str(file)).as_numpy_iterator())
    found = layer(tf.io.parse_example(records, raw))
    for split in ("train", "validation"):
        folder = tmp_path / "lists" / f"Split-{split}"
        folder.mkdir(parents=True)
        with tf.io.TFRecordWriter(str(folder / "part.gz"), "GZIP") as writer:
            for i in range(len(records)):
                example = {name: value[i].numpy() for name, value in found.items()}
                writer.write(as_example(example).SerializeToString())
    return tmp_path / "lists"


def as_example(values):
    example = tf.train.Example()
    for name, value in values.items():
        feature, value = example.features.feature[name], np.asarray(value)
        kinds = {"i": feature.int64_list, "f": feature.float_list}
        out = kinds.get(value.dtype.kind, feature.bytes_list)
        out.value.extend(value.ravel().tolist())
    return example


@pytest.fixture
def epochs_begun(monkeypatch):
    begun = []

    class Counting(training.Progress):
        def on_epoch_begin(self, epoch, logs=None):
            super().on_epoch_begin(epoch, logs)
            begun.append(epoch)
            if begun == [0, 1]:
                raise PowerCut

    monkeypatch.setattr(training, "Progress", Counting)
    return begun


def test_a_run_goes_on_where_a_killed_one_stopped(
    transformed, transform_output, tmp_path, monkeypatch, epochs_begun, eager
):
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"model": MODEL, "training": TRAINING}))
    paths = {
        "lists": transformed,
        "transform": transform_output.transform_savedmodel_dir + "/..",
        "out": tmp_path / "out",
        "config": config,
    }
    line = [word for k, v in paths.items() for word in (f"--{k}", str(v))]
    with pytest.raises(PowerCut):
        train.main(line)
    export, backup = trainer.export_scorer, tmp_path / "out" / "backup"
    assert len(list(backup.glob("*/backup.npz"))) == 1

    def cut(*args, **kwargs):
        raise PowerCut

    monkeypatch.setattr(trainer, "export_scorer", cut)
    with pytest.raises(PowerCut):
        train.main(line)
    # The training was done; only what follows is left.
    assert epochs_begun == [0, 1, 1]
    monkeypatch.setattr(trainer, "export_scorer", export)
    tf.config.run_functions_eagerly(False)
    assert train.main(line) == 0
    assert epochs_begun == [0, 1, 1]
    assert not backup.exists()
    logs = tmp_path / "out" / "run" / "logs"
    history = json.loads((logs / "history.json").read_text())
    assert len(history["loss"]) == TRAINING["epochs"]
    branches = json.loads((logs / "branches.json").read_text())
    assert branches["student_ndcg_at_10"] == max(history["val_ndcg_at_10"])
    # What the gate learns of the teacher, list by list.
    with np.load(logs / "teacher.npz") as by_list:
        assert set(by_list) == {"student", "teacher", "initial", "correlation"}
        assert by_list["teacher"].shape == (3,)
        assert by_list["teacher"].mean() == branches["teacher_ndcg_at_10"]
        assert (np.abs(by_list["correlation"]) <= 1).all()
    assert (tmp_path / "out" / "model" / "saved_model.pb").exists()
    loaded = keras.models.load_model(logs / trainer.WEIGHTS_FILE)
    assert loaded.config.hidden_dim == MODEL["hidden_dim"]


def test_a_backup_is_of_these_settings_this_code_and_these_lists(tmp_path):
    def folder(run=1, settings="s", code="c", data="d"):
        fn_args = FnArgs(
            model_run_dir=str(tmp_path / "Trainer" / "model_run" / str(run)),
            custom_config={"settings": settings, "code": code},
        )
        return trainer.backup_folder(fn_args, data)

    assert folder(run=2) == folder(run=1)
    assert folder().parent == tmp_path / "Trainer" / "backup"
    others = {folder(settings="t"), folder(code="e"), folder(data="f")}
    assert len(others | {folder()}) == 4


def test_bad_settings_are_told_without_a_traceback(tmp_path, capsys):
    config = tmp_path / "config.json"
    config.write_text('{"training": {"precision": "int8"}}')
    line = ["--lists", "a", "--transform", "b", "--out", str(tmp_path)]
    assert train.main([*line, "--config", str(config)]) == 3
    assert "precision='int8' must be one of" in capsys.readouterr().err
