"""Follows the file that says which models are served."""

import logging
import threading

from serving.fault import Fault
from serving.model_config import read_config
from serving.option_error import OptionError
from serving.options import Options
from serving.store import ModelStore

_log = logging.getLogger(__name__)


class ConfigWatch:
    """Reloads a store when its configuration file changes.

    A file that cannot be served is logged, and looked at again when it changes.

    Args:
        store: The models.
        options: The file, and the seconds between two looks at it; 0 for none.
    """

    def __init__(self, store: ModelStore, options: Options):
        self._store = store
        self._path = options.model_config_file
        self._seconds = options.model_config_file_poll_wait_seconds
        self._seen = self._path and self._path.read_bytes()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="config")

    def start(self) -> None:
        """Begins to follow the file, where there is one to follow."""
        if self._path and self._seconds:
            self._thread.start()

    def look(self) -> None:
        """Looks at the file once."""
        try:
            text = self._path.read_bytes()
            if text != self._seen:
                self._seen = text
                self._store.reload(read_config(self._path))
                _log.info("serving what %s says now", self._path)
        except (Fault, OptionError, OSError) as error:
            _log.error("%s changes nothing: %s", self._path, error)

    def _watch(self):
        while not self._store.wait_until_stopped(self._seconds):
            self.look()
