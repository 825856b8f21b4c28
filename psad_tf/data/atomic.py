"""Folders that appear under their name complete, or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psad_tf.data.errors import DataError


@contextmanager
def atomic_folder(target: Path, marker: str) -> Iterator[Path]:
    """A temporary folder beside `target` that takes its name when all went well.

    Args:
        target: The final name. What an earlier run left there is replaced at the end;
            any other content is refused.
        marker: A file that every earlier run has left in `target`.

    Yields:
        The folder to fill.

    Raises:
        DataError: `target` holds something that no earlier run has made.
    """
    target = target.resolve()
    if target.exists() and not _is_replaceable(target, marker):
        raise DataError(
            f"{target} exists and holds no {marker}, so it isn't of an earlier run; "
            "name another folder, or empty it"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    work = tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent)
    folder = Path(work, "new")
    folder.mkdir()
    try:
        yield folder
        if target.exists():
            os.rename(target, Path(work, "old"))
        os.rename(folder, target)
    finally:
        shutil.rmtree(work)


def _is_replaceable(target: Path, marker: str) -> bool:
    return target.is_dir() and ((target / marker).exists() or not any(target.iterdir()))
