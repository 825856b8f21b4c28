"""The command line `psad`. Each command imports what it needs when it runs."""

import argparse
import json
import os
import sys
from pathlib import Path

from psad_tf import __version__
from psad_tf.errors import ConfigError, InputError
from psad_tf.feature_sets import feature_set

# Exit codes: 0 done; 1 a fault of ours or of the machine, with a traceback; 2 wrong
# arguments; 3 bad input, with a message that names it and the remedy; 4 the run ended
# well but the gate refused the model.
BAD_INPUT, REFUSED = 3, 4


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; returns the process's exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    parsed = _parser().parse_args([_with_dashes(one) for one in given])
    # TensorFlow Transform would switch tf.keras to Keras 2; nothing here wants that.
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "0")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        return parsed.run(parsed) or 0
    except InputError as error:
        if os.environ.get("PSAD_TRACEBACK"):
            raise
        print(f"psad: error: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        return 130


def _with_dashes(argument: str) -> str:
    """`--model_name=a_b`, as the model server spells it, to `--model-name=a_b`."""
    name, equals, value = argument.partition("=")
    if name.startswith("--"):
        name = name.replace("_", "-")
    return name + equals + value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="psad",
        description="PSAD: from raw logs to a gated, served reranker.",
        epilog="Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 bad input (the "
        "message names it and the remedy), 4 the gate refused the model. "
        "PSAD_TRACEBACK=1 shows where an error came from.",
    )
    parser.add_argument("--version", action="version", version=f"psad {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_data(commands)
    _add_pipeline(commands)
    _add_serve(commands)
    _add_rerank(commands)
    return parser


def _add_data(commands) -> None:
    group = commands.add_parser("data", help="raw logs to lists")
    build = group.add_subparsers(required=True, metavar="COMMAND").add_parser(
        "build", help="build lists, with a summary of every count"
    )
    _add_dataset(build)
    build.add_argument("--out", type=Path, required=True, help="folder to write")
    build.add_argument("--seed", type=int, default=0, help="of the first stage")
    build.set_defaults(run=_build)


def _build(parsed) -> int:
    _check_dataset(parsed)
    from psad_tf.data.build import build_dataset

    summary = build_dataset(
        parsed.dataset, parsed.out, parsed.raw, parsed.seed, parsed.max_bad_share
    )
    print(json.dumps(summary, indent=1))
    return 0


def _add_pipeline(commands) -> None:
    group = commands.add_parser("pipeline", help="the whole pipeline")
    actions = group.add_subparsers(required=True, metavar="COMMAND")
    run = actions.add_parser(
        "run",
        help="raw logs to a pushed model and a report; a second run resumes the first",
    )
    run.add_argument("--seed", type=int, help="of the first stage and the model")
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
        _add_dataset(action)
        action.add_argument(
            "--root", type=Path, default=Path(root), help="artifacts and reports"
        )
        action.add_argument(
            "--config", type=Path, help="JSON file of pipeline settings"
        )
        action.add_argument("--verbose", action="store_true", help="show all logs")
        action.set_defaults(run=_pipeline, command=command)


def _pipeline(parsed) -> int:
    _check_dataset(parsed)
    if parsed.config is not None and not parsed.config.is_file():
        raise ConfigError(f"--config={parsed.config}: no such file; give a JSON file")
    from tfx_pipeline import command

    return getattr(command, parsed.command)(parsed)


def _add_serve(commands) -> None:
    serve = commands.add_parser(
        "serve",
        help="start the model server",
        description="Starts tensorflow_model_server, or the embedded server without "
        "it. Flags may be spelt as tensorflow_model_server spells them, with _ for -.",
    )
    models = serve.add_mutually_exclusive_group(required=True)
    models.add_argument("--model-base-path", type=Path, help="folder of versions")
    models.add_argument(
        "--model-config-file", type=Path, help="text ModelServerConfig, many models"
    )
    serve.add_argument(
        "--model-name", default="psad", help="of the model at --model-base-path"
    )
    serve.add_argument("--host", default="127.0.0.1", help="of the embedded server")
    serve.add_argument("--port", type=int, default=8500, help="gRPC port")
    serve.set_defaults(run=_serve)


def _serve(parsed) -> int:
    from serving.launch import serve
    from serving.options import Options

    names = ("model_base_path", "model_config_file", "model_name", "host", "port")
    return serve(Options(**{name: getattr(parsed, name) for name in names}))


def _add_rerank(commands) -> None:
    rerank = commands.add_parser("rerank", help="ask a server for one list's order")
    rerank.add_argument("--target", default="127.0.0.1:8500", help="HOST:PORT")
    rerank.add_argument("--model-name", default="psad", help="at the server")
    rerank.add_argument(
        "--dataset", default="movielens-100k", help="which the model was trained on"
    )
    rerank.add_argument(
        "--request", default="-", help="JSON file; - reads standard input"
    )
    rerank.add_argument("--json", action="store_true", help="print JSON")
    rerank.set_defaults(run=_rerank)


def _rerank(parsed) -> int:
    from serving.rerank_command import rerank

    return rerank(
        parsed.target, parsed.request, parsed.dataset, parsed.json, parsed.model_name
    )


def _add_dataset(parser) -> None:
    parser.add_argument("--dataset", default="movielens-100k", help="which data set")
    parser.add_argument(
        "--raw", type=Path, help="folder of its raw files (default: fetch and cache)"
    )
    parser.add_argument(
        "--max-bad-share",
        type=float,
        default=0.01,
        help="share of malformed lines past which the run stops",
    )


def _check_dataset(parsed) -> None:
    """Finds what is wrong before anything slow is imported."""
    try:
        feature_set(parsed.dataset)
    except ValueError as error:
        raise InputError(f"--dataset: {error}") from error
    if parsed.raw is not None and not parsed.raw.is_dir():
        raise InputError(
            f"--raw={parsed.raw}: no such folder; give the folder that holds the raw "
            "files, or leave --raw out to fetch them"
        )


if __name__ == "__main__":
    sys.exit(main())
