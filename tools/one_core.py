"""What `measure_onnx.py` times: models, full lists, and calls that rank them."""

import numpy as np

from psad_tf.bench.roofline.shapes import Shape, config_of
from psad_tf.feature_sets import MOVIELENS_100K
from psad_tf.presets import preset
from psad_tf.sizing import model_config

STUDENT, XLA = "PSAD-S, TensorFlow", "PSAD-S, TensorFlow with XLA"
ONNX = "PSAD-S, ONNX Runtime"
RIVALS = {"prm": "PRM", "nar4rec": "NAR4Rec", "seq2slate": "Seq2Slate"}


def configs() -> dict:
    """The models that are measured, by name."""
    chosen = preset(MOVIELENS_100K.name, "model")
    movielens = model_config(MOVIELENS_100K, lambda vocabulary: 1000, chosen)
    return {
        _title("MovieLens-100K", movielens): movielens,
        _title("made up", config := config_of(Shape())): config,
    }


def _title(name: str, config) -> str:
    layers = f"{config.num_layers} layer{'s' * (config.num_layers > 1)}"
    return (
        f"{name}: M = {config.list_length}, N = {config.history_length}, width "
        f"{config.hidden_dim}, {layers}"
    )


def full_lists(config, specs, count: int) -> dict:
    """Full lists as input tensors by name."""
    import tensorflow as tf

    random, made = np.random.default_rng(0), {}
    for name, spec in specs.items():
        shape = (count, *spec.shape[1:])
        if spec.dtype == tf.bool:
            values = np.ones(shape, bool)
        elif spec.dtype.is_integer:
            rows = config.user_rows if name.startswith("user") else config.item_rows
            values = random.integers(1, rows, shape)
        else:
            values = random.normal(size=shape)
        made[name] = tf.constant(values, spec.dtype)
    return made


def in_session(function, is_compiled: bool):
    """A function as model servers run it: its weights constants, in a session.

    It runs in the thread that calls it: on one core another would bring nothing.

    Returns:
        The `GraphRun`, the tensor of each input by its name, and that of the scores.
    """
    import tensorflow as tf
    from tensorflow.python.framework import convert_to_constants as constants

    from serving.graph_run import GraphRun

    concrete = constants.convert_variables_to_constants_v2(
        function.get_concrete_function()
    )
    if is_compiled:
        specs = [tf.TensorSpec(x.shape, x.dtype, x.op.name) for x in concrete.inputs]
        inner = tf.function(concrete, jit_compile=True, autograph=False)
        # What calls it: only a call is compiled.
        outer = tf.function(lambda *given: inner(*given), autograph=False)
        concrete = outer.get_concrete_function(*specs)
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(concrete.graph.as_graph_def(), name="")
    config = tf.compat.v1.ConfigProto(
        intra_op_parallelism_threads=1, inter_op_parallelism_threads=-1
    )
    run = GraphRun(tf.compat.v1.Session(graph=graph, config=config))
    inputs = {x.op.name: x.name for x in concrete.inputs}
    return run, inputs, concrete.outputs[0].name


def programs(config):
    """What is timed: a title to a function that makes a call for so many lists."""
    from psad_tf.baselines.registry import build_reranker
    from psad_tf.export_core import ServedScorer
    from psad_tf.export_onnx import SCORES, converted, scoring, session
    from psad_tf.features import FeatureSet
    from psad_tf.layers.scorer import Scorer
    from psad_tf.serving_config import ServingConfig

    lengths = config.list_length, config.history_length
    features = FeatureSet("made_up", (), (), (), (), *lengths)

    def served(model):
        return ServedScorer(model, features, ServingConfig())

    def in_tensorflow(model, is_compiled=False):
        run, inputs, output = in_session(scoring(model), is_compiled)

        def calling(given):
            fed = {inputs[name]: value.numpy() for name, value in given.items()}
            return lambda: run({SCORES: output}, fed)[SCORES]

        return calling

    scorer = Scorer(config)
    scorer.build()
    student = served(scorer)
    in_onnx = session(converted(student), threads=1)

    def calling_onnx(given):
        arrays = {name: value.numpy() for name, value in given.items()}
        return lambda: in_onnx.run([SCORES], arrays)[0]

    (specs,) = scoring(student).input_signature
    return specs, {
        STUDENT: in_tensorflow(student),
        XLA: in_tensorflow(student, is_compiled=True),
        ONNX: calling_onnx,
        **{
            title: in_tensorflow(served(build_reranker(name, config)))
            for name, title in RIVALS.items()
        },
    }
