"""Spans: numbered folders of raw logs, one a day or so, and the window of a run.

    RAW/span-1/...    RAW/span-2/...    RAW/span-3/...

A run on span 3 with a window of 2 reads spans 2 and 3, as if their files had been
delivered together. What a span's files say is known by their fingerprint: files that
came late change it, and the window is read anew.
"""

import re
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from psad_tf.data.atomic import atomic_folder
from psad_tf.data.errors import DataError
from psad_tf.data.logs.source import LogSource
from psad_tf.data.prepared import write_json
from psad_tf.data.sources import source
from psad_tf.errors import ConfigError
from tfx_pipeline.fingerprint import folder_fingerprint

WINDOWS, WINDOW_FILE = "windows", "window.json"  # under the pipeline's root
_NAME = re.compile(r"span-(\d+)")


@dataclass(frozen=True)
class Window:
    """The raw logs of one run.

    Args:
        spans: The spans that are read, oldest first.
        repeats: A span that was left out to the span that holds the very same files.
        fingerprints: Of each span in the window.
        raw: The folder to read.
    """

    spans: tuple[int, ...]
    repeats: dict[int, int]
    fingerprints: dict[int, str]
    raw: Path

    def names(self) -> str:
        """The spans as artifacts name them: `2,3`."""
        return ",".join(map(str, self.spans))


def window(raw: Path, span: int, width: int, dataset: str, root: Path) -> Window:
    """Finds the spans of a run, and puts their files into one folder.

    A span that holds the very same files as an earlier one of the window was delivered
    twice: it is read once.

    Args:
        raw: The folder of `span-N` folders.
        span: The newest one that is read.
        width: How many spans, counted back from there; those that are not there yet,
            before the first, are none.
        dataset: The data set's name.
        root: The pipeline's root; gets the folder of a window of several spans.

    Raises:
        ConfigError: `width` is below 1, or the data set's files cannot be put together.
        DataError: The span is missing, or one between the first and it.
    """
    if width < 1:
        raise ConfigError(f"window={width}; give 1 or more spans")
    known = spans_in(raw)
    first = max(span - width + 1, min(known, default=0))
    wanted = range(first, span + 1)
    missing = [n for n in wanted if n not in known]
    if missing or span not in known:
        raise DataError(
            f"{raw}: no span-{missing[0] if missing else span}; there are "
            f"{_listed(known)}; deliver it, or choose another --span or --window"
        )
    prints = {n: folder_fingerprint(known[n]) for n in wanted}
    earliest = {}
    for number, found in prints.items():
        earliest.setdefault(found, number)
    repeats = {n: earliest[p] for n, p in prints.items() if earliest[p] != n}
    spans = tuple(n for n in wanted if n not in repeats)
    folder = known[spans[0]]
    if len(spans) > 1:
        chosen = {n: known[n] for n in spans}
        folder = _together(chosen, prints, dataset, Path(root, WINDOWS))
    return Window(spans, repeats, prints, folder)


def spans_in(raw: Path) -> dict[int, Path]:
    """Number to folder of each span, oldest first."""
    named = ((_NAME.fullmatch(p.name), p) for p in Path(raw).iterdir() if p.is_dir())
    found = {int(match[1]): folder for match, folder in named if match}
    return dict(sorted(found.items()))


def _listed(known: dict[int, Path]) -> str:
    return ", ".join(folder.name for folder in known.values()) or "none"


def _together(
    spans: dict[int, Path], prints: dict[int, str], dataset: str, windows: Path
) -> Path:
    """A folder with links to the files of all spans, under names that sort by span."""
    known = source(dataset)
    if not isinstance(known, LogSource):
        raise ConfigError(
            f"window={len(spans)}: {dataset} is not built from raw logs, whose files "
            "can be put together; choose --window 1"
        )
    patterns = [p for table in known.reader.tables.values() for p in table.patterns]
    target = windows / f"spans-{min(spans)}-{max(spans)}"
    with atomic_folder(target, WINDOW_FILE) as folder:
        for number, place in spans.items():
            for file in sorted(p for p in place.iterdir() if p.is_file()):
                pattern = next((p for p in patterns if fnmatch(file.name, p)), None)
                # What no table reads is as little read here as in a span alone.
                if pattern is not None:
                    name = name_in_window(file.name, pattern, number)
                    (folder / name).symlink_to(file.resolve())
        read = {str(n): found for n, found in prints.items() if n in spans}
        write_json(folder / WINDOW_FILE, {"spans": read})
    return target


def name_in_window(name: str, pattern: str, span: int) -> str:
    """A file's name beside the like-named files of other spans.

    >>> name_in_window("raw_sample.csv.gz", "raw_sample.csv*", 2)
    'raw_sample.csv.span-000002.gz'
    >>> name_in_window("set1.train.txt.part1", "set*.train.txt.part*", 12)
    'set.span-000012.1.train.txt.part1'

    Raises:
        ConfigError: The pattern allows of one name alone.
    """
    start, star, _ = pattern.partition("*")
    if not star:
        raise ConfigError(
            f"window: the files {pattern!r} can have no other name, so that those of "
            "several spans cannot stand together; choose --window 1"
        )
    rest = name.removeprefix(start).lstrip(".")
    return ".".join(part for part in (start, f"span-{span:06d}", rest) if part)
