"""`psad model latency`: how long exported models take for requests in flight."""

from pathlib import Path

from psad_tf.cli_options import positive
from psad_tf.errors import InputError

_IN_FLIGHT = (1, 4, 16, 64)


def add_latency(commands) -> None:
    """Adds the command."""
    latency = commands.add_parser(
        "latency", help="how long exported models take, by requests in flight"
    )
    latency.add_argument(
        "--model",
        type=Path,
        nargs="+",
        required=True,
        help="folders of exported models, measured in turns: a model's version folder",
    )
    latency.add_argument(
        "--out", type=Path, required=True, help="gets latency.json and latency.svg"
    )
    latency.add_argument(
        "--in-flight",
        type=positive,
        nargs="+",
        default=list(_IN_FLIGHT),
        help="requests that wait for an answer at any time (default: 1 4 16 64)",
    )
    latency.add_argument(
        "--seconds",
        type=float,
        default=2.0,
        help="of each measurement (default: 2), three rounds of all in turn",
    )
    latency.add_argument(
        "--signature", default="rank", help="which one is asked (default: rank)"
    )
    latency.set_defaults(run=_latency)


def _latency(parsed) -> int:
    for path in parsed.model:
        if not (path / "saved_model.pb").is_file():
            raise InputError(
                f"--model={path}: no saved_model.pb there; give the folder of one "
                "version of an exported model"
            )
    if parsed.seconds <= 0:
        raise InputError(f"--seconds={parsed.seconds} must be positive")
    from psad_tf.export_latency import measure
    from psad_tf.export_latency_report import table, write_latency

    rows = measure(parsed.model, parsed.in_flight, parsed.seconds, parsed.signature)
    write_latency(rows, parsed.out)
    print(table(rows))
    return 0
