"""The model's and the rerankers' tests, run again on JAX in a process of its own.

These are the quick ones, and of the rerankers those that train and draw; one
is saved, too. `test_same_outputs` loads them all and compares what they compute. JAX
compiles each operation for each shape, so that all of them take many minutes:

    KERAS_BACKEND=jax pytest tests/reference tests/model tests/baselines
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from backend_tools import IS_JAX, JAX_ENVIRONMENT

TESTS = Path(__file__).parents[1]
MODEL = "attention fused_attention generator losses masking targets".split()
MODEL += ["user_profile_network"]
REFERENCE = "encoder_equations generator_equations loss_equations whole_model".split()
RERANKERS = "it_learns_what_is_easy_to_learn a_stage_trains_its_parts_alone".split()
QUICK = [f"model/test_{name}.py" for name in MODEL]
QUICK += [f"reference/test_{name}.py" for name in REFERENCE]
QUICK += [f"baselines/test_contract.py::test_{name}" for name in RERANKERS]
QUICK += ["baselines/test_contract.py::test_configuration_travels[egrerank]"]


@pytest.mark.skipif(IS_JAX, reason="this is JAX already")
def test_the_same_tests_hold_on_jax():
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *QUICK],
        cwd=TESTS,
        env=os.environ | JAX_ENVIRONMENT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-5000:]
    assert " passed" in done.stdout
