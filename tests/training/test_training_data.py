"""Which lists come when: every one once a pass, in an order that the seed decides."""

import gzip

import numpy as np
import pytest
import tensorflow as tf
from training_cases import SPEC, M, write_shards

from psad_tf import tensors
from psad_tf.training_data import read_lists

# Room for a list or so: 21 lists are streamed, a few at a time.
LITTLE = 2_000


def numbers_of(dataset):
    """The lists' numbers, a row a batch."""
    return [x[tensors.CANDIDATE_DENSE][:, 0, 0].numpy().tolist() for x, *_ in dataset]


def flat(rows):
    return [value for row in rows for value in row]


def passes(lists, first_step, steps):
    return numbers_of(lists.parsed(lists.batches(first_step).take(steps)))


@pytest.mark.parametrize("memory", [1 << 20, LITTLE])
def test_no_list_is_lost_and_the_last_batch_is_kept(lists, memory):
    found = lists(range(21), batch_size=8, memory=memory)
    assert (found.kept is None) == (memory == LITTLE)
    assert (found.count, found.steps) == (21, 3)
    batches = numbers_of(found.once())
    assert [len(batch) for batch in batches] == [8, 8, 5]
    assert sorted(flat(batches)) == list(range(21))


@pytest.mark.parametrize("memory", [1 << 20, LITTLE])
def test_shuffled_anew_each_pass_every_list_comes_once(lists, memory):
    found = lists(range(21), seed=3, memory=memory)
    six = passes(found, 0, 6)
    first, second = flat(six[:3]), flat(six[3:])
    assert sorted(first) == sorted(second) == list(range(21))
    assert first != second
    assert first != sorted(first)
    again = lists(range(21), seed=3, memory=memory)
    assert passes(again, 0, 6) == six
    assert passes(lists(range(21), seed=4, memory=memory), 0, 6) != six


@pytest.mark.parametrize("memory", [1 << 20, LITTLE])
def test_what_a_step_gets_does_not_depend_on_where_one_began(lists, memory):
    found = lists(range(21), seed=3, memory=memory)
    whole = passes(found, 0, 9)
    tf.random.set_seed(17)  # nor on anybody else's random numbers
    for first in (1, 3, 5, 8):
        assert passes(found, first, 9 - first) == whole[first:]


def test_the_number_of_shards_does_not_change_the_order(lists):
    for seed in (None, 3):
        one = lists(range(21), seed=seed, shards=1)
        five = lists(range(21), seed=seed, shards=5)
        assert passes(one, 0, 6) == passes(five, 0, 6)


def test_the_order_of_features_in_a_record_does_not_matter(lists, tmp_path):
    def turned(record):
        features = tf.train.Example.FromString(record).features.feature
        parts = [tf.train.Features(feature={name: features[name]}) for name in features]
        # Messages one after the other are one with all their fields.
        examples = [tf.train.Example(features=part) for part in sorted(parts, key=str)]
        return b"".join(one.SerializeToString() for one in reversed(examples))

    one = lists(range(21), seed=3)
    records = [turned(record) for record in one.kept]
    assert not set(records) & set(one.kept)
    files = write_shards(tmp_path / "turned", records)
    other = read_lists(files, SPEC, 8, seed=3)
    assert other.fingerprint == one.fingerprint
    assert passes(other, 0, 6) == passes(one, 0, 6)


def test_streamed_lists_of_several_files_are_mixed(lists):
    found = lists(range(40), seed=3, shards=4, memory=10_000, batch_size=10)
    first = np.array(numbers_of(found.once())[0]).astype(int)
    # Files hold the numbers by remainder; a batch has lists of every file.
    assert set(first % 4) == {0, 1, 2, 3}


def test_the_fingerprint_is_that_of_the_lists(lists):
    one = lists(range(21), shards=1).fingerprint
    assert lists(range(21), shards=5, seed=3, memory=LITTLE).fingerprint == one
    assert lists(range(20)).fingerprint != one
    assert lists([*range(20), 30]).fingerprint != one


def test_inputs_are_the_models_with_validity_as_booleans(lists):
    ((inputs, labels),) = lists([3]).once()
    assert set(inputs) == set(tensors.INPUTS)
    is_valid = inputs[tensors.CANDIDATE_IS_VALID]
    assert is_valid.dtype == inputs[tensors.HISTORY_IS_VALID].dtype == tf.bool
    assert is_valid.numpy().tolist() == [[True] * 4 + [False]]
    assert labels.shape == (1, M) and labels.dtype == tf.float32


def test_an_empty_split_is_told_with_the_remedy(tmp_path):
    with pytest.raises(ValueError, match="this split is empty.*summary.json"):
        read_lists([str(tmp_path / "none-*")], SPEC, 8)
    (tmp_path / "empty.gz").write_bytes(gzip.compress(b""))
    with pytest.raises(ValueError, match="empty.gz.*this split is empty"):
        read_lists([str(tmp_path / "empty.gz")], SPEC, 8)
