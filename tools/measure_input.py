"""Measures the input pipeline alone against training steps, on transformed lists.

psad pipeline run --dataset ad --raw DIR --root ROOT
python tools/measure_input.py --root ROOT --dataset ad
"""

import argparse
import json
import os
import shutil
import tempfile
import time
from pathlib import Path

import keras
import tensorflow_transform as tft

from psad_tf.feature_sets import feature_set
from psad_tf.presets import preset
from psad_tf.sizing import model_config
from psad_tf.training_config import training_config
from psad_tf.training_data import read_lists
from psad_tf.training_distribution import new_model, strategy_of
from psad_tf.training_optimizer import optimizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--copies", type=int, default=20, help="of the training lists")
    parser.add_argument("--steps", type=int, default=20)
    parsed = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(parsed, Path(folder)), indent=1))


def measure(parsed: argparse.Namespace, folder: Path) -> dict:
    """Lists a second: read from files and parsed; from memory; and trained on."""
    outputs = parsed.root / "artifacts" / "Transform"
    graph = latest(outputs / "transform_graph")
    spec = tft.TFTransformOutput(str(graph)).transformed_feature_spec()
    features = feature_set(parsed.dataset)
    config = preset(features.name, "training")
    training = training_config({**config, "epochs": 2, "epoch_steps": parsed.steps}, 0)
    train_files = str(latest(outputs / "transformed_examples") / "Split-train" / "*")
    copies = copied(train_files, folder, parsed.copies)
    batch, seed = training.batch_size, training.seed
    found = {"batch_size": batch, "load_average": round(os.getloadavg()[0], 1)}
    for name, memory in (("files", 1), ("memory", 1 << 30)):
        lists = read_lists([copies], spec, batch, seed, memory)
        found[f"lists_a_second_from_{name}"] = round(
            lists.count / seconds(lists.once())
        )
    keras.utils.set_random_seed(seed)
    sizes = tft.TFTransformOutput(str(graph)).vocabulary_size_by_name
    choices = model_config(features, sizes, preset(features.name, "model"))
    model = new_model(choices, training, strategy_of(training))
    model.compile(optimizer(training, 2 * parsed.steps), jit_compile=False)
    times = EpochTimes()
    steps = parsed.steps
    model.fit(
        lists.parsed(lists.batches()),
        steps_per_epoch=steps,
        epochs=2,
        verbose=0,
        callbacks=[times],
    )
    found["lists_a_second_trained"] = round(batch * steps / times.last)
    return found


def latest(folder: Path) -> Path:
    return max(folder.iterdir(), key=lambda path: int(path.name))


def copied(pattern: str, folder: Path, copies: int) -> str:
    files = sorted(Path(pattern).parent.glob("*"))
    for copy in range(copies):
        for file in files:
            shutil.copy(file, folder / f"{copy:03d}-{file.name}")
    return str(folder / "*.gz")


def seconds(dataset) -> float:
    begin = time.perf_counter()
    for _ in dataset:
        pass
    return time.perf_counter() - begin


class EpochTimes(keras.callbacks.Callback):
    """How long the steps of the last epoch took: the first one traces the graph."""

    def on_epoch_begin(self, epoch, logs=None):
        self._begin = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self.last = time.perf_counter() - self._begin


if __name__ == "__main__":
    main()
