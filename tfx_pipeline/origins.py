"""What the next run needs of a pushed version: weights, vocabularies, statistics.

It lies beside the versions, in `origins/<version>/`, where servers do not look; a
SavedModel does not load as a model that could be trained on. What is kept goes when its
version is pruned; the origin of one that was rolled back stays and is not used.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from psad_tf.data.atomic import atomic_folder
from tfx_pipeline.model_store import versions
from tfx_pipeline.store_versions import retired

ORIGINS, ORIGIN_FILE = "origins", "origin.json"
WEIGHTS_FILE = "psad.keras"
VOCABULARIES, STATISTICS, VERDICT = "vocabularies", "statistics", "data_gate.json"


@dataclass(frozen=True)
class Origin:
    """Where a version came from.

    Args:
        version: The version.
        folder: Holds `WEIGHTS_FILE`, `VOCABULARIES`, `STATISTICS` and `VERDICT`.
        spans: The spans that it learned from, such as `3,4`; empty where there are
            none.
    """

    version: int
    folder: Path
    spans: str


def newest_span(spans: str) -> int:
    """The last of `3,4`."""
    return max(int(span) for span in spans.split(","))


def last_origin(store: str | Path, spans: str) -> Origin | None:
    """The origin of what clients get now, as a run on these spans may use it.

    A run on spans never begins from a version that has learned from its newest span or
    a later one: run again, for late data, it is compared with the span before.

    Args:
        store: The model store.
        spans: Of the run; empty where there are none.

    Returns:
        The newest there is; None where there is none.
    """
    for version in reversed(versions(store)):
        folder = Path(store, ORIGINS, str(version))
        if not (folder / ORIGIN_FILE).is_file():
            continue
        found = json.loads((folder / ORIGIN_FILE).read_text(encoding="utf-8"))["spans"]
        if spans and found and newest_span(found) >= newest_span(spans):
            continue
        return Origin(version, folder, found)
    return None


def keep_origin(
    store: str | Path,
    version: int,
    spans: str,
    *,
    weights: Path,
    transform: Path,
    statistics: Path,
    verdict: Path,
) -> Path:
    """Keeps the origin of a version, and drops those of versions that are gone.

    Args:
        store: The model store.
        version: The version.
        spans: That it learned from; empty where there are none.
        weights: The file of the trained model.
        transform: The transform's graph.
        statistics: StatisticsGen's folder.
        verdict: The data gate's file.

    Returns:
        The folder; one that is there already stays as it is.
    """
    everything = Path(store, ORIGINS)
    folder = everything / str(version)
    if not (folder / ORIGIN_FILE).is_file():
        with atomic_folder(folder, ORIGIN_FILE) as new:
            shutil.copy(weights, new / WEIGHTS_FILE)
            (new / VOCABULARIES).mkdir()
            for file in vocabulary_files(transform):
                shutil.copy(file, new / VOCABULARIES / file.name)
            shutil.copytree(statistics, new / STATISTICS)
            shutil.copy(verdict, new / VERDICT)
            content = json.dumps({"version": version, "spans": spans})
            (new / ORIGIN_FILE).write_text(content + "\n", encoding="utf-8")
    known = {str(v) for v in (*versions(store), *retired(store))}
    for other in everything.iterdir():
        if other.name.isdigit() and other.name not in known:
            shutil.rmtree(other)
    return folder


def vocabulary_files(transform: Path) -> list[Path]:
    """The vocabularies of a transform's graph, one value a line, by id."""
    return sorted(Path(transform, "transform_fn", "assets").glob("vocabulary_*"))
