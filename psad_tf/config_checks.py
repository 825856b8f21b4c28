"""What `PSADConfig` must keep to: each value on its own, and with the others."""

from psad_tf.errors import ConfigError

CHOICES = {
    "position": ("relative", "table"),
    "candidates": ("ranked", "sequence", "set"),
    "history": ("encoded", "attended", "personal"),
    "position_placement": ("logits", "weights"),
    "target_order": ("shown", "shuffled", "sampled", "exposed"),
    "interaction": ("gate", "concatenation", "late_fusion", "none"),
    "generation_loss": ("bce", "softmax", "clicks"),
    "scorer_loss": ("bce", "softmax", "clicks"),
    "distill_from": ("logits", "probabilities"),
    "hinge_on": ("logits", "probabilities"),
    "loss_reduction": ("mean", "sum"),
    "item_table": ("full", "quotient_remainder"),
    "user_table": ("full", "quotient_remainder"),
}
AT_LEAST_ONE = (
    "list_length history_length slate_length embedding_dim hidden_dim num_layers "
    "num_decoder_layers num_heads ffn_multiple block_size beam_width"
).split()
AT_LEAST_ZERO = (
    "candidate_dense_size history_dense_size refine_size generation_weight "
    "distillation_weight hinge_weight"
).split()
AT_MOST = (
    ("slate_length", "list_length"),
    ("block_size", "slate_length"),
    ("refine_size", "slate_length"),
)


def check(config) -> None:
    """Looks at every value of a `PSADConfig`.

    Raises:
        ConfigError: A value is out of range, or two values do not fit together.
    """
    for name, allowed in CHOICES.items():
        _require(config, name, getattr(config, name) in allowed, f"one of {allowed}")
    for name in AT_LEAST_ONE:
        _require(config, name, getattr(config, name) >= 1, "at least 1")
    for name in AT_LEAST_ZERO:
        _require(config, name, getattr(config, name) >= 0, "at least 0")
    for name in ("dropout", "id_dropout"):
        _require(config, name, 0 <= getattr(config, name) < 1, "in [0, 1)")
    _require(config, "temperature", config.temperature > 0, "above 0")
    fits = config.hidden_dim % config.num_heads == 0
    need = f"a divisor of hidden_dim={config.hidden_dim}"
    _require(config, "num_heads", fits, need)
    for name, other in AT_MOST:
        most = getattr(config, other)
        is_low = getattr(config, name) <= most
        _require(config, name, is_low, f"at most {other}={most}")
    for space in ("item", "user"):
        _check_fields(config, space)
        _check_hash_buckets(config, space)
        _check_table(config, space)


def _check_fields(config, space: str) -> None:
    widths, rows, unknown = _of(config, space, "widths", "rows", "unknown_ids")
    ok = len(widths) > 0 and min(widths) >= 1
    _require(config, f"{space}_widths", ok, "one width of at least 1 a field")
    ok = len(unknown) == len(widths) and all(0 < i < rows for i in unknown)
    need = f"one id in 1..{rows - 1} for each of the {len(widths)} fields"
    _require(config, f"{space}_unknown_ids", ok, need)
    (dropped,) = _of(config, space, "id_dropout_fields")
    ok = all(0 <= i < len(widths) for i in dropped)
    need = f"indices of fields, in 0..{len(widths) - 1}"
    _require(config, f"{space}_id_dropout_fields", ok, need)


def _check_hash_buckets(config, space: str) -> None:
    name = f"{space}_hash_buckets"
    widths, buckets = _of(config, space, "widths", "hash_buckets")
    ok = not buckets or (len(buckets) == len(widths) and min(buckets) >= 0)
    need = f"empty, or a number of at least 0 for each of the {len(widths)} fields"
    _require(config, name, ok, need)
    unknown, rows = _of(config, space, "unknown_ids", "rows")
    ok = all(i + n < rows for i, n in zip(unknown, buckets, strict=False))
    _require(config, name, ok, f"few enough to end below {space}_rows={rows}")


def _check_table(config, space: str) -> None:
    kind, rows = _of(config, space, "table", "table_remainder")
    ok = rows == 0 if kind == "full" else rows >= 1
    need = "0 where the table is full" if kind == "full" else "at least 1"
    need = f"{need} ({space}_table={kind!r})"
    _require(config, f"{space}_table_remainder", ok, need)


def _of(config, space: str, *names: str) -> list:
    return [getattr(config, f"{space}_{name}") for name in names]


def _require(config, name: str, ok: bool, need: str) -> None:
    if not ok:
        raise ConfigError(f"{name}={getattr(config, name)!r}; it must be {need}")
