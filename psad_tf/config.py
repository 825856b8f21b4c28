"""Every size and every choice of the model, frozen; travels as JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from psad_tf.errors import ConfigError

CHOICES = {
    "position": ("relative", "table"),
    "position_placement": ("logits", "weights"),
    "scorer_loss": ("bce", "softmax"),
    "distill_from": ("logits", "probabilities"),
    "hinge_on": ("logits", "probabilities"),
    "loss_reduction": ("mean", "sum"),
}
AT_LEAST_ONE = (
    "list_length history_length slate_length embedding_dim hidden_dim num_layers "
    "num_decoder_layers num_heads ffn_multiple block_size beam_width"
).split()
AT_LEAST_ZERO = ("candidate_dense_size", "history_dense_size", "refine_size")


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
        id_dropout: In training, how often a field's ids become its unknown id, so that
            the embedding of unknown values is learned.
        item_id_dropout_fields: The item fields this happens to, by index.
        user_id_dropout_fields: The user fields this happens to, by index.
        position: P of eq 1 as `relative` values or as a full `table`.
        position_placement: P added to the attention's `logits`, or to its `weights` as
            eq 1 is printed.
        personal_gate: Whether eq 11-12 gate the items by the user's profile; else the
            profile is only added to them.
        personal_position: Whether eq 13 fits P to the user.
        distillation_weight: α of eq 10.
        temperature: τ of eq 9.
        scorer_loss: Eq 7 as binary cross-entropy or as a softmax over the list.
        distill_from: Eq 8-9 on `logits`, or on `probabilities` as printed.
        hinge_on: The hinge of eq 6 on `logits`, or on `probabilities` as printed.
        hinge_weight: Of the hinge next to the cross-entropy in eq 6; 1 as printed. It
            looks at the hardest pair alone, which noisy clicks make a bad teacher.
        loss_reduction: Losses of a list as a `mean` over its slots and candidates, or
            as a `sum` as printed.
        beam_width: Orders kept while generating.

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
    position_placement: str = "logits"
    personal_gate: bool = True
    personal_position: bool = True
    distillation_weight: float = 0.5
    temperature: float = 1.0
    scorer_loss: str = "bce"
    distill_from: str = "logits"
    hinge_on: str = "logits"
    hinge_weight: float = 0.0
    loss_reduction: str = "mean"
    beam_width: int = 4

    def __post_init__(self):
        for name, allowed in CHOICES.items():
            self._require(name, getattr(self, name) in allowed, f"one of {allowed}")
        for name in AT_LEAST_ONE:
            self._require(name, getattr(self, name) >= 1, "at least 1")
        for name in (*AT_LEAST_ZERO, "distillation_weight", "hinge_weight"):
            self._require(name, getattr(self, name) >= 0, "at least 0")
        for name in ("dropout", "id_dropout"):
            self._require(name, 0 <= getattr(self, name) < 1, "in [0, 1)")
        self._require("temperature", self.temperature > 0, "above 0")
        self._check_fit()
        self._check_ids("item")
        self._check_ids("user")

    def _check_fit(self):
        fits = self.hidden_dim % self.num_heads == 0
        self._require("num_heads", fits, f"a divisor of hidden_dim={self.hidden_dim}")
        for name, other in (
            ("slate_length", "list_length"),
            ("block_size", "slate_length"),
            ("refine_size", "slate_length"),
        ):
            most = getattr(self, other)
            self._require(name, getattr(self, name) <= most, f"at most {other}={most}")

    def _check_ids(self, space: str):
        widths = getattr(self, f"{space}_widths")
        rows = getattr(self, f"{space}_rows")
        unknown = getattr(self, f"{space}_unknown_ids")
        dropped = getattr(self, f"{space}_id_dropout_fields")
        ok = len(widths) > 0 and min(widths) >= 1
        self._require(f"{space}_widths", ok, "one width of at least 1 a field")
        ok = len(unknown) == len(widths) and all(0 < i < rows for i in unknown)
        need = f"one id in 1..{rows - 1} for each of the {len(widths)} fields"
        self._require(f"{space}_unknown_ids", ok, need)
        ok = all(0 <= i < len(widths) for i in dropped)
        need = f"indices of fields, in 0..{len(widths) - 1}"
        self._require(f"{space}_id_dropout_fields", ok, need)

    def _require(self, name: str, ok: bool, need: str):
        if not ok:
            raise ConfigError(f"{name}={getattr(self, name)!r}; it must be {need}")

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
