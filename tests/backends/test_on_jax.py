"""The model's tests, run again on JAX in a process of its own.

These are the quick ones. JAX compiles each operation for each shape, so that all of
them take minutes:

    KERAS_BACKEND=jax pytest tests/reference tests/model
"""

import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

TESTS = Path(__file__).parents[1]
MODEL = "attention generator losses masking targets user_profile_network".split()
REFERENCE = "encoder_equations generator_equations loss_equations whole_model".split()
QUICK = [f"model/test_{name}.py" for name in MODEL]
QUICK += [f"reference/test_{name}.py" for name in REFERENCE]


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="this is JAX already")
def test_equations_and_where_gradients_stop_hold_on_jax():
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *QUICK],
        cwd=TESTS,
        env=os.environ
        | {"KERAS_BACKEND": "jax", "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-5000:]
