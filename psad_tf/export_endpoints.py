"""The signatures of the artifact: what each takes, and the function that answers it."""

from functools import cached_property

import tensorflow as tf

from psad_tf.data.packing import packed_columns
from psad_tf.export_checks import check_count, check_raw
from psad_tf.export_core import ServedScorer
from psad_tf.export_extra import packed_specs, with_absent
from psad_tf.export_inputs import Packing
from psad_tf.export_order import ranked
from psad_tf.export_rows import on_host
from psad_tf.export_tensors import (
    RANK_MATRIX,
    RANK_TENSORS,
    from_tensors,
    tensor_specs,
)
from psad_tf.export_user_side import USER_SIDE, PackedUserSide
from psad_tf.features import FeatureSet
from psad_tf.list_matrix import MATRIX
from psad_tf.tensors import CANDIDATE_IS_VALID
from psad_tf.training_data import model_inputs

EXAMPLES = "examples"
_PLACES = ("user", "candidate", "history")


class Endpoints:
    """Makes the signatures of an artifact.

    Args:
        raw_spec: How a serving example is parsed: raw name to feature specification.
        features: The data set's features.
        transform: The fitted transform as a layer: raw features to input tensors.
        served: The scorer.
    """

    def __init__(
        self, raw_spec: dict, features: FeatureSet, transform, served: ServedScorer
    ):
        self._raw_spec, self._features = raw_spec, features
        self._transform, self._served = transform, served

    def of(self, name: str):
        """A signature: its inputs as `tf.TensorSpec`s, and the function of them."""
        config = self._served.scorer.config
        if name == "serving_default":
            specs = [tf.TensorSpec([None], tf.string, name=EXAMPLES)]
            return specs, lambda given: self._ranked(name, self._parsed(given))
        if name == RANK_TENSORS:
            specs = tensor_specs(config)

            def inputs(given):
                inputs = from_tensors(given, config, self._is_compiled(name))
                return self._ranked(name, inputs)
        elif name == RANK_MATRIX:
            specs, inputs = self._of_matrix()
        elif name in ("rank", "rank_plain"):
            specs = packed_specs(self._features, _PLACES)

            def inputs(given):
                return self._ranked(name, self._unpacked(given))
        else:
            specs, inputs = self._of_user_side(is_made=name == USER_SIDE)
        names = [spec.name for spec in specs]
        return specs, lambda *given: inputs(dict(zip(names, given, strict=True)))

    def _of_matrix(self):
        """The signature that takes lists as rows of a matrix."""
        served, config = self._served, self._served.scorer.config
        packing = Packing(served.layout(served.widths[-1]))

        def ranked_rows(given):
            matrix = given[MATRIX]
            if self._is_compiled(RANK_MATRIX):
                return _named(served.rank_matrix(matrix, self._queue(RANK_MATRIX)))
            with on_host():
                rows = packing.unpack(packing.filled_up(matrix, 0))
                inputs = from_tensors(rows, config, is_compiled=False)
            return self._ranked(RANK_MATRIX, inputs)

        return [packing.spec], ranked_rows

    def _of_user_side(self, is_made: bool):
        """The two signatures that part a list in two: the first, or the second."""
        side = self._side
        if is_made:
            specs = packed_specs(self._features, ("user", "history"))
            return specs, lambda given: {USER_SIDE: side.make(self._unpacked(given))}
        specs = packed_specs(self._features, ("candidate",))
        specs.append(tf.TensorSpec([None, side.size], tf.float32, USER_SIDE))

        def with_side(given):
            vector = given.pop(USER_SIDE)
            inputs = self._unpacked(given)
            scores = side.scores(vector, inputs)
            return _named(ranked(scores, inputs[CANDIDATE_IS_VALID]))

        return specs, with_side

    @cached_property
    def _side(self) -> PackedUserSide:
        return PackedUserSide(self._served)

    def _ranked(self, name: str, inputs: dict) -> dict[str, tf.Tensor]:
        """Scores and order, the way the configuration asks for."""
        is_compiled = self._is_compiled(name)
        return _named(self._served.rank(inputs, self._queue(name), is_compiled))

    def _queue(self, name: str) -> str | None:
        """Where the lists of a signature wait for others."""
        return name if self._served.serving.batching else None

    def _is_compiled(self, name: str) -> bool:
        return name in self._served.serving.compiled_signatures()

    def _parsed(self, examples) -> dict:
        with on_host():
            return self._checked(tf.io.parse_example(examples, self._raw_spec))

    def _unpacked(self, given: dict) -> dict:
        """The model's inputs from packed ones; a place that was not sent is empty."""
        with on_host():
            batch = tf.shape(next(iter(given.values())))[0]
            packed = with_absent(given, self._features, batch)
            return self._checked(_unpack(packed, self._features))

    def _checked(self, raw: dict) -> dict:
        """Raw features to input tensors, or the error of the request they are of."""
        with tf.control_dependencies(check_raw(raw, self._features)):
            raw = {k: _identity(v) for k, v in raw.items()}
        return model_inputs(self._transform(raw))


def _unpack(packed: dict[str, tf.Tensor], features: FeatureSet) -> dict:
    """Packed columns to raw features, ragged by the count where the place is a list."""
    raw, places = {}, {}
    for name, columns in packed_columns(features).items():
        place, _ = name.split("_")
        values, rows = packed[name], None
        if place != "user":
            count = f"{place}_count"
            lengths = check_count(count, packed[count], name, values)
            if place not in places:
                # Row and column of each item, as rows of their lists.
                items = tf.where(tf.sequence_mask(lengths, tf.shape(values)[1]))
                places[place] = tf.RaggedTensor.from_row_lengths(
                    items, lengths, validate=False
                )
            rows = places[place]
            with tf.control_dependencies([lengths]):  # of this tensor, too
                values = tf.gather_nd(values, rows.values)
        for column, value in zip(
            columns, tf.unstack(values, len(columns), -1), strict=True
        ):
            raw[column] = value if rows is None else rows.with_values(value)
    return raw


def _identity(value):
    if isinstance(value, tf.RaggedTensor):
        return value.with_flat_values(tf.identity(value.flat_values))
    return tf.identity(value)


def _named(answer) -> dict[str, tf.Tensor]:
    return dict(zip(("scores", "order"), answer, strict=True))
