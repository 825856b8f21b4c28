"""The model's and the rerankers' tests, run again on JAX in processes of their own.

These are the quick ones, and of the rerankers those that train, draw, save and load:
`test_same_outputs` compares what they compute. JAX compiles each operation for each
shape, so that all of them take many minutes:

    KERAS_BACKEND=jax pytest tests/reference tests/model tests/baselines
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
RERANKERS = ["baselines/test_contract.py", "-k", "learns or stage or losses or travels"]


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="this is JAX already")
@pytest.mark.parametrize("chosen", [QUICK, RERANKERS], ids=["model", "rerankers"])
def test_the_same_tests_hold_on_jax(chosen):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen],
        cwd=TESTS,
        env=os.environ
        | {"KERAS_BACKEND": "jax", "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-5000:]
    assert " passed" in done.stdout
