"""SetRank: ranking by self-attention over a set (Pang et al., SIGIR 2020)."""

import keras
from keras import ops

from psad_tf.baselines.attention_rank import attention_rank_loss
from psad_tf.baselines.item_vectors import ItemVectors
from psad_tf.baselines.reranker import TRAIN, Reranker
from psad_tf.layers.attention_block import AttentionBlock
from psad_tf.layers.dense import Dense
from psad_tf.masking import mask_logits


@keras.saving.register_keras_serializable(package="psad_tf")
class InducedBlock(keras.layers.Layer):
    """Attention by way of a few learned vectors: the paper's IMSAB.

        H = MAB(I, X);  Y = MAB(X, H)

    MAB is an `AttentionBlock`. The cost grows with the length of the list, not with its
    square, and the output of an item does not depend on the order of the others.

    Args:
        num_vectors: Rows of I; M of the paper.
        num_heads: Heads; divides the width.
        ffn_dim: Width of the feed-forward layers.
        dropout: Rate of dropout.
    """

    def __init__(self, num_vectors, num_heads, ffn_dim, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.num_vectors = num_vectors
        self.num_heads = num_heads
        self.ffn_dim = ffn_dim
        self.dropout = dropout
        self.gather, self.spread = (
            AttentionBlock(
                num_heads, ffn_dim, dropout, dtype=self.dtype_policy, name=name
            )
            for name in ("gather", "spread")
        )

    def build(self, items_shape, keys_shape=None, is_visible_shape=None):
        dim = items_shape[-1]
        self.vectors = self.add_weight(
            name="vectors",
            shape=(1, self.num_vectors, dim),
            initializer="glorot_normal",
        )
        few = (None, self.num_vectors, dim)
        self.gather.build(few, items_shape)
        self.spread.build(items_shape, few)

    def call(self, queries, keys, is_visible, training=False):
        """Attends.

        Args:
            queries: float `[batch, list, dim]`.
            keys: The same: the call is that of an `AttentionBlock`.
            is_visible: bool `[batch, 1, list]`.
            training: Whether dropout is on.

        Returns:
            float `[batch, list, dim]`.
        """
        vectors = ops.cast(self.vectors, self.compute_dtype)
        vectors = ops.repeat(vectors, ops.shape(keys)[0], axis=0)
        few = self.gather(vectors, keys, is_visible, training=training)
        every = ops.ones((1, 1, self.num_vectors), dtype="bool")
        return self.spread(queries, few, every, training=training)

    def get_config(self):
        return {
            **super().get_config(),
            "num_vectors": self.num_vectors,
            "num_heads": self.num_heads,
            "ffn_dim": self.ffn_dim,
            "dropout": self.dropout,
        }


@keras.saving.register_keras_serializable(package="psad_tf")
class SetRank(Reranker):
    """Self-attention over the candidates as a set.

        E_i = x_i + ordinal_i;  F = blocks(E);  s_i = w F_i + b

    Without the ordinal embeddings of the initial places, the candidates' order in the
    input does not count: the paper's permutation invariance. A block is a multi-head
    self-attention block (MSAB) or an induced one (IMSAB). Trained by
    `attention_rank_loss`.

    Differs from the paper: one initial order, so one ordinal embedding an item; lists
    without a click are left out of the loss; the width and depth are those of all
    models compared (6 blocks of 256 there).

    Args:
        config: A `PSADConfig`, or its values by name, for sizes, widths and dropout.
        ordinal: Whether a candidate's place in the initial order is embedded.
        inducing: Vectors of each induced block, M of the paper; 0 for plain blocks.
    """

    title = "SetRank"
    search = {"ordinal": (False, True), "inducing": (0, 8)}

    def __init__(self, config, ordinal=True, inducing=0, **kwargs):
        if inducing < 0:
            raise ValueError(f"inducing={inducing}; it must be 0 or more")
        super().__init__(config, **kwargs)
        c, policy = self.config, self.dtype_policy
        self.inducing = inducing
        self.items = ItemVectors(c, dtype=policy, name="items")
        self.ordinal = None
        if ordinal:
            self.ordinal = keras.layers.Embedding(
                c.list_length, c.hidden_dim, dtype=policy, name="ordinal"
            )
        self.blocks = [self._block(f"block_{i}") for i in range(c.num_layers)]
        # In float32: half precision ties the scores of like candidates.
        self.score = Dense(1, dtype="float32", name="score")

    def _block(self, name):
        c = self.config
        sizes = c.num_heads, c.ffn_multiple * c.hidden_dim, c.dropout
        known = {"dtype": self.dtype_policy, "name": name}
        if self.inducing:
            return InducedBlock(self.inducing, *sizes, **known)
        return AttentionBlock(*sizes, **known)

    def build(self, inputs_shape=None):
        c = self.config
        states = (None, c.list_length, c.hidden_dim)
        self.items.build()
        if self.ordinal is not None:
            self.ordinal.build((None,))
        for block in self.blocks:
            block.build(states, states)
        self.score.build(states)

    def call(self, inputs, training=False):
        """Scores."""
        is_valid = inputs["candidate_is_valid"]
        states = self.items(inputs, training=training)
        if self.ordinal is not None:
            states = states + self.ordinal(ops.arange(states.shape[1]))
        for block in self.blocks:
            states = block(states, states, is_valid[:, None], training=training)
        return mask_logits(self.score(states)[..., 0], is_valid)

    def list_loss(self, inputs, label, training=False, stage=TRAIN):
        scores = self(inputs, training=training)
        return attention_rank_loss(scores, label, inputs["candidate_is_valid"])

    def get_config(self):
        return {
            **super().get_config(),
            "ordinal": self.ordinal is not None,
            "inducing": self.inducing,
        }
