"""What the report needs TensorFlow for: reading TFRecords, asking the SavedModel."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

BATCH = 256
SIGNATURE = "serving_default"


def read_serialized(folder: Path) -> list[bytes]:
    """All examples of a split, in an order that does not depend on its shards.

    Args:
        folder: A folder of gzipped TFRecords.

    Raises:
        FileNotFoundError: The folder holds no file.
    """
    files = sorted(str(p) for p in Path(folder).glob("[!._]*") if p.is_file())
    if not files:
        raise FileNotFoundError(
            f"{folder}: no TFRecord here; give a split's folder as ExampleGen wrote it"
        )
    return sorted(tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator())


def served_order(model: Path, serialized: Sequence[bytes]) -> np.ndarray:
    """The order in which clients of a model would get each list.

    Args:
        model: A SavedModel's folder.
        serialized: One `tf.train.Example` a list; what only training has is ignored.

    Returns:
        int32 `[lists, list]`: candidates from the best down, -1 past the list's end.
    """
    loaded = tf.saved_model.load(str(model))
    rank = loaded.signatures[SIGNATURE]
    starts = range(0, len(serialized), BATCH)
    batches = [tf.constant(serialized[i : i + BATCH]) for i in starts]
    return np.concatenate([rank(examples=b)["order"].numpy() for b in batches])
