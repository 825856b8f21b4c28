"""Every size and every choice of the model, frozen; travels as JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from psad_tf.config_checks import check
from psad_tf.errors import ConfigError


@dataclass(frozen=True)
class PSADConfig:
    """Sizes of the input tensors, then the choices of the model.

    All item fields share one id space and all user fields another; id 0 is padding and
    each field has an id of its own for unknown values.

    Args:
        item_rows: Ids of the item space, padding included.
        item_widths: Columns of each item field; more than one where multivalent.
        item_unknown_ids: Each item field's id for unknown values.
        user_rows: Ids of the user space, padding included.
        user_widths: Columns of each user field.
        user_unknown_ids: Each user field's id for unknown values.
        candidate_dense_size: Dense features of a candidate.
        history_dense_size: Dense features of a past item.
        list_length: The most candidates a list has; M of the paper.
        history_length: The most past items a list has; N of the paper.
        slate_length: How many items the generator puts in order; T of the paper.
        embedding_dim: Width of one field's embedding.
        hidden_dim: Width of encoder and decoder states; d of the paper.
        num_layers: Encoder layers.
        num_decoder_layers: Decoder layers.
        num_heads: Attention heads; divides `hidden_dim`.
        ffn_multiple: Width of the feed-forward layers, in `hidden_dim`.
        block_size: Items generated at once; K of the paper. 1 is autoregressive,
            `slate_length` is non-autoregressive.
        refine_size: Slots predicted again; γ of the paper. 0 leaves eq 4 out.
        dropout: Rate of dropout in attention and feed-forward layers.
        id_dropout: In training, how often a field's ids become its unknown id or one
            of its hash buckets, so that the embedding of unknown values is learned.
        item_id_dropout_fields: The item fields this happens to, by index.
        user_id_dropout_fields: The user fields this happens to, by index.
        position: P of eq 1 as `relative` values or as a full `table`.
        candidates: What becomes of the initial order: a `sequence`, where P sees each
            candidate a step further from the history; `ranked`, where a candidate also
            has an embedding of its place, as in PRM; or a `set`, all at the same place
            behind the history, so that where a candidate was shown counts for nothing.
        history: What becomes of the past items: `encoded` with the candidates, as in
            eq 1; `attended` to by the candidates in every layer, as they came in; or
            met by the candidates in a layer of their own, `personal`, before the
            encoder sees the candidates alone.
        position_placement: P added to the attention's `logits`, or to its `weights` as
            eq 1 is printed.
        interaction: How the user's profile meets the items: `gate` is eq 11-12;
            `concatenation` brings item and profile side by side through a linear layer
            (the sum of a layer on each); `late_fusion` does so with the encoder's
            states; `none` leaves the profile out.
        personal_position: Whether eq 13 fits P to the user.
        generation_weight: Of the generator's losses next to the scorer's in eq 10; 0
            leaves a scorer that was taught by nobody.
        distillation_weight: α of eq 10.
        temperature: τ of eq 9.
        target_order: The order whose items a slot of the generator is given as placed
            before it in training: clicked items first, each group as it was `shown` or
            `shuffled`; `sampled` from the student's scores, as when generating; or
            `exposed`, as the whole list was shown, where a slot learns from the click
            on its own item alone.
        generation_loss: The cross-entropy of eq 6: `bce` of each candidate, `softmax`
            over those that remain, or `clicks`, the first half of `bce`, as printed.
        scorer_loss: Eq 7, in the same three forms.
        distill_from: Eq 8-9 on `logits`, or on `probabilities` as printed.
        hinge_on: The hinge of eq 6 on `logits`, or on `probabilities` as printed.
        hinge_weight: Of the hinge next to the cross-entropy in eq 6; 1 as printed. It
            looks at the hardest pair alone, which noisy clicks make a bad teacher.
        loss_reduction: Losses of a list as a `mean` over its slots and candidates, or
            as a `sum` as printed.
        beam_width: Orders kept while generating.
        item_hash_buckets: Ids for hashed values after each item field's unknown id;
            empty for none.
        user_hash_buckets: The same of each user field.
        item_table: Embeddings of the item space as a `full` table, or those of fields
            of more than `item_table_remainder` ids as a `quotient_remainder` pair.
        item_table_remainder: Rows of the remainder table; 0 with a full table.
        user_table: The same of the user space.
        user_table_remainder: The same of the user space.

    Raises:
        ConfigError: A value is out of range, or two values do not fit together.
    """

    item_rows: int
    item_widths: tuple[int, ...]
    item_unknown_ids: tuple[int, ...]
    user_rows: int
    user_widths: tuple[int, ...]
    user_unknown_ids: tuple[int, ...]
    candidate_dense_size: int
    history_dense_size: int
    list_length: int
    history_length: int
    slate_length: int = 10
    embedding_dim: int = 16
    hidden_dim: int = 32
    num_layers: int = 2
    num_decoder_layers: int = 1
    num_heads: int = 2
    ffn_multiple: int = 2
    block_size: int = 2
    refine_size: int = 1
    dropout: float = 0.1
    id_dropout: float = 0.05
    item_id_dropout_fields: tuple[int, ...] = (0,)
    user_id_dropout_fields: tuple[int, ...] = (0,)
    position: str = "relative"
    candidates: str = "ranked"
    history: str = "attended"
    position_placement: str = "logits"
    interaction: str = "gate"
    personal_position: bool = True
    generation_weight: float = 1.0
    distillation_weight: float = 0.5
    temperature: float = 1.0
    target_order: str = "sampled"
    generation_loss: str = "bce"
    scorer_loss: str = "bce"
    distill_from: str = "logits"
    hinge_on: str = "logits"
    hinge_weight: float = 0.0
    loss_reduction: str = "mean"
    beam_width: int = 4
    item_hash_buckets: tuple[int, ...] = ()
    user_hash_buckets: tuple[int, ...] = ()
    item_table: str = "full"
    item_table_remainder: int = 0
    user_table: str = "full"
    user_table_remainder: int = 0

    def __post_init__(self):
        check(self)

    def to_dict(self) -> dict:
        """The values by name, with lists in place of tuples."""
        return {
            k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()
        }

    @classmethod
    def of(cls, config: "PSADConfig | Mapping") -> "PSADConfig":
        """A config as it is, or one from the values by name.

        Raises:
            ConfigError: A name is unknown or missing, or a value is out of range.
        """
        if isinstance(config, cls):
            return config
        known = {f.name for f in fields(cls)}
        if unknown := sorted(set(config) - known):
            raise ConfigError(f"unknown names {unknown}; known: {sorted(known)}")
        try:
            return cls(
                **{k: tuple(v) if isinstance(v, list) else v for k, v in config.items()}
            )
        except TypeError as error:
            raise ConfigError(f"the configuration is incomplete: {error}") from error

    def to_json(self) -> str:
        """The configuration as a JSON object."""
        return json.dumps(self.to_dict(), indent=2)

    @classmethod
    def from_json(cls, text: str) -> "PSADConfig":
        """The configuration that `to_json` wrote."""
        return cls.of(json.loads(text))
