"""The tests of what only JAX runs, in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

HERE = Path(__file__).parent
NAMES = ("many_seeds", "run", "branches", "efficiency", "roofline")
FILES = [HERE / f"test_{name}.py" for name in NAMES]


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="this is JAX already")
def test_trials_hold_on_jax():
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *FILES],
        cwd=HERE.parent,
        # Compiled once and run once: JAX had better not optimise for long.
        env=os.environ
        | {"KERAS_BACKEND": "jax", "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert "skipped" not in done.stdout
