"""The scorer as an ONNX model beside the SavedModel, for those who run ONNX Runtime.

The packages it takes are those of the extra `onnx`; nobody else needs them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from psad_tf import tensors
from psad_tf.errors import ConfigError
from psad_tf.export_core import ServedScorer
from psad_tf.export_inputs import input_specs

# In this folder a server reads what it knows, and nothing else.
ONNX_FILE = "assets.extra/scorer.onnx"
SCORES = "scores"
OPSET = 18
TOLERANCE = 1e-4
# Of a protocol buffer.
MOST_BYTES = 2**31 - 1


@dataclass(frozen=True)
class OnnxScorer:
    """A converted scorer that scores as the exported one does.

    Args:
        content: The ONNX model: takes the tensors of `psad_tf.tensors.INPUTS` by name,
            any number of lists at full width, and gives `scores`, float32
            `[batch, list]`, the mask logit on padding.
        report: `file`, `bytes`, `opset`, `lists` it was compared on, and the
            `largest_score_difference`, which is no more than the `tolerance`.
    """

    content: bytes
    report: dict


def onnx_scorer(served: ServedScorer, validation: Iterable | None) -> OnnxScorer:
    """Converts a scorer and compares the two.

    Args:
        served: The exported scorer.
        validation: Batches of `(input tensors, labels)`.

    Raises:
        ConfigError: A package is missing, there are no lists, the weights are too many
            for a file, an operation is unknown to ONNX, or the scores differ.
    """
    _packages()
    batches = [inputs for inputs, _ in validation or ()]
    if not batches:
        raise _refused(
            "there are no validation lists to compare it on", "give the export some or "
        )
    content = converted(served)
    difference = largest_difference(served, content, batches)
    # Not so where a score is no number.
    if not difference <= TOLERANCE:
        raise _refused(
            f"its scores differ from TensorFlow's by up to {difference:.3g} on the "
            f"validation lists, more than {TOLERANCE:g}"
        )
    report = {
        "file": ONNX_FILE,
        "bytes": len(content),
        "opset": OPSET,
        "lists": sum(len(inputs[tensors.USER_IDS]) for inputs in batches),
        "largest_score_difference": difference,
        "tolerance": TOLERANCE,
    }
    return OnnxScorer(content, report)


def scoring(served: ServedScorer):
    """The scorer at full width, as a `tf.function` of the input tensors by name.

    Args:
        served: The exported scorer.

    Returns:
        `inputs -> {"scores": float32 [batch, list]}`.
    """
    full = served.widths[-1]
    return tf.function(
        lambda inputs: {SCORES: tf.cast(served.scores(full, inputs), tf.float32)},
        input_signature=[input_specs(served.scorer.config, *full)],
        autograph=False,
    )


def converted(served: ServedScorer) -> bytes:
    """The scorer at full width as an ONNX model, weights and all.

    Raises:
        ConfigError: As `onnx_scorer`, but for comparisons.
    """
    onnx, _, tf2onnx = _packages()
    from psad_tf.export_onnx_operations import HANDLERS

    held = sum(int(np.prod(w.shape)) * 4 for w in served.scorer.weights)
    if held > MOST_BYTES:
        raise _refused(
            f"its weights are {held} bytes, and a file holds no more than {MOST_BYTES}"
        )
    function = scoring(served)
    model, _ = tf2onnx.convert.from_function(
        function,
        function.input_signature,
        opset=OPSET,
        custom_op_handlers=HANDLERS,
    )
    for value in (*model.graph.input, *model.graph.output):
        # Named once, so that it is seen to be the same number.
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        # The converter leaves what it does not know as it is.
        model_name, reason = type(served.scorer).__name__, str(error).splitlines()[0]
        raise _refused(f"{model_name} has no form in ONNX ({reason})") from error
    return model.SerializeToString()


def session(content: bytes, threads: int = 0):
    """An `onnxruntime.InferenceSession` on the CPU.

    Args:
        content: An ONNX model.
        threads: That share an operation; 0 is one for each core.
    """
    _, onnxruntime, _ = _packages()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(
        content, options, providers=["CPUExecutionProvider"]
    )


def largest_difference(served: ServedScorer, content: bytes, batches) -> float:
    """By how much a score of a candidate differs from TensorFlow's, at most.

    Args:
        served: The exported scorer.
        content: The same as an ONNX model.
        batches: Of input tensors by name.
    """
    in_onnx, in_tensorflow = session(content), scoring(served)
    specs, found = in_tensorflow.input_signature[0], []
    for inputs in batches:
        given = {k: tf.cast(inputs[k], spec.dtype) for k, spec in specs.items()}
        expected = in_tensorflow(given)[SCORES].numpy()
        (scores,) = in_onnx.run([SCORES], {k: v.numpy() for k, v in given.items()})
        is_valid = given[tensors.CANDIDATE_IS_VALID].numpy()
        found.append(np.abs(scores - expected)[is_valid].max(initial=0.0))
    return float(np.max(found))


def _packages():
    """`onnx`, `onnxruntime` and `tf2onnx`, imported only where they are asked for."""
    try:
        import onnx
        import onnxruntime
        import tf2onnx
    except ImportError as error:
        raise _refused(
            f"the package {error.name} is missing",
            "install the extra (pip install 'psad-tf[onnx]') or ",
        ) from error
    return onnx, onnxruntime, tf2onnx


def _refused(reason: str, remedy: str = "") -> ConfigError:
    return ConfigError(
        f"serving: onnx=True: {reason}; {remedy}leave `onnx` out. Nothing was exported"
    )
