"""The transform's tensors, worked out by hand on three small lists."""

import numpy as np
import pytest
from fitted_transform import (
    USER,
    A,
    B,
    C,
    candidate,
    fit_transform,
    past_item,
)

from psad_tf import tensors
from psad_tf.cold_start import known_values
from psad_tf.data.examples import encode_list
from psad_tf.data.ranking_list import RankingList
from psad_tf.feature_sets import MOVIELENS_100K as FEATURES
from psad_tf.features import Feature, Kind
from psad_tf.id_space import id_space
from schemas import schema_path


def applied(output):
    """A fitted transform as a function: lists to arrays."""
    import tensorflow as tf

    from tfx_pipeline.trainer import serving_spec

    layer = output.transform_features_layer()
    spec = serving_spec(str(schema_path(FEATURES.name)), FEATURES)

    def apply(*lists):
        encoded = [encode_list(x, FEATURES) for x in lists]
        tensors_ = layer(tf.io.parse_example(encoded, spec))
        return {name: value.numpy() for name, value in tensors_.items()}

    return apply


@pytest.fixture(scope="module")
def transform(transform_output):
    """The fitted transform: lists to arrays."""
    from psad_tf.sizing import model_config

    apply = applied(transform_output)
    apply.output = transform_output
    apply.config = model_config(FEATURES, transform_output.vocabulary_size_by_name, {})
    return apply


def test_rare_items_have_no_id_of_their_own(transform):
    out = transform(RankingList(USER, [A, B, C, candidate("new", "", 0.0, 3.0)]))
    item_ids = out[tensors.CANDIDATE_IDS][0, :4, 0]
    # The most frequent value comes first: b, then a; c and new share the unknown id 1.
    np.testing.assert_array_equal(item_ids, [3, 2, 1, 1])


def test_genres_take_as_many_columns_as_values(transform):
    out = transform(RankingList(USER, [A, B]))
    # Item ids end at 3 (padding, unknown, b, a); 4 is the unknown genre. Drama occurs
    # 7 times (6 offered, 1 past), War 5 times, so Drama comes first.
    genres = out[tensors.CANDIDATE_IDS][0, :2, 1:7]
    drama, war = 5, 6
    np.testing.assert_array_equal(genres[0], [drama, war, 0, 0, 0, 0])
    np.testing.assert_array_equal(genres[1], [drama, 0, 0, 0, 0, 0])


def test_years_fall_into_their_buckets(transform):
    out = transform(RankingList(USER, [A, B, C]))
    # 7 is the unknown year; then buckets by (1, 1950, 1970, 1980, 1990, 1994, 1996, ..)
    # no year -> 0, 1940 -> 1, 1995 -> 6.
    np.testing.assert_array_equal(out[tensors.CANDIDATE_IDS][0, :3, 7], [14, 8, 9])


def test_the_profile_is_looked_up_and_bucketized(transform):
    out = transform(RankingList(USER, [A]))
    # user_id: 1 unknown, 2 u1 | age: 3 unknown, 4-10, 30 years is the third bucket
    # | gender: 11, 12 F | occupation: 13, 14 | zip: 15, 16 | count: 17, 18 is 0.
    np.testing.assert_array_equal(out[tensors.USER_IDS], [[2, 6, 12, 14, 16, 18]])
    other = {**USER, "user_id": "u2", "user_gender": ""}
    out = transform(RankingList(other, [A]))
    np.testing.assert_array_equal(out[tensors.USER_IDS], [[1, 6, 11, 14, 16, 18]])


def test_numbers_are_standardised_by_the_candidates(transform):
    past = past_item("b", "Drama", 0.0, 5.0)
    out = transform(RankingList(USER, [A, B, C], [past]))
    ratings = np.array([2, 4, 3, 4, 2, 2, 4, 3.0])  # of all training candidates
    mean, deviation = ratings.mean(), ratings.std()
    dense = out[tensors.CANDIDATE_DENSE][0]
    expected = (np.array([2.0, 4.0, 3.0]) - mean) / deviation
    np.testing.assert_allclose(dense[:3, 0], expected, rtol=1e-5)
    # A past item's rating is on the candidates' scale.
    np.testing.assert_allclose(
        out[tensors.HISTORY_DENSE][0, 0, 0], (5 - mean) / deviation, rtol=1e-5
    )


def test_statistics_are_as_exact_as_numbers_are(tmp_path):
    # In float32 sums would depend on the order of lists, which no run repeats.
    random = np.random.default_rng(0)
    numbers = random.lognormal(8, 3, 64).astype(np.float32)
    lists = [
        RankingList(USER, [A | {"log_rating_count": float(x)}], [], [1.0], f"r{n}", 7)
        for n, x in enumerate(numbers)
    ]
    out = applied(fit_transform(tmp_path, lists))(*lists)
    names = [f.name for f in FEATURES.of_candidates() if not f.kind.is_id]
    column = out[tensors.CANDIDATE_DENSE][:, 0, names.index("log_rating_count")]
    mean, deviation = (np.float32(f(np.float64(numbers))) for f in (np.mean, np.std))
    np.testing.assert_array_equal(column, (numbers - mean) / deviation)


def test_padding_is_zero_and_marked(transform):
    out = transform(RankingList(USER, [A, B]), RankingList(USER, [A]))
    np.testing.assert_array_equal(out[tensors.CANDIDATE_IS_VALID].sum(axis=1), [2, 1])
    assert out[tensors.CANDIDATE_IS_VALID].shape == (2, FEATURES.list_length)
    assert not out[tensors.CANDIDATE_IDS][0, 2:].any()
    assert not out[tensors.CANDIDATE_DENSE][0, 2:].any()
    assert not out[tensors.HISTORY_IS_VALID].any()
    assert not out[tensors.HISTORY_IDS].any()


def test_an_absurd_number_is_cut(transform):
    out = transform(RankingList(USER, [candidate("a", "", 0.0, 2.0, score=1e9)]))
    assert out[tensors.CANDIDATE_DENSE].max() <= 8.0


def test_the_models_sizes_are_those_of_the_transform(transform):
    config = transform.config
    sizes = transform.output.vocabulary_size_by_name
    item_space = id_space(FEATURES.item, sizes)
    assert config.item_rows == item_space.rows == 7 + 1 + 9
    assert config.item_widths == (1, 6, 1)
    assert config.item_unknown_ids == (1, 4, 7)
    assert config.candidate_dense_size == 8
    assert config.history_dense_size == 6


def ids_of(feature, values, vocabulary):
    """Ids from 10 on, in a graph of its own: Transform keeps notes on tensors in it."""
    import tensorflow as tf

    from tfx_pipeline.preprocessing_ids import columns_of

    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        known = {"x": tf.constant(str(vocabulary))}
        first = tf.constant(10, tf.int64)
        found = columns_of([(feature, first)], {"x": tf.constant(values)}, known)
        session.run(tf.compat.v1.tables_initializer())
        return session.run(found).tolist()


def test_rarer_and_unknown_values_are_hashed(tmp_path):
    vocabulary = tmp_path / "vocabulary_x"
    vocabulary.write_text("b\na\n")
    values = ["Hello", "TensorFlow", "2.x", "b", "a", ""]

    # TensorFlow's documentation hashes these three into 3 buckets as 0, 2 and 2.
    # 10 is the unknown id, 11-13 are the buckets, 14 and 15 the vocabulary.
    hashed = Feature("x", Kind.CATEGORICAL, hash_buckets=3)
    found = ids_of(hashed, values, vocabulary)
    assert found == [[11], [13], [13], [14], [15], [10]]
    plain = ids_of(Feature("x", Kind.CATEGORICAL), values, vocabulary)
    assert plain == [[10]] * 3 + [[11], [12], [10]]


def test_a_hashed_part_of_a_value_has_its_own_column(tmp_path):
    vocabulary = tmp_path / "vocabulary_x"
    vocabulary.write_text("b\n")
    feature = Feature("x", Kind.MULTIVALENT, max_values=3, hash_buckets=3)
    found = ids_of(feature, ["b|Hello", "2.x|b|b", ""], vocabulary)
    assert found == [[14, 11, 0], [13, 14, 14], [10, 0, 0]]


def test_what_a_model_knows_is_what_has_an_id_of_its_own(transform, exported):
    known = known_values(exported.path, FEATURES)
    new = candidate("new", "Drama|Jazz", 0.0, 3.0)
    out = transform(RankingList(USER, [A, B, C, new]))
    ids = out[tensors.CANDIDATE_IDS][0, :4]
    config = transform.config
    for row, one in zip(ids, (A, B, C, new), strict=True):
        is_unknown = row[0] == config.item_unknown_ids[0]
        assert (one["item_id"] not in known["candidate_item_id"]) == is_unknown
        is_unknown = (row[1:7] == config.item_unknown_ids[1]).any()
        assert (one["genres"] not in known["candidate_genres"]) == is_unknown
    for user in ("u1", "u2", ""):
        (row,) = transform(RankingList({**USER, "user_id": user}, [A]))[
            tensors.USER_IDS
        ]
        is_unknown = row[0] == config.user_unknown_ids[0]
        assert (user not in known["user_id"]) == is_unknown
