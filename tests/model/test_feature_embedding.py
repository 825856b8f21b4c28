import keras
import numpy as np
import pytest
from model_cases import tiny

from psad_tf.errors import ConfigError
from psad_tf.layers.feature_embedding import FeatureEmbedding

TABLE = np.arange(12, dtype="float32").reshape(6, 2)  # Row i is (2i, 2i + 1).


def embedding(**kwargs):
    layer = FeatureEmbedding(6, 2, (1, 3), (1, 4), **kwargs)
    layer.build((None, 4))
    layer.embeddings.set_weights([TABLE])
    return layer


def test_a_field_of_several_columns_is_the_mean_over_its_values():
    found = embedding()(np.array([[2, 4, 5, 0]]))
    np.testing.assert_allclose(found, [[4, 5, (8 + 10) / 2, (9 + 11) / 2]])


def test_padding_gives_zeros():
    np.testing.assert_array_equal(embedding()(np.zeros((1, 4), int)), np.zeros((1, 4)))


def test_where_padding_stands_does_not_matter():
    layer = embedding()
    a, b = layer(np.array([[2, 5, 4, 0]])), layer(np.array([[2, 0, 5, 4]]))
    np.testing.assert_allclose(a, b)


def test_wrong_number_of_columns_is_named():
    with pytest.raises(ValueError, match="ids have 3 columns.*one column for each"):
        embedding()(np.ones((1, 3), int))


def test_id_dropout_turns_whole_fields_unknown_and_leaves_padding():
    keras.utils.set_random_seed(0)
    layer = embedding(id_dropout=0.5, dropout_fields=(1,))
    ids = np.tile([[2, 5, 5, 0]], (2000, 1))
    found = np.array(layer(ids, training=True))
    np.testing.assert_array_equal(found[:, :2], np.tile(TABLE[2], (2000, 1)))
    is_unknown = (found[:, 2:] == TABLE[4]).all(axis=1)
    is_kept = (found[:, 2:] == TABLE[5]).all(axis=1)
    assert (is_unknown | is_kept).all()  # Never one value of a field without the other.
    assert abs(is_unknown.mean() - 0.5) < 0.05
    nothing = layer(np.zeros((100, 4), int), training=True)
    np.testing.assert_array_equal(nothing, np.zeros((100, 4)))


def test_ids_are_kept_outside_training():
    layer = embedding(id_dropout=0.9, dropout_fields=(0, 1))
    ids = np.tile([[2, 5, 5, 0]], (50, 1))
    found = np.array(layer(ids))
    np.testing.assert_array_equal(found, np.tile([4, 5, 10, 11], (50, 1)))


def dropped_ids(layer, ids, draws=4000):
    """The first column's embeddings of one id, after dropping in many lists."""
    keras.utils.set_random_seed(0)
    found = np.array(layer(np.tile([[ids, 0, 0, 0]], (draws, 1)), training=True))
    return (found[:, 0] / 2).astype(int)  # Row i of the table begins with 2i.


def test_a_dropped_value_falls_on_the_unknown_id_or_any_hash_bucket_as_often():
    # Of the first field: id 1 is unknown, 2 and 3 are buckets, 4 is a known value.
    layer = FeatureEmbedding(6, 2, (1, 3), (1, 5), 0.6, (0,), hash_buckets=(2, 0))
    layer.build((None, 4))
    layer.embeddings.set_weights([TABLE])
    ids, counts = np.unique(dropped_ids(layer, 4), return_counts=True)
    np.testing.assert_array_equal(ids, [1, 2, 3, 4])
    np.testing.assert_allclose(counts / 4000, [0.2, 0.2, 0.2, 0.4], atol=0.03)


def test_without_hash_buckets_only_the_unknown_id_is_drawn():
    found = dropped_ids(embedding(id_dropout=0.6, dropout_fields=(0,)), 2)
    np.testing.assert_array_equal(np.unique(found), [1, 2])


def test_a_configuration_says_which_table_each_space_gets():
    config = tiny(
        item_table="quotient_remainder",
        item_table_remainder=7,
        item_hash_buckets=[3, 0],
        id_dropout=0.25,
    )
    item = FeatureEmbedding.of(config, "item")
    user = FeatureEmbedding.of(config, "user")
    assert (item.rows, item.dim, item.widths) == (40, 4, (1, 3))
    assert (item.table, item.remainder_rows) == ("quotient_remainder", 7)
    assert (item.hash_buckets, item.unknown_ids) == ((3, 0), (1, 30))
    assert (item.id_dropout, item.dropout_fields) == (0.25, (0,))
    assert (user.table, user.rows, user.hash_buckets) == ("full", 12, ())
    assert (item.name, user.name) == ("item_embedding", "user_embedding")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"item_table": "hashed"}, "item_table='hashed'.*quotient_remainder"),
        ({"item_table": "quotient_remainder"}, "item_table_remainder=0.*at least 1"),
        ({"user_table_remainder": 5}, "user_table_remainder=5.*0 where.*full"),
        ({"item_hash_buckets": [4]}, "item_hash_buckets.*each of the 2 fields"),
        ({"user_hash_buckets": [1, -1]}, "user_hash_buckets.*at least 0"),
        ({"user_hash_buckets": [0, 4]}, "user_hash_buckets.*user_rows=12"),
    ],
)
def test_a_table_that_cannot_be_is_refused_with_the_remedy(changes, message):
    with pytest.raises(ConfigError, match=message):
        tiny(**changes)
