"""Omnidirectional attention next to a loop over pages, fields and items."""

import numpy as np
import pytest
from model_cases import awake

from psad_tf.baselines.omnidirectional_attention import OmnidirectionalAttention

PLACES, FIELDS, DIM, WIDTH = 3, 2, 4, 5
IS_VALID = np.arange(PLACES) < np.array([[3], [2], [0]])


@pytest.fixture(scope="module")
def attention():
    layer = OmnidirectionalAttention(2, 2, PLACES + 1, WIDTH)
    layer.build((None, PLACES, FIELDS, DIM))
    return awake(layer, seed=1)


@pytest.fixture(scope="module")
def fields():
    random = np.random.default_rng(2)
    return random.normal(size=(3, PLACES, FIELDS, DIM)).astype("float32")


def test_items_first_then_fields(attention, fields):
    items, page = attention(fields, IS_VALID)
    for row, count in enumerate([3, 2]):
        x = fields[row, :count].copy()
        for t in range(count):
            for f in range(FIELDS):
                x[t, f] += np.array(attention.place)[t] + np.array(attention.field)[f]
        for over_items, over_fields in zip(
            attention.over_items, attention.over_fields, strict=True
        ):
            all_visible = np.ones((1, 1, count), bool)
            for f in range(FIELDS):
                column = x[None, :, f]
                x[:, f] = over_items(column, column, all_visible)[0]
            all_visible = np.ones((1, 1, FIELDS), bool)
            for t in range(count):
                x[t] = over_fields(x[t : t + 1], x[t : t + 1], all_visible)[0]
        expected = np.array(attention.mix(x.reshape(count, -1)))
        np.testing.assert_allclose(items[row, :count], expected, atol=1e-5)
        np.testing.assert_allclose(page[row], expected.mean(axis=0), atol=1e-5)


def test_a_page_without_items_is_nothing(attention, fields):
    _, page = attention(fields, IS_VALID)
    np.testing.assert_array_equal(page[2], np.zeros(WIDTH))


def test_places_count(attention, fields):
    _, page = attention(fields[:1], IS_VALID[:1])
    _, turned = attention(fields[:1, ::-1], IS_VALID[:1])
    assert np.abs(np.array(page) - np.array(turned)).max() > 1e-3


def test_what_stands_in_the_padding_does_not_count(attention, fields):
    other = np.where(IS_VALID[..., None, None], fields, fields + 3)
    for found, expected in zip(
        attention(other, IS_VALID), attention(fields, IS_VALID), strict=True
    ):
        found, expected = np.array(found), np.array(expected)
        if found.ndim == 3:
            found, expected = found[IS_VALID], expected[IS_VALID]
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_its_configuration_travels(attention):
    again = OmnidirectionalAttention.from_config(attention.get_config())
    assert again.get_config() == attention.get_config()
