"""Publishes a served version anew again and again, so that a server must reload."""

import asyncio
import shutil
from pathlib import Path

from psad_tf.errors import InputError
from serving.version import ready_folders

_KEPT = 2  # the newest, and the one that a server may still be serving


class Republisher:
    """Copies the newest version under the next number, and deletes its own old ones.

    Args:
        base: The folder of versions; None publishes nothing.
        seconds: Between two publications.

    Attributes:
        published: The numbers, in order.

    Raises:
        InputError: The folder holds no version.
    """

    def __init__(self, base: Path | None, seconds: float):
        self._base, self._seconds = base, seconds
        self.published: list[int] = []
        self._deleted = 0
        if base is not None and not (base.is_dir() and ready_folders(base)):
            raise InputError(
                f"--republish={base}: no version there; give the folder of versions "
                "that the server reads"
            )

    async def run(self) -> None:
        """Publishes until cancelled."""
        while self._base is not None:
            await asyncio.sleep(self._seconds)
            await asyncio.to_thread(self.publish)

    def publish(self) -> None:
        """One more version, by a rename; versions that were there before all stay."""
        folders = ready_folders(self._base)
        number = max(folders) + 1
        hidden = self._base / f".soak-{number}"
        shutil.copytree(folders[number - 1], hidden)
        hidden.rename(self._base / str(number))
        self.published.append(number)
        for old in self.published[self._deleted : -_KEPT]:
            gone = self._base / f".soak-{old}"
            (self._base / str(old)).rename(gone)  # no server sees half of it
            shutil.rmtree(gone)
            self._deleted += 1
