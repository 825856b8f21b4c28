"""The scorer at other widths: the same weights for fewer places.

All that knows of places is the position bias and the embeddings of places. Of both a
narrower list takes a part, so that a list scores alike at every width that holds it:
its candidates are the first of the list, and the newest past items are those next to
them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import tensorflow as tf

from psad_tf import tensors
from psad_tf.layers.position_bias import PersonalizedPositionBias
from psad_tf.layers.scorer import Scorer

_OF_LIST = (tensors.CANDIDATE_IDS, tensors.CANDIDATE_DENSE, tensors.CANDIDATE_IS_VALID)
_OF_HISTORY = (tensors.HISTORY_IDS, tensors.HISTORY_DENSE, tensors.HISTORY_IS_VALID)


@dataclass(frozen=True)
class Window:
    """The part of a position bias that a narrower one is.

    Args:
        rows: The first row.
        columns: The first column.
    """

    rows: int
    columns: int


def computing(scorer, width: tuple[int, int], is_full: bool, precision: str):
    """A scorer at a width, computing in the precision that was asked for; or itself."""
    policy = scorer.dtype_policy
    if precision == "bfloat16":
        policy = "mixed_bfloat16"
    elif is_full:
        return scorer
    if isinstance(scorer, Scorer):
        return resized(scorer, *width, policy)
    model = type(scorer).from_config(scorer.get_config() | {"dtype": policy})
    model.build()
    return model


def resized(scorer: Scorer, list_width: int, history_width: int, dtype) -> Scorer:
    """A scorer of other widths, with weights that wait to be replaced.

    Args:
        scorer: The scorer.
        list_width: Candidates of a list.
        history_width: Past items of a list.
        dtype: The dtype policy that it computes by.
    """
    config = replace(
        scorer.config,
        list_length=list_width,
        history_length=history_width,
        # Of the teacher, whose slots must not outnumber the candidates.
        **_smaller_slate(scorer.config, list_width),
    )
    narrow = Scorer(config, dtype=dtype, name=scorer.name)
    narrow.build()
    return narrow


def narrowed(reads: list[Callable], scorer: Scorer, narrow: Scorer) -> list[Callable]:
    """How a resized scorer's weights are read, from how the scorer's own are.

    Args:
        reads: Of each weight of `scorer`, in its order, a function that reads it.
        scorer: The scorer.
        narrow: From `resized`.

    Returns:
        The same of each weight of `narrow`, in its order.
    """
    found = {id(w): read for w, read in zip(scorer.weights, reads, strict=True)}
    wide, small = scorer.encoder.encoder, narrow.encoder.encoder
    # In a set all candidates share one place.
    fewer = 0 if wide.candidates == "set" else wide.num_states - small.num_states
    for full, part in zip(wide.biases, small.biases, strict=True):
        key, window = id(full.values), _window(full, part, fewer)
        found[key] = partial(_read_bias, found[key], full, part, window)
    if scorer.encoder.places is not None:
        key, length = id(scorer.encoder.places.weights[0]), narrow.config.list_length
        found[key] = partial(_read_first, found[key], length)
    return [found[id(w)] for w in scorer.weights]


def _read_bias(read, full, part, window):
    return bias_part(read(), full, part, window)


def _read_first(read, count: int):
    return read()[:count]


def cut(inputs: dict, width: tuple[int, int]) -> dict:
    """Input tensors at a narrower width.

    Args:
        inputs: The tensors by name.
        width: Of lists and histories.
    """
    found = dict(inputs)
    for names, length in zip((_OF_LIST, _OF_HISTORY), width, strict=True):
        found |= {name: inputs[name][:, :length] for name in names if name in inputs}
    return found


def widened(output: tf.Tensor, length: int, full: int) -> tf.Tensor:
    """Scores or order of narrow lists as those of full ones.

    Args:
        output: `[batch, length]`, scores or int32.
        length: Of the narrow lists.
        full: Of the full ones.

    Returns:
        `[batch, full]`; a very low score, or -1, past the end.
    """
    output.set_shape([None, length])
    if length == full:
        return output
    padding = output.dtype.min / 2 if output.dtype.is_floating else -1
    return tf.pad(output, ((0, 0), (0, full - length)), constant_values=padding)


def smallest_width(widths, inputs) -> tf.Tensor:
    """The index of the smallest width that holds every list and history: int32.

    Args:
        widths: All of them, each list width with each history width, increasing.
        inputs: The model's input tensors by name.
    """

    def longest(name):
        counts = tf.reduce_sum(tf.cast(inputs[name], tf.int32), axis=1)
        return tf.reduce_max(tf.concat([counts, [0]], 0))  # there may be no list

    def number(widths, name):
        return tf.reduce_sum(tf.cast(longest(name) > tf.constant(widths), tf.int32))

    lists, histories = (sorted({*w}) for w in zip(*widths, strict=True))
    row = number(lists, tensors.CANDIDATE_IS_VALID)
    return row * len(histories) + number(histories, tensors.HISTORY_IS_VALID)


def bias_part(
    values: tf.Tensor,
    full: PersonalizedPositionBias,
    part: PersonalizedPositionBias,
    window: Window,
) -> tf.Tensor:
    """The values of a narrower bias.

    Args:
        values: float `[values of full]`.
        full: The bias they are of.
        part: The narrower one.
        window: Where it lies in `full`.

    Returns:
        float `[values of part]`, such that the matrix that `part` makes of them is the
        window of the matrix that `full` makes of `values`.
    """
    if full.kind == "table":
        matrix = tf.reshape(values, (full.num_queries, full.num_keys))
        rows = slice(window.rows, window.rows + part.num_queries)
        columns = slice(window.columns, window.columns + part.num_keys)
        return tf.reshape(matrix[rows, columns], (-1,))
    # Query q and key k have the value k - q + num_queries - 1, in both.
    start = window.columns - window.rows + full.num_queries - part.num_queries
    return values[start : start + part.num_keys + part.num_queries - 1]


def _window(full, part, fewer: int) -> Window:
    """A narrower bias begins where its oldest past item stands.

    Args:
        full: The wide bias.
        part: The narrow one.
        fewer: How many places of candidates the narrow one lacks.
    """
    past = full.num_keys - part.num_keys - fewer
    # The last layer has rows for candidates alone.
    is_whole = full.num_queries == full.num_keys
    return Window(past if is_whole else 0, past)


def _smaller_slate(config, list_width: int) -> dict[str, int]:
    if config.slate_length <= list_width:
        return {}
    return {"slate_length": list_width, "block_size": 1, "refine_size": 0}
