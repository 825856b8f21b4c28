"""Runs of the whole pipeline, made once for every test that looks at them."""

import pytest


@pytest.fixture(scope="session")
def first_run(tmp_path_factory):
    """A run on the real MovieLens-100K with a small model."""
    from pipeline_runs import SMALL, run_pipeline

    return run_pipeline(tmp_path_factory.mktemp("pipeline") / "root", SMALL)


@pytest.fixture(scope="session")
def lists(first_run):
    """Split → the lists of the first run, decoded from what ExampleGen wrote."""
    from pipeline_runs import serialized

    from psad_tf.data.examples import decode_list
    from psad_tf.data.windows import SPLITS
    from psad_tf.feature_sets import MOVIELENS_100K

    return {
        split: [decode_list(x, MOVIELENS_100K) for x in serialized(first_run, split)]
        for split in SPLITS
    }
