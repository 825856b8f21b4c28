"""PIER's prediction: one order at a time gives what all at once give."""

import numpy as np
import pytest
from keras import ops
from model_cases import awake

from psad_tf.baselines.pier_prediction import ContextPrediction

DIM, FIELDS, SIZE, LENGTH = 4, 2, 3, 5


@pytest.fixture(scope="module")
def prediction():
    layer = ContextPrediction(DIM, 1, 2, 2, LENGTH)
    layer.build((None, LENGTH, FIELDS, SIZE), (None, 6))
    return awake(layer, seed=1)


@pytest.fixture(scope="module")
def world():
    random = np.random.default_rng(2)

    def normal(*shape):
        return random.normal(size=shape).astype("float32")

    is_past = np.array([[[True] * 3, [True, False, False]], [[False] * 3] * 2])
    return {
        "items": normal(2, LENGTH, DIM),
        "fields": normal(2, LENGTH, FIELDS, SIZE),
        "profile": normal(2, 6),
        "pages": normal(2, 2, 3, FIELDS, SIZE),
        "is_past": is_past,
    }


ORDER = np.array([[[4, 0, 2], [1, 3, 0]], [[1, 0, -1], [0, 1, -1]]], "int32")


def predict(prediction, world, order=ORDER):
    known = prediction.known(world["profile"], world["pages"], world["is_past"])
    order = ops.convert_to_tensor(order)
    return np.array(prediction(world["items"], world["fields"], order, known))


def test_it_is_one_layer_on_the_three_vectors(prediction, world):
    found = predict(prediction, world)
    w = np.concatenate(
        [
            ops.convert_to_numpy(layer.kernel)
            for layer in (prediction.of_place, prediction.of_page, prediction.of_item)
        ]
    )
    bias = ops.convert_to_numpy(prediction.of_item.bias)
    known, is_known = prediction.known(
        world["profile"], world["pages"], world["is_past"]
    )
    for row, path in np.ndindex(2, 2):
        way = [i for i in ORDER[row, path] if i >= 0]
        fields = world["fields"][row : row + 1, way]
        in_page, page = prediction.attention(fields, np.ones((1, len(way)), bool))
        seen = known[row : row + 1], is_known[row : row + 1, None]
        page = prediction.interest(page[:, None], *seen)[0, 0]
        for place, item in enumerate(way):
            both = np.concatenate([in_page[0, place], page, world["items"][row, item]])
            hidden = np.maximum(both @ w + bias, 0)
            expected = np.array(prediction.click(hidden[None]))[0, 0]
            np.testing.assert_allclose(found[row, path, place], expected, atol=1e-5)


def test_the_user_is_the_profile_and_the_pages_there_are(prediction, world):
    _, is_known = prediction.known(world["profile"], world["pages"], world["is_past"])
    assert np.array(is_known).tolist() == [[True] * 3, [True, False, False]]
    before = predict(prediction, world)
    # The second user has no past: what stands there counts for nothing.
    after = predict(prediction, world | {"pages": world["pages"] + 1})
    assert np.abs(after[0] - before[0]).max() > 1e-3
    np.testing.assert_allclose(after[1, :, :2], before[1, :, :2], atol=1e-6)
    after = predict(prediction, world | {"profile": world["profile"] + 1})
    assert np.abs(after[1, :, :2] - before[1, :, :2]).max() > 1e-3


def test_an_item_is_worth_something_else_in_another_order(prediction, world):
    found = predict(prediction, world)
    # Item 0 stands second and third.
    assert abs(found[0, 0, 1] - found[0, 1, 2]) > 1e-3


def test_its_configuration_travels(prediction):
    again = ContextPrediction.from_config(prediction.get_config())
    assert again.get_config() == prediction.get_config()
