"""A pointer network's decoder: one item after the other, from those that remain."""

from typing import NamedTuple

import keras
from keras import ops

from psad_tf import targets
from psad_tf.baselines.slates import extend, first_beams, of_beams
from psad_tf.layers.dense import Dense
from psad_tf.masking import mask_logits


class Paths(NamedTuple):
    """Orders as they were chosen, several a list.

    Args:
        order: int32 `[batch, paths, slate]`, -1 past the list's end.
        logits: float32 `[batch, paths, slate, list]`, what each place chose by.
        remains: bool `[batch, paths, slate, list]`, what it could choose from.
    """

    order: object
    logits: object
    remains: object


@keras.saving.register_keras_serializable(package="psad_tf")
class PointerDecoder(keras.layers.Layer):
    """The next item's probabilities, given the items before it.

        d_t = LSTM(x of the item at t - 1);  logit_ti = v . tanh(W e_i + U d_t)

    and a softmax over the items that remain. The first input is learned. What a method
    takes, the candidates' vectors: `items` x, `states` e, both float
    `[batch, list, dim]`, and `start`, the LSTM's first state and memory, each
    `[batch, dim]`.

    Args:
        dim: Width of states; that of x and e too.
        num_layers: LSTMs on top of each other; all begin with `start`.
        dropout: Rate of dropout of d_t.
    """

    def __init__(self, dim, num_layers=1, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.dim = dim
        self.num_layers = num_layers
        self.dropout = dropout
        policy = self.dtype_policy
        self.lstms = [
            # Fused kernels know neither single steps nor stacked weights.
            keras.layers.LSTM(
                dim,
                return_sequences=True,
                use_cudnn=False,
                dtype=policy,
                name=f"lstm_{i}",
            )
            for i in range(num_layers)
        ]
        self.key = Dense(dim, dtype=policy, name="key")
        self.query = Dense(dim, use_bias=False, dtype=policy, name="query")
        # In float32: half precision ties the logits of like candidates.
        self.point = Dense(1, use_bias=False, dtype="float32", name="point")
        self.drop = keras.layers.Dropout(dropout, dtype=policy)

    def build(self, items_shape=None):
        states = (None, None, self.dim)
        self.first = self.add_weight(shape=(self.dim,), name="first")
        for lstm in self.lstms:
            lstm.build(states)
        self.key.build(states)
        self.query.build(states)
        self.point.build(states)

    def call(self, items, states, start, order, is_valid, training=False):
        """Logits along orders that are given, all places at once.

        Args:
            items, states, start: See above.
            order: int32 `[batch, paths, slate]`, -1 past the list's end.
            is_valid: bool `[batch, list]`.
            training: Whether dropout is on.

        Returns:
            `Paths`, with this order.
        """
        paths, slate = order.shape[1:]
        placed = ops.one_hot(order[:, :, :-1], items.shape[1], dtype=items.dtype)
        before = ops.matmul(placed, items[:, None])
        outputs = ops.concatenate(
            [ops.zeros_like(before[:, :, :1]) + self._first(items), before], axis=2
        )
        outputs = ops.reshape(outputs, (-1, slate, self.dim))
        start = [ops.repeat(s, paths, axis=0) for s in start]
        for lstm in self.lstms:
            outputs = lstm(outputs, initial_state=start)
        outputs = ops.reshape(outputs, (-1, paths * slate, self.dim))
        logits = self._point(self.key(states), outputs, training)
        logits = ops.reshape(logits, (-1, paths, slate, items.shape[1]))
        remains = targets.remaining(
            ops.reshape(order, (-1, slate)), ops.repeat(is_valid, paths, axis=0), 1
        )
        return Paths(order, logits, ops.reshape(remains, ops.shape(logits)))

    def choose(self, items, states, start, is_valid, slate, noise=None, training=False):
        """Orders chosen item by item: the most likely ones, or drawn.

        Args:
            items, states, start: See above.
            is_valid: bool `[batch, list]`.
            slate: Places.
            noise: float32 `[batch, paths, slate, list]`, Gumbel noise that draws a path
                each; None is one path of the most likely items.
            training: Whether dropout is on.

        Returns:
            `Paths`; gradients flow through the logits.
        """
        paths = 1 if noise is None else noise.shape[1]
        length, keys = items.shape[1], self.key(states)
        carry, inputs = self._start(items, start, paths)
        remains = ops.repeat(is_valid[:, None], paths, axis=1)
        found = []
        for place in range(slate):
            carry, outputs = self._step(carry, inputs)
            logits = self._point(keys, outputs, training)
            drawn = logits if noise is None else logits + noise[:, :, place]
            item = ops.cast(ops.argmax(mask_logits(drawn, remains), axis=-1), "int32")
            item = ops.where(ops.any(remains, axis=-1), item, -1)
            found.append((item, logits, remains))
            inputs = ops.matmul(ops.one_hot(item, length, dtype=items.dtype), items)
            remains = remains & ~ops.one_hot(item, length, dtype="bool")
        return Paths(*(ops.stack(part, axis=2) for part in zip(*found, strict=True)))

    def beam_search(self, items, states, start, is_valid, slate, width):
        """The order with the highest probability that a beam search finds.

        Args:
            items, states, start: See above.
            is_valid: bool `[batch, list]`.
            slate: Places.
            width: Orders kept.

        Returns:
            The order, int32 `[batch, slate]`; and the logits of its last place,
            float32 `[batch, list]`.
        """
        length, keys = items.shape[1], self.key(states)
        carry, inputs = self._start(items, start, width)
        remains = ops.repeat(is_valid[:, None], width, axis=1)
        worth, order = first_beams(is_valid, width), []
        for _ in range(slate):
            carry, outputs = self._step(carry, inputs)
            logits = self._point(keys, outputs, training=False)
            log_p = ops.log_softmax(mask_logits(logits, remains))
            worth, parent, item = extend(worth, log_p, remains)
            carry = [[of_beams(s, parent) for s in states] for states in carry]
            order = [of_beams(items_before, parent) for items_before in order] + [item]
            inputs = ops.matmul(ops.one_hot(item, length, dtype=items.dtype), items)
            taken = ops.one_hot(item, length, dtype="bool")
            remains = of_beams(remains, parent) & ~taken
        # The best beam comes first.
        return ops.stack(order, axis=2)[:, 0], of_beams(logits, parent)[:, 0]

    def _first(self, items):
        return ops.cast(self.first, items.dtype)

    def _start(self, items, start, paths):
        """Each LSTM's state and memory, and the first input: `[batch, paths, dim]`."""
        start = [ops.repeat(s[:, None], paths, axis=1) for s in start]
        return [start] * self.num_layers, ops.zeros_like(start[0]) + self._first(items)

    def _step(self, carry, inputs):
        """One step of all LSTMs; all that goes in and out is `[batch, paths, dim]`."""
        paths, after = inputs.shape[1], []
        outputs = ops.reshape(inputs, (-1, self.dim))
        for lstm, states in zip(self.lstms, carry, strict=True):
            flat = [ops.reshape(s, (-1, self.dim)) for s in states]
            outputs, states = lstm.cell(outputs, flat)
            after.append([ops.reshape(s, (-1, paths, self.dim)) for s in states])
        return after, after[-1][0]

    def _point(self, keys, outputs, training):
        """Logits, float32 `[batch, outputs, list]`."""
        queries = self.query(self.drop(outputs, training=training))
        return self.point(ops.tanh(keys[:, None] + queries[:, :, None]))[..., 0]

    def get_config(self):
        return {
            **super().get_config(),
            "dim": self.dim,
            "num_layers": self.num_layers,
            "dropout": self.dropout,
        }
