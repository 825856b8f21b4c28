"""Test lists as the gate reads them: the request a client would send, and the rest."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from psad_tf.cold_start import Vocabulary, cold_start_slices, group_of
from psad_tf.data.messages import Example
from psad_tf.features import LABEL, REQUEST_ID, FeatureSet


@dataclass(frozen=True)
class StoredList:
    """One test list.

    Args:
        request_id: Its name.
        request: A `tf.train.Example` without what only stored lists have.
        labels: One a candidate, in the initial order.
        groups: Partition to the label of the group it belongs to.
    """

    request_id: str
    request: bytes
    labels: tuple[float, ...]
    groups: Mapping[str, str]


class ListReader:
    """Reads stored lists.

    Args:
        features: The data set's features.
        known: What the model knows, by raw name.
    """

    def __init__(self, features: FeatureSet, known: Mapping[str, Vocabulary]):
        self._names = [name for name, _ in features.raw()]
        self._left_out = features.training_only()
        self._known = known
        self.partitions = (*features.slices, *cold_start_slices(features))

    def __call__(self, serialized: bytes) -> StoredList:
        """One list from its bytes."""
        example = Example.FromString(serialized)
        stored = example.features.feature
        labels = tuple(stored[LABEL].float_list.value)
        (request_id,) = stored[REQUEST_ID].bytes_list.value
        for name in self._left_out:
            stored.pop(name, None)
        # What a list has none of is missing.
        values = {n: _values(stored[n]) if n in stored else [] for n in self._names}
        groups = {p.name: group_of(p, values, self._known) for p in self.partitions}
        request = example.SerializeToString(deterministic=True)
        return StoredList(request_id.decode(), request, labels, groups)


def _values(feature) -> list:
    kind = feature.WhichOneof("kind")
    return list(getattr(feature, kind).value) if kind else []


def split_files(folder: str | Path) -> list[str]:
    """The TFRecord files of a split, in order of their names.

    Raises:
        FileNotFoundError: There is none.
    """
    files = sorted(str(p) for p in Path(folder).glob("[!._]*") if p.is_file())
    if not files:
        raise FileNotFoundError(
            f"{folder}: no TFRecord here; give a split's folder as ExampleGen wrote it"
        )
    return files
