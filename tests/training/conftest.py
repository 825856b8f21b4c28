"""Lists to train on, and steps that run as plain Python."""

import pytest


@pytest.fixture
def lists(tmp_path):
    """Numbers of lists, batch size, seed, ... -> `Lists`."""
    from training_cases import SPEC, make_list, write_shards

    from psad_tf.training_data import MEMORY, read_lists

    def make(numbers, batch_size=8, seed=None, shards=2, dense=None, memory=MEMORY):
        folder = tmp_path / f"lists-{len(list(tmp_path.iterdir()))}"
        records = [make_list(number, dense) for number in numbers]
        files = write_shards(folder, records, shards)
        return read_lists(files, SPEC, batch_size, seed, memory)

    return make


@pytest.fixture
def eager():
    """Steps run as plain Python: tracing them takes longer than these few."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)
