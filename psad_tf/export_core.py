"""The scorer as it is served: at the width a request needs, batched, compiled.

The graph of a request that reaches it has been checked already, and its text is ids:
what comes from several requests into one batch can no longer fail for one of them.
"""

import keras
import tensorflow as tf

from psad_tf import tensors
from psad_tf.config import PSADConfig
from psad_tf.errors import ConfigError
from psad_tf.export_rows import as_taken_by, batched, in_known_sizes, on_host
from psad_tf.export_weights import StoredWeights
from psad_tf.export_widths import narrowed, resized
from psad_tf.features import FeatureSet
from psad_tf.layers.scorer import Scorer
from psad_tf.masking import mask_logit
from psad_tf.serving_config import ServingConfig

_OF_LIST = (
    tensors.CANDIDATE_IDS,
    tensors.CANDIDATE_DENSE,
    tensors.CANDIDATE_IS_VALID,
)
_OF_HISTORY = (tensors.HISTORY_IDS, tensors.HISTORY_DENSE, tensors.HISTORY_IS_VALID)


class ServedScorer:
    """A scorer with its stored weights, at every width of a configuration.

    Args:
        scorer: The model; called on the input tensors by name it gives scores.
        features: The data set's features.
        serving: How it is served.

    Raises:
        ConfigError: The configuration does not fit the features or the model.
    """

    def __init__(
        self, scorer: keras.Model, features: FeatureSet, serving: ServingConfig
    ):
        serving.check_fits(features)
        self.scorer, self.serving = scorer, serving
        self.widths = serving.widths(features)
        if len(self.widths) > 1 and not isinstance(scorer, Scorer):
            raise ConfigError(
                f"serving: list_buckets={serving.list_buckets}, history_buckets="
                f"{serving.history_buckets}: {type(scorer).__name__} knows its lists "
                "at one width alone; leave both empty"
            )
        self.stored = StoredWeights(scorer, serving.precision)
        self._models = {width: self._model(width) for width in self.widths}
        self._graphs = {}

    def __call__(self, inputs, queue: str | None = None, is_compiled: bool = False):
        """Scores a request, or several at once.

        Args:
            inputs: The model's input tensors by name, at full width.
            queue: The name under which lists wait to be batched; None scores these
                lists by themselves.
            is_compiled: Whether XLA compiles the scorer.

        Returns:
            float32 `[batch, list]`, the mask logit on padding.
        """

        def at(width):
            return lambda: self._at(width, inputs, queue, is_compiled)

        if len(self.widths) == 1:
            return at(self.widths[0])()
        branches = [at(width) for width in self.widths]
        with on_host():
            smallest = self.smallest(inputs)
        return tf.switch_case(smallest, branches)

    @property
    def compute_dtype(self) -> str:
        """What the model computes in."""
        return self._models[self.widths[-1]].compute_dtype

    def scores(self, width: tuple[int, int], inputs):
        """The model's scores, from input tensors of this width."""
        return self.run(lambda model: model(inputs, training=False), width)

    def run(self, function, width: tuple[int, int] | None = None):
        """What a function makes of the model with its stored weights.

        Args:
            function: Of the model.
            width: The model's; None is the full one.
        """
        model = self._models[self.widths[-1] if width is None else width]
        if model is self.scorer and self.stored.is_own:
            return function(model)
        values = self.stored.read()
        if model is not self.scorer and isinstance(model, Scorer):
            values = narrowed(values, self.scorer, model)
        # Without initial values: what stands in for the weights has them all.
        with keras.StatelessScope(initialize_variables=False) as scope:
            for weight, value in zip(model.weights, values, strict=True):
                scope.add_update((weight, value))
            return function(model)

    def _model(self, width):
        """The model at a width, computing in the precision that was asked for."""
        full, policy = width == self.widths[-1], self.scorer.dtype_policy
        if self.serving.precision == "bfloat16":
            policy = "mixed_bfloat16"
        elif full:
            return self.scorer
        if isinstance(self.scorer, Scorer):
            return resized(self.scorer, *width, policy)
        config = self.scorer.get_config() | {"dtype": policy}
        model = type(self.scorer).from_config(config)
        model.build()
        return model

    def smallest(self, inputs):
        """The index of the smallest width that holds every list and history: int32."""

        def longest(name):
            counts = tf.reduce_sum(tf.cast(inputs[name], tf.int32), axis=1)
            return tf.reduce_max(tf.concat([counts, [0]], 0))  # there may be no list

        def number(widths, name):
            return tf.reduce_sum(tf.cast(longest(name) > tf.constant(widths), tf.int32))

        lists, histories = (sorted({*w}) for w in zip(*self.widths, strict=True))
        row = number(lists, tensors.CANDIDATE_IS_VALID)
        return row * len(histories) + number(histories, tensors.HISTORY_IS_VALID)

    def graph(self, width: tuple[int, int], is_compiled: bool = False):
        """The scorer at a width as a concrete function, which all signatures share."""
        key = width, is_compiled
        if key not in self._graphs:
            score = tf.function(
                lambda inputs: tf.cast(self.scores(width, inputs), tf.float32),
                jit_compile=is_compiled or None,
                autograph=False,
            )
            specs = input_specs(self.scorer.config, *width)
            if is_compiled:
                # A compiler takes either; half the bytes go to the device.
                specs = {k: _narrow(spec) for k, spec in specs.items()}
            # It may be asked for where all else is kept on the host.
            with tf.device(None):
                self._graphs[key] = score.get_concrete_function(specs)
        return self._graphs[key]

    def _at(self, width, inputs, queue, is_compiled):
        """Scores at one width, padded to the full one."""
        cut = {tensors.USER_IDS: inputs[tensors.USER_IDS]}
        with on_host():
            for names, length in zip((_OF_LIST, _OF_HISTORY), width, strict=True):
                cut |= {name: inputs[name][:, :length] for name in names}
        graph = self.graph(width)

        def plain(inputs=cut):
            return graph(as_taken_by(graph, inputs))

        if queue is None and is_compiled:
            scores = in_known_sizes(
                self.graph(width, True), plain, cut, self.serving.batch_sizes
            )
        elif queue is None:
            scores = plain()
        else:
            name = f"{queue}_{width[0]}_{width[1]}"
            waiting = self.graph(width, is_compiled)
            scores = tf.cond(
                # Enough for a batch of their own, and perhaps more than a queue holds.
                tf.shape(cut[tensors.USER_IDS])[0] > self.serving.batch_sizes[-1],
                plain,
                lambda: batched(waiting, cut, name, self.serving),
            )
        scores = tf.ensure_shape(scores, [None, width[0]])
        missing = self.widths[-1][0] - width[0]
        return tf.pad(
            scores, ((0, 0), (0, missing)), constant_values=mask_logit("float32")
        )


def _narrow(spec: tf.TensorSpec) -> tf.TensorSpec:
    dtype = tf.int32 if spec.dtype == tf.int64 else spec.dtype
    return tf.TensorSpec(spec.shape, dtype, spec.name)


def input_specs(config: PSADConfig, list_width: int, history_width: int, lists=None):
    """The input tensors of a model by name.

    Args:
        config: The model's.
        list_width: Candidates of a list.
        history_width: Past items of a list.
        lists: How many lists, or None for any number.
    """
    items, users = sum(config.item_widths), sum(config.user_widths)
    m, n = list_width, history_width
    shapes = {
        tensors.USER_IDS: ((users,), tf.int64),
        tensors.CANDIDATE_IDS: ((m, items), tf.int64),
        tensors.CANDIDATE_DENSE: ((m, config.candidate_dense_size), tf.float32),
        tensors.CANDIDATE_IS_VALID: ((m,), tf.bool),
        tensors.HISTORY_IDS: ((n, items), tf.int64),
        tensors.HISTORY_DENSE: ((n, config.history_dense_size), tf.float32),
        tensors.HISTORY_IS_VALID: ((n,), tf.bool),
    }
    return {k: tf.TensorSpec((lists, *s), d, k) for k, (s, d) in shapes.items()}
