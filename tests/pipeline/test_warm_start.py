"""A warm start gives a new model what the old one knew of each value."""

import json

import keras
import numpy as np
import pytest

from psad_tf import tensors
from psad_tf.feature_sets import CLICK_WORLD_5 as FEATURES
from psad_tf.id_space import vocabulary_name
from psad_tf.model import build_psad
from psad_tf.sizing import model_config
from tfx_pipeline.carry_over import read_vocabularies, row_sources
from tfx_pipeline.origins import VOCABULARIES, WEIGHTS_FILE, vocabulary_files
from tfx_pipeline.warm_start import START_FILE, begin, start_of

as_numpy = keras.ops.convert_to_numpy
SIZES = {"hidden_dim": 8, "embedding_dim": 4, "num_layers": 1, "slate_length": 5}
SIZES |= {"block_size": 5, "refine_size": 0}


def write_vocabularies(folder, values):
    """Each text feature's: its own name, then the given values."""
    folder.mkdir(parents=True)
    for feature in (*FEATURES.user, *FEATURES.item):
        if feature.kind.is_text:
            named = [f"{feature.name} {value}" for value in values]
            (folder / vocabulary_name(feature)).write_text("\n".join(named) + "\n")


def model_of(files, seed, **sizes):
    known = read_vocabularies(files)
    config = model_config(FEATURES, lambda n: len(known[n]), SIZES | sizes)
    keras.utils.set_random_seed(seed)
    model = build_psad(config)
    random = np.random.default_rng(seed)
    for weight in model.trainable_weights:
        weight.assign_add(random.normal(size=weight.shape, scale=0.5))
    return model


@pytest.fixture(scope="module")
def transform(tmp_path_factory):
    """The new transform: other ids, and a new value, `d`."""
    folder = tmp_path_factory.mktemp("new")
    write_vocabularies(folder / "transform_fn" / "assets", "cdab")
    return folder


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """The last blessed model with its vocabularies, as `WarmStart` emits them."""
    folder = tmp_path_factory.mktemp("base")
    write_vocabularies(folder / VOCABULARIES, "abc")
    model_of((folder / VOCABULARIES).iterdir(), 1).save(folder / WEIGHTS_FILE)
    (folder / START_FILE).write_text(json.dumps({"version": "17", "cold": ""}))
    return folder


@pytest.fixture(scope="module")
def old(base):
    return keras.saving.load_model(base / WEIGHTS_FILE, compile=False)


def lists_for(model, seed=0):
    """Random lists in a model's ids, as the scorer takes them."""
    c, random, lists = model.config, np.random.default_rng(seed), 3
    m, n = c.list_length, c.history_length

    def ids(rows, *shape):
        return random.integers(1, rows, (lists, *shape))

    def dense(*shape):
        return random.normal(size=(lists, *shape)).astype("float32")

    return {
        tensors.USER_IDS: ids(c.user_rows, sum(c.user_widths)),
        tensors.CANDIDATE_IDS: ids(c.item_rows, m, sum(c.item_widths)),
        tensors.CANDIDATE_DENSE: dense(m, c.candidate_dense_size),
        tensors.CANDIDATE_IS_VALID: np.ones((lists, m), bool),
        tensors.HISTORY_IDS: ids(c.item_rows, n, sum(c.item_widths)),
        tensors.HISTORY_DENSE: dense(n, c.history_dense_size),
        tensors.HISTORY_IS_VALID: np.ones((lists, n), bool),
    }


def test_the_new_model_scores_as_the_old_one_did(transform, base, old):
    new = model_of(vocabulary_files(transform), 2)
    inputs = lists_for(new)
    # The same lists in the old ids; what is new was unknown then.
    vocabularies = [
        read_vocabularies(files)
        for files in (vocabulary_files(transform), (base / VOCABULARIES).iterdir())
    ]
    item = row_sources(FEATURES.item, *vocabularies).sources
    user = row_sources(FEATURES.user, *vocabularies).sources
    sources = {
        tensors.USER_IDS: user,
        tensors.CANDIDATE_IDS: item,
        tensors.HISTORY_IDS: item,
    }
    before = {k: sources[k][v] if k in sources else v for k, v in inputs.items()}
    wanted = as_numpy(old.scorer(before))
    assert not np.allclose(as_numpy(new.scorer(inputs)), wanted, atol=1e-2)
    start = begin(new, str(base), str(transform), FEATURES)
    np.testing.assert_allclose(as_numpy(new.scorer(inputs)), wanted, atol=1e-5)
    texts = sum(f.kind.is_text for f in FEATURES.user)
    assert start["version"] == "17" and start["cold"] == ""
    assert (start["known"]["user"], start["new"]["user"]) == (3 * texts, texts)


def test_the_teacher_comes_along(transform, base, old):
    new = model_of(vocabulary_files(transform), 2)
    begin(new, str(base), str(transform), FEATURES)
    pairs = zip(new.decoder.weights, old.decoder.weights, strict=True)
    for mine, before in pairs:
        np.testing.assert_array_equal(
            as_numpy(mine), as_numpy(before), err_msg=mine.path
        )


@pytest.mark.parametrize(
    "sizes, why",
    [
        ({"hidden_dim": 16}, "has the shape"),
        (
            {"item_table": "quotient_remainder", "item_table_remainder": 2},
            "composed tables belong to no value",
        ),
    ],
)
def test_a_model_of_other_shapes_stays_as_it_is(transform, base, sizes, why):
    new = model_of(vocabulary_files(transform), 2, **sizes)
    before = [as_numpy(w) for w in new.weights]
    start = begin(new, str(base), str(transform), FEATURES)
    assert start["version"] is None
    assert "weights of version 17 do not fit" in start["cold"] and why in start["cold"]
    for mine, kept in zip(new.weights, before, strict=True):
        np.testing.assert_array_equal(as_numpy(mine), kept)


@pytest.mark.parametrize("name", [None, "nowhere"])
def test_without_a_base_it_is_a_cold_start(tmp_path, name):
    base = str(tmp_path / name) if name else None
    assert start_of(base) == {"version": None, "cold": "none was asked for"}
    assert begin(None, base, "", FEATURES) == start_of(base)
