"""`psad serve` and `psad rerank`."""

from pathlib import Path

from psad_tf.cli_options import add_dataset

_OPTIONS = ("model_base_path", "model_config_file", "model_name", "host", "port")


def add_serve(commands) -> None:
    """Adds the command."""
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

    return serve(Options(**{name: getattr(parsed, name) for name in _OPTIONS}))


def add_rerank(commands) -> None:
    """Adds the command."""
    rerank = commands.add_parser("rerank", help="ask a server for one list's order")
    rerank.add_argument("--target", default="127.0.0.1:8500", help="HOST:PORT")
    rerank.add_argument("--model-name", default="psad", help="at the server")
    add_dataset(rerank)
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
