"""The command line `psad`. Each command imports what it needs when it runs."""

import argparse
import json
import os
import sys
from pathlib import Path

from psad_tf import __version__

# Exit codes: 0 done; 1 a fault of ours or of the machine, with a traceback; 2 wrong
# arguments; 3 bad input, with a message that names it and the remedy; 4 the run ended
# well but the gate refused the model.
BAD_INPUT, REFUSED = 3, 4


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; returns the process's exit code."""
    parsed = _parser().parse_args(arguments)
    # TensorFlow Transform would switch tf.keras to Keras 2; nothing here wants that.
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "0")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        return parsed.run(parsed) or 0
    except (ValueError, FileNotFoundError, NotADirectoryError) as error:
        if os.environ.get("PSAD_TRACEBACK"):
            raise
        print(f"psad: error: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        return 130


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
    from psad_tf.data.build import build_dataset

    summary = build_dataset(
        parsed.dataset, parsed.out, parsed.raw, parsed.seed, parsed.max_bad_share
    )
    print(json.dumps(summary, indent=1))
    return 0


def _add_pipeline(commands) -> None:
    group = commands.add_parser("pipeline", help="the whole pipeline")
    run = group.add_subparsers(required=True, metavar="COMMAND").add_parser(
        "run",
        help="raw logs to a pushed model and a report; a second run resumes the first",
    )
    _add_dataset(run)
    run.add_argument(
        "--root", type=Path, default=Path("runs/default"), help="artifacts and reports"
    )
    run.add_argument(
        "--model-store",
        type=Path,
        help="folder of versions that the server watches (default: ROOT/models)",
    )
    run.add_argument("--config", type=Path, help="JSON file of pipeline settings")
    run.add_argument("--seed", type=int, help="of the first stage and the model")
    run.add_argument("--verbose", action="store_true", help="show all logs")
    run.set_defaults(run=_run_pipeline)


def _run_pipeline(parsed) -> int:
    from tfx_pipeline.command import run_pipeline

    return run_pipeline(parsed)


def _add_serve(commands) -> None:
    serve = commands.add_parser("serve", help="start the model server")
    serve.add_argument(
        "--model-base-path", type=Path, required=True, help="folder of versions"
    )
    serve.add_argument("--model-name", default="psad")
    serve.add_argument("--host", default="127.0.0.1", help="of the embedded server")
    serve.add_argument("--port", type=int, default=8500, help="gRPC port")
    serve.set_defaults(run=_serve)


def _serve(parsed) -> int:
    from serving.launch import serve
    from serving.options import Options

    return serve(
        Options(
            port=parsed.port,
            host=parsed.host,
            model_name=parsed.model_name,
            model_base_path=parsed.model_base_path,
        )
    )


def _add_rerank(commands) -> None:
    rerank = commands.add_parser("rerank", help="ask a server for one list's order")
    rerank.add_argument("--target", default="127.0.0.1:8500", help="HOST:PORT")
    rerank.add_argument("--dataset", default="movielens-100k")
    rerank.add_argument(
        "--request", default="-", help="JSON file; - reads standard input"
    )
    rerank.add_argument("--json", action="store_true", help="print JSON")
    rerank.set_defaults(run=_rerank)


def _rerank(parsed) -> int:
    from serving.rerank_command import rerank

    return rerank(parsed.target, parsed.request, parsed.dataset, parsed.json)


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


if __name__ == "__main__":
    sys.exit(main())
