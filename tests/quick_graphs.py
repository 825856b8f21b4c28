"""Makes TensorFlow start small graphs quickly, for whoever asks for it.

A graph that runs on a few lists is not worth optimising.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import quick_tensorflow  # noqa: F401
import tensorflow as tf


@contextmanager
def quick_graphs() -> Iterator[None]:
    """Graphs that this process runs inside the block are run as they were traced."""
    _optimise(False)
    try:
        yield
    finally:
        _optimise(True)


def _optimise(is_wanted: bool) -> None:
    tf.config.optimizer.set_experimental_options(
        {"disable_meta_optimizer": not is_wanted}
    )
