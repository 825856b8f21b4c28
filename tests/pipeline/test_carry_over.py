"""Rows of embeddings move with their values, on vocabularies that fit on paper."""

import numpy as np
import pytest

from psad_tf.features import Feature, Kind
from tfx_pipeline.carry_over import CannotCarryError, Rows, carried, row_sources

COLOUR = Feature("colour", Kind.CATEGORICAL)
AGE = Feature("age", Kind.BUCKETIZED, boundaries=(10, 20))
BRAND = Feature("brand", Kind.CATEGORICAL, hash_buckets=2)
PRICE = Feature("price", Kind.NUMERIC)
FEATURES = (COLOUR, PRICE, AGE, BRAND)
OLD = {"vocabulary_colour": [b"red", b"blue"], "vocabulary_brand": [b"x"]}
# Ids before: 0 padding; 1 unknown colour, 2 red, 3 blue; 4 unknown age, 5-7 its
# buckets; 8 unknown brand, 9-10 its hash buckets, 11 x.


def test_the_same_vocabularies_keep_every_row():
    rows = row_sources(FEATURES, OLD, OLD)
    assert rows.sources.tolist() == list(range(12))
    assert (rows.known, rows.new) == (3, 0)


def test_values_keep_their_rows_when_ids_shift():
    new = {
        "vocabulary_colour": [b"green", b"blue", b"red"],
        "vocabulary_brand": [b"y", b"x"],
    }
    rows = row_sources(FEATURES, new, OLD)
    # Green and y are new: they begin as the unknown colour and the unknown brand.
    colour, age, brand = [1, 1, 3, 2], [4, 5, 6, 7], [8, 9, 10, 8, 11]
    assert rows.sources.tolist() == [0, *colour, *age, *brand]
    assert (rows.known, rows.new) == (3, 2)


def test_a_value_that_is_gone_takes_its_row_along():
    new = {"vocabulary_colour": [b"blue"], "vocabulary_brand": []}
    rows = row_sources(FEATURES, new, OLD)
    assert rows.sources.tolist() == [0, 1, 3, 4, 5, 6, 7, 8, 9, 10]


def test_a_feature_without_an_older_vocabulary_is_refused():
    with pytest.raises(CannotCarryError, match="lack vocabulary_brand"):
        row_sources(FEATURES, OLD, {"vocabulary_colour": [b"red"]})


def test_weights_are_taken_and_tables_row_by_row():
    old = {"table": np.array([[0.0], [1.0], [2.0]]), "kernel": np.eye(2)}
    rows = Rows(np.array([0, 2, 1, 1]), 1, 1)
    shapes = {"table": (4, 1), "kernel": (2, 2)}
    values = carried(shapes, old, {"table": rows})
    assert values["table"][:, 0].tolist() == [0.0, 2.0, 1.0, 1.0]
    np.testing.assert_array_equal(values["kernel"], np.eye(2))


@pytest.mark.parametrize(
    "shapes, message",
    [
        ({"kernel": (3, 2)}, r"kernel has the shape \(2, 2\), and now \(3, 2\)"),
        ({"bias": (2,)}, "no weight bias"),
        ({"table": (4, 1)}, "table has 1 rows, too few"),
        ({"narrow": (1, 8)}, r"narrow has the shape \(1, 4\)"),
    ],
)
def test_weights_that_do_not_fit_are_refused(shapes, message):
    old = {"kernel": np.eye(2), "table": np.zeros((1, 1)), "narrow": np.zeros((1, 4))}
    tables = {
        "table": Rows(np.array([0, 2, 1, 1]), 1, 1),
        "narrow": Rows(np.array([0]), 0, 0),
    }
    with pytest.raises(CannotCarryError, match=message):
        carried(shapes, old, tables)
