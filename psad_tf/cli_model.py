"""`psad model`: what a model takes, to train and to serve."""

import argparse
from pathlib import Path

from psad_tf.cli_latency import add_latency
from psad_tf.cli_options import add_dataset, check_config, check_dataset
from psad_tf.errors import InputError

_OTHER_ROWS = 1000


def add_model(commands) -> None:
    """Adds the group."""
    group = commands.add_parser("model", help="what a model takes")
    commands = group.add_subparsers(required=True, metavar="COMMAND")
    size = commands.add_parser(
        "size", help="the memory that training takes, table by table"
    )
    add_dataset(size)
    size.add_argument("--config", type=Path, help="as for psad pipeline run")
    size.add_argument(
        "--rows",
        type=_rows,
        nargs="+",
        default=[],
        metavar="FEATURE=N",
        help="how many values of a text feature get an embedding of their own, such as "
        f"item_id=50000000 (default: {_OTHER_ROWS} each)",
    )
    size.set_defaults(run=_size)
    add_latency(commands)


def _rows(text: str) -> tuple[str, int]:
    name, equals, number = text.partition("=")
    if not (name and equals and number.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r}: give FEATURE=N, N at least 0")
    return name, int(number)


def _size(parsed) -> int:
    features = check_dataset(parsed)
    check_config(parsed)
    given = dict(parsed.rows)
    text = [f.name for f in features.user + features.item if f.kind.is_text]
    if unknown := sorted(set(given) - set(text)):
        raise InputError(
            f"--rows: {', '.join(unknown)} are no text features of {features.name}; "
            f"those are: {', '.join(text)}"
        )
    rows = {name: given.get(name, _OTHER_ROWS) for name in text}
    print("values: " + ", ".join(f"{name} {n:,}" for name, n in rows.items()))
    print(_memory(features, rows, parsed.config))
    return 0


def _memory(features, rows, file):
    from psad_tf.id_space import vocabulary_name
    from psad_tf.memory import memory
    from psad_tf.sizing import model_config
    from psad_tf.training_config import training_config
    from tfx_pipeline.config import load_config

    places = dict.fromkeys(("raw", "root", "model_store"), "")
    settings = load_config(file, dataset=features.name, **places)
    sizes = {
        vocabulary_name(f): rows[f.name]
        for f in features.user + features.item
        if f.kind.is_text
    }
    config = model_config(features, sizes.__getitem__, settings.model_choices())
    training = training_config(settings.training_choices(), settings.seed)
    return memory(config, training)
