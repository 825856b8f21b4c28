"""Runs of the whole pipeline, made once for every test that looks at them."""

import pytest


@pytest.fixture(scope="session")
def first_run(tmp_path_factory):
    """A run on the real MovieLens-100K with a small model."""
    from pipeline_runs import SMALL, run_pipeline

    return run_pipeline(tmp_path_factory.mktemp("pipeline") / "root", SMALL)
