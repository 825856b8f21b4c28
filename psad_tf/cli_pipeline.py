"""`psad pipeline`: from raw logs to a gated, pushed model and its report."""

from pathlib import Path

from psad_tf.cli_options import (
    add_bad_share,
    add_dataset,
    add_raw,
    check_config,
    check_dataset,
)
from psad_tf.cli_pipeline_places import add_places
from psad_tf.errors import InputError


def add_pipeline(commands) -> None:
    """Adds the group."""
    group = commands.add_parser("pipeline", help="the whole pipeline")
    actions = group.add_subparsers(required=True, metavar="COMMAND")
    run = actions.add_parser(
        "run",
        help="raw logs to a pushed model and a report; a second run resumes the first",
    )
    seeds = actions.add_parser(
        "seeds", help="run it under several seeds and show the spread of the figures"
    )
    seeds.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    seeds.set_defaults(command="run_seeds")
    run.set_defaults(command="run_pipeline")
    of_one_run, of_all_runs = add_places(actions)
    for action in (run, *of_one_run):
        _add_spans(action)
    for action in (run, *of_one_run, of_all_runs):
        action.add_argument("--seed", type=int, help="of data, model and training")
        action.add_argument(
            "--model-store",
            type=Path,
            help="folder of versions that the server watches (default: ROOT/models)",
        )
    for action in (run, *of_one_run, of_all_runs, seeds):
        root = "runs/seeds" if action is seeds else "runs/default"
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
        action.set_defaults(run=_pipeline)
    for action in (*of_one_run, of_all_runs):
        action.set_defaults(run=_for_a_place)


def _add_spans(run) -> None:
    run.add_argument(
        "--span", type=int, help="run on RAW/span-N, beginning from the last weights"
    )
    run.add_argument(
        "--window",
        type=int,
        default=1,
        help="how many spans are read, counted back from --span (default: 1)",
    )
    run.add_argument(
        "--cold", action="store_true", help="train a span from scratch all the same"
    )


def _for_a_place(parsed) -> int:
    _check_raw(parsed)
    from tfx_pipeline.runners import command

    return getattr(command, parsed.command)(parsed)


def _pipeline(parsed) -> int:
    check_dataset(parsed)
    check_config(parsed)
    _check_raw(parsed)
    from tfx_pipeline import command

    return getattr(command, parsed.command)(parsed)


def _check_raw(parsed) -> None:
    if isinstance(parsed.raw, str):
        raise InputError(
            f"--raw={parsed.raw}: the pipeline reads a local folder, of which it can "
            "tell whether it has changed; copy or mount it"
        )
