"""Makes a process start sooner: for programs, which own their process.

Where jax, matplotlib, pandas, scikit-learn and such are installed, TensorFlow and Keras
import them, to take their values and to wrap models for them, as do Keras Tuner and
NLTK, which come with TFX. No program here asks for that, and it is half of what the
import of TensorFlow costs.
"""

import gc
import sys
from importlib.abc import MetaPathFinder

_HIDDEN = frozenset(
    {"IPython", "googleapiclient", "jax", "matplotlib", "pandas", "sklearn"}
)
_IMPORTERS = ("keras.", "keras_tuner.", "nltk.", "tensorflow.", "tf_keras.")
_JAX_BACKEND = "keras.src.backend.jax"  # which needs it


class _NotForKeras(MetaPathFinder):
    """What is optional to `_IMPORTERS` is not there when they ask for it."""

    def find_spec(self, fullname, path=None, target=None):
        if fullname in _HIDDEN:
            importer = _importer()
            if importer.startswith(_IMPORTERS) and not importer.startswith(
                _JAX_BACKEND
            ):
                raise ModuleNotFoundError(f"{fullname} is hidden", name=fullname)
        return None


def _importer() -> str:
    """The name of the module whose `import` is under way."""
    frame = sys._getframe(2)
    while frame and frame.f_globals.get("__name__", "").startswith("importlib"):
        frame = frame.f_back
    return frame.f_globals.get("__name__", "") if frame else ""


def quick_start() -> None:
    """Call it before anything imports TensorFlow; a second call does nothing."""
    # Imports and the tracing of graphs make objects by the million, and they stay. With
    # Python's own thresholds a fourth of a start goes into looking through them.
    gc.set_threshold(100_000, 10, 10)
    if not any(isinstance(finder, _NotForKeras) for finder in sys.meta_path):
        sys.meta_path.insert(0, _NotForKeras())
