"""What the cache must see: the raw files, and the code behind dotted paths."""

import hashlib
from pathlib import Path

from psad_tf.plugins import folders

CODE = ("psad_tf", "tfx_pipeline", "serving", "schemas")


def folder_fingerprint(folder: Path) -> str:
    """A hash of every file's name and content.

    Raises:
        FileNotFoundError: There is no such folder.
    """
    if not folder.is_dir():
        raise FileNotFoundError(
            f"raw={folder}: no such folder; give the folder that holds the raw files"
        )
    return _digest(folder, sorted(p for p in folder.rglob("*") if p.is_file()))


def code_fingerprint() -> str:
    """A hash of the source files of the project, and of packages with data sets."""
    root = Path(__file__).parent.parent
    own = _sources(root, *(root / name for name in CODE))
    others = [_sources(folder, folder) for folder in folders()]
    return hashlib.sha256("".join([own, *others]).encode()).hexdigest()[:16]


def _sources(root: Path, *inside: Path) -> str:
    files = [path for folder in inside for path in folder.rglob("*")]
    kinds = (".py", ".pbtxt", ".html")
    return _digest(root, sorted(p for p in files if p.suffix in kinds))


def _digest(root: Path, files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(str(file.relative_to(root)).encode() + b"\0")
        with file.open("rb") as content:
            digest.update(hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()[:16]
