"""The scorer as it is served: at the width a request needs, batched, compiled.

The graph of a request that reaches it has been checked already, and its text is ids:
what comes from several requests into one batch can no longer fail for one of them.
"""

import keras
import tensorflow as tf

from psad_tf import tensors
from psad_tf.errors import ConfigError
from psad_tf.export_answer import Answer
from psad_tf.export_inputs import Packing, input_specs
from psad_tf.export_order import ranked
from psad_tf.export_rows import as_taken_by, asked, number_of, on_host
from psad_tf.export_weights import ReadScope, StoredWeights
from psad_tf.export_widths import (
    computing,
    cut,
    narrowed,
    smallest_width,
    widened,
)
from psad_tf.features import FeatureSet
from psad_tf.layers.scorer import Scorer
from psad_tf.list_matrix import MATRIX, ListMatrix
from psad_tf.serving_config import ServingConfig


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
        full, precision = self.widths[-1], serving.precision
        self._models = {
            width: computing(scorer, width, width == full, precision)
            for width in self.widths
        }
        self._graphs = {}

    def __call__(self, inputs) -> tf.Tensor:
        """Scores of full-width lists, by themselves and not compiled."""
        return self.rank(inputs)[0]

    def rank(self, inputs, queue: str | None = None, is_compiled=False):
        """Ranks the lists of a request, or of several at once.

        Args:
            inputs: The model's input tensors by name, at full width; maybe counts too.
            queue: The name under which lists wait to be batched; None ranks these
                lists by themselves.
            is_compiled: Whether XLA compiles the scorer.

        Returns:
            Scores and order, as `psad_tf.export_order.ranked` tells, at full width.

        Raises:
            InvalidArgumentError: When it runs compiled: an id is none of the model's.
                Not compiled, ids must be known.
        """

        def at(width):
            return lambda: self._at(width, inputs, queue, is_compiled)

        if len(self.widths) == 1:
            return tuple(at(self.widths[0])())
        with on_host():
            smallest = smallest_width(self.widths, inputs)
        return tuple(tf.switch_case(smallest, [at(width) for width in self.widths]))

    def rank_matrix(self, matrix, queue: str | None = None):
        """Ranks lists that come as rows of a `ListMatrix`: at full width, compiled.

        Args:
            matrix: int32 `[batch, columns]`, the columns those of `layout`.
            queue: See `rank`.

        Returns:
            Scores and order, as `rank` has them.

        Raises:
            InvalidArgumentError: When it runs: there are more or fewer columns, an id
                is none of the model's, or a count is more than a list holds.
        """
        packing = Packing(self.layout(self.widths[-1]))

        def taken(missing=0):
            with on_host():
                return {MATRIX: packing.filled_up(matrix, missing)}

        count = number_of({MATRIX: matrix})
        return tuple(self._asked(self.widths[-1], taken, count, queue, True))

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
        reads = self.stored.reads()
        if model is not self.scorer and isinstance(model, Scorer):
            reads = narrowed(reads, self.scorer, model)
        with ReadScope(model.weights, reads):
            return function(model)

    def graph(self, width: tuple[int, int], is_compiled: bool = False):
        """Ranks lists of a width: a concrete function, which all signatures share.

        It takes the input tensors by name, and returns scores and order; compiled, the
        matrix of their `Packing`, and that of an `Answer`.
        """
        key = width, is_compiled
        if key in self._graphs:
            return self._graphs[key]
        specs = input_specs(self.scorer.config, *width)
        layout = self.layout(width)
        packing = Packing(layout)

        def rank(given):
            inputs = packing.unpack(given[MATRIX]) if is_compiled else given
            scores = self.scores(width, {k: inputs[k] for k in specs})
            is_valid = inputs[tensors.CANDIDATE_IS_VALID]
            answer = ranked(scores, is_valid, is_compiled)
            if is_compiled:
                answer = Answer(self.scorer.config, layout).pack(*answer, inputs)
                return [answer]
            return answer

        rank = tf.function(rank, jit_compile=is_compiled or None, autograph=False)
        # It may be asked for where all else is kept on the host.
        with tf.device(None):
            self._graphs[key] = rank.get_concrete_function(
                {MATRIX: packing.spec} if is_compiled else specs
            )
        return self._graphs[key]

    def layout(self, width: tuple[int, int]) -> ListMatrix:
        """That of the matrix of lists of a width."""
        return ListMatrix.of(self.scorer.config, *width)

    def _at(self, width, inputs, queue, is_compiled):
        """Scores and order at one width, padded to the full one."""
        if width != self.widths[-1]:
            with on_host():
                inputs = cut(inputs, width)
        packing = Packing(self.layout(width))

        def taken(missing=None):
            if not is_compiled:
                return as_taken_by(self.graph(width), inputs)
            with on_host():
                return {MATRIX: packing.pack(inputs, missing)}

        return self._asked(width, taken, number_of(inputs), queue, is_compiled)

    def _asked(self, width, taken, count, queue, is_compiled):
        """Scores and order of what a graph is asked, padded to the full width."""
        graph = self.graph(width, is_compiled)
        if queue is not None:
            queue = f"{queue}_{width[0]}_{width[1]}"
        answer = asked(graph, taken, count, queue, self.serving, is_compiled)
        if is_compiled:
            answer = Answer(self.scorer.config, self.layout(width)).unpack(*answer)
        with on_host():
            return [widened(x, width[0], self.widths[-1][0]) for x in answer]
