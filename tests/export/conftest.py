"""The exported model, loaded once, and what the model itself says in this process."""

import pytest
import quick_xla  # noqa: F401
from export_cases import FEATURES, inputs_of

from psad_tf.data.examples import encode_list


@pytest.fixture(scope="session")
def loaded(exported):
    """The artifact, as `tf.saved_model.load` gives it."""
    import tensorflow as tf

    return tf.saved_model.load(str(exported.path))


@pytest.fixture(scope="session")
def ask(loaded):
    """Signature, lists -> output name to array."""
    import tensorflow as tf

    def ask(signature, lists, features=FEATURES, **changes):
        inputs = inputs_of(signature, lists, features) | changes
        given = {name: tf.constant(value) for name, value in inputs.items()}
        answer = loaded.signatures[signature](**given)
        return {name: value.numpy() for name, value in answer.items()}

    return ask


@pytest.fixture(scope="session")
def model_scores(exported):
    """Lists -> the scores [lists, M] of the model in this process."""
    import tensorflow as tf

    from psad_tf.training_data import model_inputs

    def score(lists):
        encoded = [encode_list(x, FEATURES) for x in lists]
        raw = tf.io.parse_example(encoded, exported.spec)
        return exported.model.scorer(model_inputs(exported.transform(raw))).numpy()

    return score
