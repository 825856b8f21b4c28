"""What a bundle's file keeps, and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_bundle import LISTS, SIZES, make_bundle

from psad_tf import tensors
from psad_tf.bench.bundle import ITEM_INDEX, RELEVANCE, TENSORS, Bundle
from psad_tf.config import PSADConfig
from psad_tf.data.errors import DataError


def with_column(bundle, split, name, array):
    columns = {**bundle.splits[split], name: array}
    return replace(bundle, splits={**bundle.splits, split: columns})


@pytest.mark.parametrize("simulated", [False, True])
def test_a_file_gives_the_same_numbers_back(tmp_path, simulated):
    bundle = make_bundle(simulated)
    bundle.save(tmp_path / "new" / "bundle.npz")
    loaded = Bundle.load(tmp_path / "new" / "bundle.npz")
    assert (loaded.dataset, loaded.sizes) == (bundle.dataset, bundle.sizes)
    assert loaded.is_simulated == simulated and loaded.eta == bundle.eta
    if simulated:
        np.testing.assert_array_equal(loaded.vectors, bundle.vectors)
    known = {*TENSORS, RELEVANCE, ITEM_INDEX} if simulated else {*TENSORS}
    for split, columns in bundle.splits.items():
        assert loaded.splits[split].keys() == columns.keys() == known
        for name, array in columns.items():
            np.testing.assert_array_equal(loaded.splits[split][name], array)
    assert loaded.fingerprint == bundle.fingerprint


def test_whole_numbers_are_kept_in_as_few_bytes_as_hold_them(tmp_path):
    bundle = make_bundle()
    ids = bundle.splits["train"][tensors.USER_IDS]
    below = np.where(ids == 3, -1, ids)  # -1 must not come back as 255.
    sizes = SIZES | {"user_rows": 100_000}
    bundle = replace(with_column(bundle, "train", "seen", below), sizes=sizes)
    bundle = with_column(bundle, "test", tensors.USER_IDS, np.full((5, 1), 70_000))
    bundle.save(tmp_path / "bundle.npz")
    found = Bundle.load(tmp_path / "bundle.npz").splits
    assert found["train"][tensors.USER_IDS].dtype == np.uint8
    assert found["test"][tensors.USER_IDS].dtype == np.uint32
    assert found["train"][tensors.CANDIDATE_DENSE].dtype == np.float32
    assert (below == -1).any()
    np.testing.assert_array_equal(found["train"]["seen"], below)


def test_sizes_are_those_a_model_asks_for():
    config = PSADConfig.of({**make_bundle().sizes, "slate_length": 4})
    assert (config.list_length, config.item_widths) == (5, (1, 2))


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        (tensors.USER_IDS, "user_rows"),
        (tensors.CANDIDATE_IDS, "item_rows"),
        (tensors.HISTORY_IDS, "item_rows"),
    ],
)
def test_an_id_without_a_row_is_named(name, rows):
    bundle = make_bundle()
    ids = bundle.splits["validation"][name].copy()
    ids.flat[-1] = SIZES[rows] - 1
    with_column(bundle, "validation", name, ids)  # the last row there is
    ids.flat[-1] = SIZES[rows]
    message = f"validation/{name} has id {SIZES[rows]}, but the table has {SIZES[rows]}"
    with pytest.raises(DataError, match=message):
        with_column(bundle, "validation", name, ids)


@pytest.mark.parametrize("lists", [1, 4, 10, 99])
def test_fewer_training_lists_are_the_last_ones(lists):
    bundle = make_bundle(simulated=True)
    found = bundle.with_last(lists)
    kept = min(lists, LISTS["train"])
    for name, array in bundle.splits["train"].items():
        np.testing.assert_array_equal(found.splits["train"][name], array[-kept:])
    for split in ("validation", "test"):
        assert found.splits[split] is bundle.splits[split]
    assert found.eta == bundle.eta and found.vectors is bundle.vectors


def test_a_fingerprint_changes_with_any_number():
    bundle = make_bundle(simulated=True)
    vectors = bundle.vectors.copy()
    vectors[0, 0] += 1e-3
    label = bundle.label("test").copy()
    label[0, 0] = 1 - label[0, 0]
    others = [
        bundle.with_last(9),
        with_column(bundle, "test", tensors.LABEL, label),
        replace(bundle, sizes=SIZES | {"user_rows": 9}),
        replace(bundle, vectors=vectors),
        replace(bundle, eta=0.6),
    ]
    found = [b.fingerprint for b in (bundle, *others)]
    assert len(set(found)) == len(found)
    assert make_bundle(simulated=True).fingerprint == bundle.fingerprint


def test_validity_and_labels_are_those_of_the_split():
    bundle = make_bundle()
    is_valid = bundle.is_valid("test")
    assert is_valid.dtype == bool and is_valid.shape == (5, 5)
    for split, count in LISTS.items():
        expected = bundle.splits[split][tensors.LABEL]
        np.testing.assert_array_equal(bundle.label(split), expected)
        assert len(expected) == count


@pytest.mark.parametrize("content", [None, b"no archive", "array"])
def test_what_is_no_bundle_is_refused_with_the_remedy(tmp_path, content):
    path = tmp_path / "bundle.npz"
    if content == "array":
        np.savez(path, a=np.zeros(1))
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match="bundle.npz is no bundle.*psad bench prepare"):
        Bundle.load(path)
