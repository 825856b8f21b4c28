"""The candidates of a list as vectors that know the user: every baseline's input."""

import keras
from keras import ops

from psad_tf.config import PSADConfig
from psad_tf.layers.attention_block import AttentionBlock
from psad_tf.layers.dense import Dense
from psad_tf.layers.feature_embedding import FeatureEmbedding


@keras.saving.register_keras_serializable(package="psad_tf")
class ItemVectors(keras.layers.Layer):
    """Candidates that have attended to the user's profile and history.

        x_i = block(W [embeddings_i ; dense_i], [W_u profile ; W_p history])

    So all rerankers are given the same: item, profile, history. The initial order is
    left to each of them.

    Args:
        config: A `PSADConfig`, or its values by name.
        history: Whether the history is attended to, or the profile alone.
    """

    def __init__(self, config, history=True, **kwargs):
        super().__init__(**kwargs)
        self.config = c = PSADConfig.of(config)
        self.history = history
        policy = self.dtype_policy
        self.item_embedding = FeatureEmbedding.of(c, "item", dtype=policy)
        self.user_embedding = FeatureEmbedding.of(c, "user", dtype=policy)
        self.item_part = Dense(c.hidden_dim, dtype=policy, name="item_part")
        self.user_part = Dense(
            c.hidden_dim, use_bias=False, dtype=policy, name="user_part"
        )
        self.past_part = Dense(c.hidden_dim, dtype=policy, name="past_part")
        self.personal = AttentionBlock.of(c, dtype=policy, name="personal")

    def build(self, inputs_shape=None):
        c = self.config
        fields = len(c.item_widths) * c.embedding_dim
        width, past_width = (
            fields + size for size in (c.candidate_dense_size, c.history_dense_size)
        )
        states = (None, c.list_length, c.hidden_dim)
        self.item_embedding.build((None, c.list_length, sum(c.item_widths)))
        self.user_embedding.build((None, sum(c.user_widths)))
        self.item_part.build((None, c.list_length, width))
        self.user_part.build((None, len(c.user_widths) * c.embedding_dim))
        self.past_part.build((None, c.history_length, past_width))
        self.personal.build(states, (None, c.history_length + 1, c.hidden_dim))

    def call(self, inputs, training=False):
        """Embeds.

        Args:
            inputs: The input tensors by name, see `psad_tf.model.PSAD`.
            training: Whether dropout is on.

        Returns:
            float `[batch, list, hidden_dim]`; padding has values of no meaning.
        """
        items = self._embed(inputs, "candidate", self.item_part, training)
        past = self._embed(inputs, "history", self.past_part, training)
        user = self.user_embedding(inputs["user_ids"], training=training)
        user = self.user_part(user)[:, None]
        # The profile is always there, so that an empty history leaves something to see.
        known = ops.concatenate([user, past], axis=1)
        is_past = inputs["history_is_valid"]
        if not self.history:
            is_past = ops.zeros_like(is_past)
        is_known = ops.pad(is_past, ((0, 0), (1, 0)), constant_values=True)
        return self.personal(items, known, is_known[:, None], training=training)

    def _embed(self, inputs, place, part, training):
        fields = self.item_embedding(inputs[f"{place}_ids"], training=training)
        dense = ops.cast(inputs[f"{place}_dense"], fields.dtype)
        return part(ops.concatenate([fields, dense], axis=-1))

    def get_config(self):
        return {
            **super().get_config(),
            "config": self.config.to_dict(),
            "history": self.history,
        }
