"""Who is spared what is optional to them, and that nobody else is."""

import os
import subprocess
import sys

import pytest

OPTIONAL = ("IPython", "jax", "matplotlib", "pandas", "sklearn")


def run(lines: str, backend="tensorflow") -> str:
    """What a new process prints."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{lines}"],
        env={
            **os.environ,
            "KERAS_BACKEND": backend,
            "TF_USE_LEGACY_KERAS": "0",
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize("backend, needs", [("tensorflow", []), ("jax", ["jax"])])
def test_keras_is_imported_without_what_it_does_not_need(backend, needs):
    found = run(
        "from psad_tf.quick_start import quick_start\n"
        "quick_start(); quick_start()\n"
        "import keras\n"
        f"print([n for n in {OPTIONAL} if n in sys.modules])\n"
        "print(float(keras.ops.sum(keras.layers.Dense(2)(keras.ops.zeros((1, 3))))))\n"
        "import pandas\n"
        "print(pandas.DataFrame({'a': [3]})['a'].sum())\n",
        backend,
    )
    assert found.splitlines() == [repr(needs), "0.0", "3"]


ASKS = """
try:
    import pandas
except ImportError as error:
    pandas = error.name
"""


@pytest.mark.parametrize(
    "importer, hidden",
    [
        ("keras.adapters", True),
        ("tf_keras.adapters", True),
        ("tensorflow.adapters", True),
        ("keras.src.backend.jax.core", False),
        ("nltk.classify", True),
        ("keras_tuner.tuners", True),
        ("keras_hub.adapters", False),
        ("beam.adapters", False),
    ],
)
def test_it_is_hidden_from_these_alone(tmp_path, importer, hidden):
    folder = tmp_path
    for name in importer.split(".")[:-1]:
        folder = folder / name
        folder.mkdir()
        (folder / "__init__.py").write_text("")
    (folder / f"{importer.rpartition('.')[2]}.py").write_text(ASKS)
    (tmp_path / "pandas.py").write_text("VALUE = 3\n")
    found = run(
        "from psad_tf.quick_start import quick_start\n"
        "quick_start()\n"
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        f"from {importer} import pandas as found\n"
        "import pandas\n"
        "print(getattr(found, 'VALUE', found), pandas.VALUE)\n"
    )
    assert found.split() == ["pandas" if hidden else "3", "3"]
