"""PIER's second half (OCPM): the clicks on the items of a page."""

import keras
from keras import ops

from psad_tf.baselines.omnidirectional_attention import OmnidirectionalAttention
from psad_tf.layers.attention_block import AttentionBlock
from psad_tf.layers.dense import Dense


@keras.saving.register_keras_serializable(package="psad_tf")
class ContextPrediction(keras.layers.Layer):
    """Logits of clicks on a page's items, given the user's past pages.

        logit_i = w . relu(W [item in its page ; page ; x_i])

    The page is the mean of its items after omnidirectional attention, and has attended
    to the user: to the profile and to the past pages.

    Args:
        dim: Width of x and of pages.
        num_layers: Layers of omnidirectional attention.
        num_heads: Heads of the attention to the user.
        ffn_multiple: Width of hidden layers, in that of their input.
        places: The most items a page has.
        dropout: Rate of dropout.
    """

    def __init__(
        self, dim, num_layers, num_heads, ffn_multiple, places, dropout=0.0, **kwargs
    ):
        super().__init__(**kwargs)
        self.dim = dim
        self.num_layers = num_layers
        self.num_heads = num_heads
        self.ffn_multiple = ffn_multiple
        self.places = places
        self.dropout = dropout
        policy, wide = self.dtype_policy, ffn_multiple * dim
        self.attention = OmnidirectionalAttention(
            num_layers, ffn_multiple, places, dim, dropout, dtype=policy, name="pages"
        )
        self.profile = Dense(dim, dtype=policy, name="profile")
        self.interest = AttentionBlock(
            num_heads, wide, dropout, dtype=policy, name="interest"
        )
        # The layer W in three parts: x_i is the same in all orders.
        self.of_item = Dense(wide, dtype=policy, name="of_item")
        self.of_place = Dense(wide, use_bias=False, dtype=policy, name="of_place")
        self.of_page = Dense(wide, use_bias=False, dtype=policy, name="of_page")
        self.click = Dense(1, dtype="float32", name="click")

    def build(self, fields_shape, profile_shape):
        states = (None, None, self.dim)
        self.attention.build(fields_shape)
        self.profile.build(profile_shape)
        self.interest.build(states, states)
        for layer in (self.of_item, self.of_place, self.of_page):
            layer.build(states)
        self.click.build((None, None, self.ffn_multiple * self.dim))

    def known(self, profile, pages, is_past, training=False):
        """What is known of the user: once a list, whatever the order.

        Args:
            profile: float `[batch, size]`.
            pages: float `[batch, pages, places, fields, field size]`.
            is_past: bool `[batch, pages, places]`.
            training: Whether dropout is on.

        Returns:
            float `[batch, 1 + pages, dim]`, the profile first, as there may be no page;
            and which of them there are, bool `[batch, 1 + pages]`.
        """
        count = pages.shape[1]
        _, past = self.attention(*_flat(pages, is_past), training=training)
        past = ops.reshape(past, (-1, count, self.dim))
        known = ops.concatenate([self.profile(profile)[:, None], past], axis=1)
        is_page = ops.any(is_past, axis=2)
        return known, ops.pad(is_page, ((0, 0), (1, 0)), constant_values=True)

    def call(self, items, fields, order, known, training=False):
        """Predicts.

        Args:
            items: float `[batch, list, dim]`, x.
            fields: float `[batch, list, fields, field size]`.
            order: int32 `[batch, orders, places]`, -1 past the list's end.
            known: From `known`.
            training: Whether dropout is on.

        Returns:
            float32 `[batch, orders, places]`, of no meaning past the list's end.
        """
        count, places = order.shape[1:]
        length, *size = fields.shape[1:]
        placed = ops.one_hot(order, length, dtype=fields.dtype)
        placed = ops.reshape(placed, (-1, count * places, length))
        flat = ops.reshape(fields, (-1, length, size[0] * size[1]))
        listed = ops.reshape(ops.matmul(placed, flat), (-1, count, places, *size))
        in_page, page = self.attention(*_flat(listed, order >= 0), training=training)
        page = ops.reshape(page, (-1, count, self.dim))
        known, is_known = known
        page = self.interest(page, known, is_known[:, None], training=training)
        in_page = ops.reshape(in_page, (-1, count, places, self.dim))
        item = ops.matmul(placed, self.of_item(items))
        item = ops.reshape(item, (-1, count, places, item.shape[-1]))
        hidden = item + self.of_place(in_page) + self.of_page(page)[:, :, None]
        return self.click(ops.relu(hidden))[..., 0]

    def get_config(self):
        return {
            **super().get_config(),
            "dim": self.dim,
            "num_layers": self.num_layers,
            "num_heads": self.num_heads,
            "ffn_multiple": self.ffn_multiple,
            "places": self.places,
            "dropout": self.dropout,
        }


def _flat(fields, is_valid):
    """Pages of all lists: `[batch, pages, ...]` to `[batch * pages, ...]`."""
    return (ops.reshape(x, (-1, *x.shape[2:])) for x in (fields, is_valid))
