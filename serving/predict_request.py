"""Lists as a Predict request."""

from collections.abc import Sequence

import numpy as np

from psad_tf.data.examples import encode_list
from psad_tf.data.packing import pack_lists
from psad_tf.data.ranking_list import RankingList
from psad_tf.features import FeatureSet
from serving.messages import PredictRequest
from serving.tensors import fill_tensor


def predict_request(
    lists: Sequence[RankingList],
    features: FeatureSet,
    model_name: str,
    signature: str = "serving_default",
    version: int | str | None = None,
):
    """The request that has lists ranked.

    Args:
        lists: At least one.
        features: The features that the model was trained with.
        model_name: At the server.
        signature: `rank` takes plain tensors, any other one serialized examples.
        version: Of the model, by its number or its label; None for the newest.

    Returns:
        A `PredictRequest`.

    Raises:
        DataError: A list is not what the feature set asks for.
    """
    request = PredictRequest()
    request.model_spec.name = model_name
    request.model_spec.signature_name = signature
    if isinstance(version, str):
        request.model_spec.version_label = version
    elif version is not None:
        request.model_spec.version.value = version
    if signature == "rank":
        inputs = pack_lists(lists, features)
    else:
        examples = np.empty(len(lists), object)
        examples[:] = [encode_list(one, features) for one in lists]
        inputs = {"examples": examples}
    for name, array in inputs.items():
        fill_tensor(request.inputs[name], array)
    return request
