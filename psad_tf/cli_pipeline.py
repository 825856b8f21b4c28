"""`psad pipeline`: from raw logs to a gated, pushed model and its report."""

from pathlib import Path

from psad_tf.cli_options import (
    add_bad_share,
    add_dataset,
    add_raw,
    check_config,
    check_dataset,
)
from psad_tf.errors import InputError


def add_pipeline(commands) -> None:
    """Adds the group."""
    group = commands.add_parser("pipeline", help="the whole pipeline")
    actions = group.add_subparsers(required=True, metavar="COMMAND")
    run = actions.add_parser(
        "run",
        help="raw logs to a pushed model and a report; a second run resumes the first",
    )
    run.add_argument("--seed", type=int, help="of data, model and training")
    run.add_argument(
        "--model-store",
        type=Path,
        help="folder of versions that the server watches (default: ROOT/models)",
    )
    seeds = actions.add_parser(
        "seeds", help="run it under several seeds and show the spread of the figures"
    )
    seeds.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    for action, command, root in (
        (run, "run_pipeline", "runs/default"),
        (seeds, "run_seeds", "runs/seeds"),
    ):
        add_dataset(action)
        add_raw(action)
        add_bad_share(action)
        action.add_argument(
            "--root", type=Path, default=Path(root), help="artifacts and reports"
        )
        action.add_argument(
            "--config", type=Path, help="JSON file of pipeline settings"
        )
        action.add_argument("--verbose", action="store_true", help="show all logs")
        action.set_defaults(run=_pipeline, command=command)


def _pipeline(parsed) -> int:
    check_dataset(parsed)
    check_config(parsed)
    if isinstance(parsed.raw, str):
        raise InputError(
            f"--raw={parsed.raw}: the pipeline reads a local folder, of which it can "
            "tell whether it has changed; copy or mount it"
        )
    from tfx_pipeline import command

    return getattr(command, parsed.command)(parsed)
