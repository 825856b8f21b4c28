"""From the input tensors to one state for each candidate."""

import keras
from keras import ops

from psad_tf.config import PSADConfig
from psad_tf.errors import ConfigError
from psad_tf.layers.attention_block import AttentionBlock
from psad_tf.layers.dense import Dense
from psad_tf.layers.feature_embedding import FeatureEmbedding
from psad_tf.layers.late_fusion import LateFusion
from psad_tf.layers.shared_encoder import SharedEncoder
from psad_tf.layers.user_profile_gate import UserProfileGate
from psad_tf.layers.user_side import UserSide
from psad_tf.masking import align_right


@keras.saving.register_keras_serializable(package="psad_tf")
class ListEncoder(keras.layers.Layer):
    """Embeds history, candidates and user, and encodes them together.

    An item is its embedded fields next to its dense features, brought to the width of
    the states. History and candidates share the weights of the fields; their dense
    features differ, and so do the weights of those.

    Args:
        config: A `PSADConfig`, or its values by name.
    """

    def __init__(self, config, **kwargs):
        super().__init__(**kwargs)
        self.config = c = PSADConfig.of(config)
        policy = self.dtype_policy
        self.item_embedding = FeatureEmbedding.of(c, "item", dtype=policy)
        self.user_embedding = FeatureEmbedding.of(c, "user", dtype=policy)
        self.fields = Dense(c.hidden_dim, use_bias=False, dtype=policy, name="fields")
        self.history_dense = Dense(c.hidden_dim, dtype=policy, name="history_dense")
        self.candidate_dense = Dense(c.hidden_dim, dtype=policy, name="candidate_dense")
        # What is not asked for is None; it has no weights.
        self.places = self.gate = self.late_fusion = None
        if c.candidates == "ranked":
            self.places = keras.layers.Embedding(
                c.list_length, c.hidden_dim, dtype=policy, name="places"
            )
        if c.interaction in ("gate", "concatenation"):
            self.gate = UserProfileGate(
                c.interaction == "gate", dtype=policy, name="gate"
            )
        elif c.interaction == "late_fusion":
            self.late_fusion = LateFusion(dtype=policy, name="late_fusion")
        self.user_part = self.personal = None
        if c.history == "personal":
            self.user_part = Dense(
                c.hidden_dim, use_bias=False, dtype=policy, name="user_part"
            )
            self.personal = AttentionBlock.of(c, dtype=policy, name="personal")
        self.encoder = SharedEncoder(
            num_layers=c.num_layers,
            num_heads=c.num_heads,
            ffn_dim=c.ffn_multiple * c.hidden_dim,
            num_states=c.list_length,
            dropout=c.dropout,
            position=c.position,
            placement=c.position_placement,
            personal=c.personal_position,
            candidates=c.candidates,
            history="attended" if c.history == "attended" else "encoded",
            dtype=policy,
            name="encoder",
        )

    def build(self, inputs_shape=None):
        c = self.config
        length = c.history_length + c.list_length
        items = (None, length, c.hidden_dim)
        user = (None, len(c.user_widths) * c.embedding_dim)
        self.item_embedding.build((None, length, sum(c.item_widths)))
        self.user_embedding.build((None, sum(c.user_widths)))
        self.fields.build((None, length, len(c.item_widths) * c.embedding_dim))
        self.history_dense.build((None, c.history_length, c.history_dense_size))
        self.candidate_dense.build((None, c.list_length, c.candidate_dense_size))
        if self.places is not None:
            self.places.build((None,))
        if self.gate is not None:
            self.gate.build(items, user)
        if self.personal is not None:
            self.user_part.build(user)
            length, candidates = c.list_length, (None, c.list_length, c.hidden_dim)
            self.personal.build(candidates, (None, c.history_length + 1, c.hidden_dim))
            items = candidates
        self.encoder.build(items, (None, length), user)
        if self.late_fusion is not None:
            self.late_fusion.build((None, c.list_length, c.hidden_dim), user)

    def call(self, inputs, training=False):
        """Encodes.

        Args:
            inputs: The input tensors by name, see `psad_tf.model.PSAD`.
            training: Whether dropout is on.

        Returns:
            float `[batch, list, hidden_dim]`.
        """
        (past_ids, past_dense), past_is_valid = _aligned(inputs)
        user = self.user_embedding(inputs["user_ids"], training=training)
        # Together, though either could be done alone: fewer and larger products.
        ids = ops.concatenate([past_ids, inputs["candidate_ids"]], axis=1)
        dense = ops.concatenate(
            [self.history_dense(past_dense), self._shown(inputs)], axis=1
        )
        profile = self._profile(user)
        items = self._items(ids, dense, profile, training)
        past, shown = ops.split(items, [self.config.history_length], axis=1)
        side = UserSide(user, profile, past, past_is_valid, None)
        is_valid = inputs["candidate_is_valid"]
        return self._encode(side, shown, is_valid, training, items)

    def user_side(self, inputs) -> UserSide:
        """What the candidates have no part in, to be used for many lists of a user.

        Args:
            inputs: The input tensors of the user and of the history by name.

        Raises:
            ConfigError: The history is encoded with the candidates.
        """
        if self.config.history == "encoded":
            raise ConfigError(
                "history='encoded': past items look at the candidates, so nothing of "
                "them can be kept; use history='attended' or 'personal'"
            )
        (ids, dense), is_valid = _aligned(inputs)
        user = self.user_embedding(inputs["user_ids"])
        profile, position = self._profile(user), self.encoder.position_of(user)
        past = self._items(ids, self.history_dense(dense), profile)
        return UserSide(user, profile, past, is_valid, position)

    def with_user_side(self, side: UserSide, inputs):
        """Encodes candidates beside what `user_side` made: as `call` without training.

        Args:
            side: Of the user of each list.
            inputs: The input tensors of the candidates by name.
        """
        shown = self._items(inputs["candidate_ids"], self._shown(inputs), side.profile)
        return self._encode(side, shown, inputs["candidate_is_valid"])

    def _shown(self, inputs):
        """The candidates' part that no past item has: float `[batch, list, dim]`."""
        shown = self.candidate_dense(inputs["candidate_dense"])
        if self.places is not None:
            shown = shown + self.places(ops.arange(self.config.list_length))
        return shown

    def _profile(self, user):
        """What the gate makes of the user alone; None without a gate."""
        return None if self.gate is None else self.gate.profile_of(user)

    def _items(self, ids, dense, profile, training=False):
        """Items as the user sees them: float `[batch, length, dim]`."""
        items = self.fields(self.item_embedding(ids, training=training)) + dense
        return items if self.gate is None else self.gate(items, profile=profile)

    def _encode(self, side, shown, is_valid, training=False, items=None):
        """The states of `shown` candidates; `items` has them behind the past ones."""
        if self.personal is not None:
            items = self._personal(side, shown, training)
        else:
            is_valid = ops.concatenate([side.past_is_valid, is_valid], axis=1)
            if items is None:
                items = ops.concatenate([side.past, shown], axis=1)
        states = self.encoder(
            items, is_valid, side.user, side.position, training=training
        )
        fusion = self.late_fusion
        return states if fusion is None else fusion(states, side.user)

    def _personal(self, side, shown, training):
        """The candidates once they have attended to profile and history."""
        # The profile is always there, so that an empty history leaves something to see.
        profile = self.user_part(side.user)[:, None]
        known = ops.concatenate([profile, side.past], axis=1)
        is_known = ops.pad(side.past_is_valid, ((0, 0), (1, 0)), constant_values=True)
        return self.personal(shown, known, is_known[:, None], training=training)

    def get_config(self):
        return {**super().get_config(), "config": self.config.to_dict()}


def _aligned(inputs):
    """Ids and numbers of the past items, newest last, and where they are real."""
    past = inputs["history_ids"], inputs["history_dense"]
    return align_right(past, inputs["history_is_valid"])
