"""What the data gate counts in stored lists, some thousand at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from psad_tf.features import INITIAL_SCORE, ITEM_ID, LABEL, FeatureSet
from tfx_pipeline.data_gate.found import ListFacts
from tfx_pipeline.gate.stored import split_files

BATCH = 2048
_IDS, _SCORES = f"candidate_{ITEM_ID}", f"candidate_{INITIAL_SCORE}"


@dataclass(frozen=True)
class Columns:
    """Some lists, one behind the other.

    Args:
        lengths: Candidates of each list, int `[lists]`.
        labels: float `[candidates]`.
        ids: bytes `[candidates]`.
        scores: float `[candidates]`; None where there are none.
    """

    lengths: np.ndarray
    labels: np.ndarray
    ids: np.ndarray
    scores: np.ndarray | None


def list_facts(train: str, test: str, features: FeatureSet) -> ListFacts:
    """Reads training and test lists once.

    Args:
        train: The folder of the training lists.
        test: The folder of the test lists.
        features: The data set's.
    """
    lists = candidates = flat = several = 0
    rates, known = 0.0, set()
    for part in read_columns(train, features):
        lists += len(part.lengths)
        candidates += int(part.lengths.sum())
        rates += float((_sums(part.labels > 0, part.lengths) / part.lengths).sum())
        known.update(np.unique(part.ids).tolist())
        several += int((part.lengths > 1).sum())
        if part.scores is not None:
            flat += flat_lists(part.scores, part.lengths)
    has_scores = _has_scores(features)
    return ListFacts(
        lists,
        candidates / lists,
        rates / lists,
        flat / max(several, 1) if has_scores else None,
        _unknown_share(test, features, known),
    )


def _unknown_share(test: str, features: FeatureSet, known: set[bytes]) -> float:
    unknown = offered = 0
    for part in read_columns(test, features):
        ids, counts = np.unique(part.ids, return_counts=True)
        is_new = np.array([one not in known for one in ids.tolist()], bool)
        unknown += int(counts[is_new].sum())
        offered += int(counts.sum())
    return unknown / max(offered, 1)


def flat_lists(scores: np.ndarray, lengths: np.ndarray) -> int:
    """How many lists of two candidates and more have one score for all of them.

    Args:
        scores: float `[candidates]`.
        lengths: int `[lists]`.
    """
    starts = np.cumsum(lengths) - lengths
    low = np.minimum.reduceat(scores, starts)
    high = np.maximum.reduceat(scores, starts)
    return int(((lengths > 1) & (low == high)).sum())


def read_columns(split: str, features: FeatureSet) -> Iterator[Columns]:
    """The columns that are counted, of all lists that have a candidate."""
    spec = {
        LABEL: tf.io.RaggedFeature(tf.float32),
        _IDS: tf.io.RaggedFeature(tf.string),
    }
    if _has_scores(features):
        spec[_SCORES] = tf.io.RaggedFeature(tf.float32)
    records = tf.data.TFRecordDataset(split_files(split), "GZIP").batch(BATCH)
    for batch in records:
        parsed = tf.io.parse_example(batch, spec)
        lengths = parsed[_IDS].row_lengths().numpy()
        scores = parsed[_SCORES].flat_values.numpy() if _SCORES in spec else None
        labels = parsed[LABEL].flat_values.numpy()
        yield Columns(
            lengths[lengths > 0], labels, parsed[_IDS].flat_values.numpy(), scores
        )


def _sums(values: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Sums over each list, `[lists]`."""
    return np.add.reduceat(values.astype(float), np.cumsum(lengths) - lengths)


def _has_scores(features: FeatureSet) -> bool:
    return any(f.name == INITIAL_SCORE for f in features.of_candidates())


def split_folder(examples: Path | str, name: str) -> str:
    """The folder of a split of an `Examples` artifact."""
    return str(Path(examples, f"Split-{name}"))
