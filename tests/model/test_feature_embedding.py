import keras
import numpy as np
import pytest

from psad_tf.layers.feature_embedding import FeatureEmbedding

TABLE = np.arange(12, dtype="float32").reshape(6, 2)  # Row i is (2i, 2i + 1).


def embedding(**kwargs):
    layer = FeatureEmbedding(6, 2, (1, 3), (1, 4), **kwargs)
    layer.build((None, 4))
    layer.table.set_weights([TABLE])
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
