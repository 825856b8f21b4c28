"""Brings MovieLens-100K to the user's cache: from the package index, never from us."""

import hashlib
import logging
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import platformdirs

from psad_tf.data.errors import DataError

_log = logging.getLogger(__name__)

_REQUIREMENT = "recbole==1.2.1"
_FOLDER = "recbole/dataset_example/ml-100k"
SHA256 = {
    "ml-100k.inter": "4edb74e2a81178c2ba9ff381495f754f996c4aea351b1272ca36b43da0935eff",
    "ml-100k.user": "4f670007d9cfbeb9807e757209af1555b9bcc186bde25e767f67cb67c6dd5972",
    "ml-100k.item": "51d7cdf777ce5c0f5b32c1d947a4a81fe07d75e78abbe761e0cd4d0756064532",
}
TERMS = """\
MovieLens-100K was collected by the GroupLens Research Project at the University of
Minnesota. Its terms of use: it is for research; acknowledge it in publications
(F. M. Harper and J. A. Konstan, 2015, The MovieLens Datasets: History and Context,
ACM TiiS 5(4), article 19); don't imply endorsement; don't redistribute it without
separate permission; no commercial or revenue-bearing use without permission from a
GroupLens faculty member. GroupLens gives no warranty of any kind."""
_REMEDY = (
    "install pip or allow it to reach a package index; or download MovieLens-100K "
    "from GroupLens yourself and name its folder (u.data, u.user, u.item) with --raw"
)


def movielens_folder() -> Path:
    """The folder of the three files in the user's cache, fetched if need be.

    Returns:
        A folder whose files have the known SHA-256.

    Raises:
        DataError: They could not be fetched, or are not the known ones.
    """
    cache = Path(platformdirs.user_cache_dir("psad-tf"), "movielens_100k")
    cache.mkdir(parents=True, exist_ok=True)
    _show_terms_once(cache / "terms-shown.txt")
    if not all(_is_intact(cache / name) for name in SHA256):
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            _extract(_download(Path(folder)), cache)
    return cache


def _show_terms_once(marker: Path) -> None:
    if not marker.exists():
        print(TERMS, file=sys.stderr)
        marker.write_text(TERMS + "\n", encoding="utf-8")


def _is_intact(path: Path) -> bool:
    if not path.exists():
        return False
    is_intact = hashlib.sha256(path.read_bytes()).hexdigest() == SHA256[path.name]
    if not is_intact:
        _log.warning("%s is damaged; it is fetched again", path)
    return is_intact


def _download(folder: Path) -> Path:
    """Has pip download the wheel; tries the environment's own pip first."""
    arguments = ["download", "--no-deps", "--only-binary", ":all:", "--dest"]
    arguments += [str(folder), _REQUIREMENT]
    failures = []
    for pip in ([sys.executable, "-m", "pip"], ["python3", "-m", "pip"], ["pip"]):
        try:
            done = subprocess.run([*pip, *arguments], capture_output=True, text=True)
        except OSError as error:
            failures.append(f"{' '.join(pip)}: {error}")
            continue
        if done.returncode == 0:
            return next(folder.glob("recbole-*.whl"))
        failures.append(f"{' '.join(pip)}: {done.stderr.strip()[-500:]}")
    tried = "\n".join(failures)
    raise DataError(f"{_REQUIREMENT} could not be fetched:\n{tried}\n{_REMEDY}")


def _extract(wheel: Path, cache: Path) -> None:
    """Puts the wheel's three files into the cache, each whole or not at all."""
    with zipfile.ZipFile(wheel) as archive:
        for name, expected in SHA256.items():
            content = archive.read(f"{_FOLDER}/{name}")
            found = hashlib.sha256(content).hexdigest()
            if found != expected:
                raise DataError(
                    f"{name} of {_REQUIREMENT} has SHA-256 {found}, expected "
                    f"{expected}; the index offers another file: {_REMEDY}"
                )
            whole = wheel.with_name(name)
            whole.write_bytes(content)
            os.replace(whole, cache / name)
