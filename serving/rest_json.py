"""JSON of TensorFlow Serving's REST interface to and from Predict messages.

Row format: `{"instances": [...]}` → `{"predictions": [...]}`. Columns:
`{"inputs": ...}` → `{"outputs": ...}`. Bytes are `{"b64": "..."}`.
"""

import json
from collections.abc import Callable, Mapping

import numpy as np
from tensorflow_serving.apis import predict_pb2

from serving.fault import Fault, invalid
from serving.json_tensors import is_object, read_array, shown, write_array
from serving.tensors import fill_tensor, read_tensor


def read_predict(
    body: bytes, request: predict_pb2.PredictRequest, inputs_of: Callable
) -> bool:
    """Fills a request from a JSON body.

    Args:
        body: The JSON.
        request: Its model_spec is complete but for the signature.
        inputs_of: Signature name → its inputs (alias → `TensorInfo`).

    Returns:
        Whether the request came in row format.

    Raises:
        Fault: The JSON is none, or does not fit the signature.
    """
    document = _parse(body)
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid(
            f"JSON Value: {shown(document)} not formatted correctly. "
            "'signature_name' key must be a string value."
        )
    request.model_spec.signature_name = name
    inputs = inputs_of(name)
    if not inputs:
        raise invalid(
            f"Failed to get input map for signature: {name or 'DEFAULT'}",
        )
    if "instances" in document and "inputs" in document:
        raise invalid(
            f"JSON Value: {shown(document)} Not formatted correctly expecting only "
            "one of 'inputs' or 'instances' keys to exist "
        )
    if "instances" in document:
        _read_rows(document, inputs, request)
        return True
    if "inputs" not in document:
        raise invalid("Missing 'inputs' or 'instances' key")
    _read_columns(document["inputs"], inputs, request)
    return False


def write_predict(response: predict_pb2.PredictResponse, in_rows: bool) -> bytes:
    """The JSON of an answer; with one output alone its name is left out.

    Raises:
        Fault: Rows are asked for, and the outputs do not have the same number of them.
    """
    arrays = {name: read_tensor(proto) for name, proto in response.outputs.items()}
    listed = {name: write_array(array, name) for name, array in arrays.items()}
    if not in_rows:
        outputs = next(iter(listed.values())) if len(listed) == 1 else listed
        return _document("outputs", outputs)
    rows = _number_of_rows(arrays)
    if len(listed) == 1:
        return _document("predictions", next(iter(listed.values())))
    return _document(
        "predictions",
        [{name: values[row] for name, values in listed.items()} for row in range(rows)],
    )


def error_body(message: str) -> bytes:
    """The JSON of an error, laid out as the real server does."""
    return _document("error", message)


def _document(key, value):
    return f'{{\n    "{key}": {json.dumps(value)}\n}}'.encode()


def _parse(body):
    if not body:
        raise invalid("JSON Parse error: The document is empty")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise invalid(f"JSON Parse error: {error}") from error
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {shown(document)} Is not object")
    return document


def _read_rows(document, inputs, request):
    rows = document["instances"]
    if not isinstance(rows, list):
        raise invalid(
            f"JSON Value: {shown(document)} Excepting 'instances' to be an list/array"
        )
    if not rows:
        raise invalid(f"JSON Value: {shown(document)} No values in 'instances' array")
    named = is_object(rows[0])
    if not named and len(inputs) > 1:
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple "
            "input tensors required as per tensorinfo_map"
        )
    columns = {name: [] for name in inputs}
    for number, row in enumerate(rows):
        for name, value in _named_row(row, number, named, inputs).items():
            key = f" key: {name}" if named else ""
            try:
                array = read_array(value, inputs[name].dtype)
                _check_alike(columns[name], array)
            except Fault as fault:
                raise invalid(
                    f"Failed to process element: {number}{key} of 'instances' list. "
                    f"Error: INVALID_ARGUMENT: {fault.message}"
                ) from fault
            columns[name].append(array)
    for name, arrays in columns.items():
        fill_tensor(request.inputs[name], np.stack(arrays))


def _named_row(row, number, named, inputs):
    if is_object(row) != named:
        raise invalid(
            f"Expecting object but got list at item {number} of input list"
            if named
            else f"Expecting value/list but got object at item {number} of input list"
        )
    if not named:
        return {next(iter(inputs)): row}
    if row.keys() != set(inputs):
        raise invalid(
            f"Failed to process element: {number} of 'instances' list. JSON object: "
            f"{shown(row)} keys must be equal to: {','.join(sorted(inputs))}"
        )
    return row


def _read_columns(given, inputs, request):
    if not is_object(given):
        if len(inputs) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple "
                "input tensors required as per tensorinfo_map"
            )
        given = {next(iter(inputs)): given}
    for name, info in inputs.items():
        if name not in given:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
        fill_tensor(request.inputs[name], read_array(given[name], info.dtype))


def _check_alike(arrays, array):
    if not arrays or arrays[0].shape == array.shape:
        return
    if arrays[0].size != array.size:
        raise invalid(f"Expecting tensor size: {arrays[0].size} but got: {array.size}")
    shapes = (str(list(a.shape)).replace(" ", "") for a in (arrays[0], array))
    raise invalid("Expecting shape {} but got: {}".format(*shapes))


def _number_of_rows(arrays: Mapping[str, np.ndarray]) -> int:
    rows = None
    for name, array in arrays.items():
        if array.ndim == 0:
            raise invalid(f"Tensor name: {name} has no shape information ")
        rows = len(array) if rows is None else rows
        if len(array) != rows:
            raise invalid(
                f"Tensor name: {name} has inconsistent batch size: {len(array)} "
                f"expecting: {rows}"
            )
    return rows or 0
