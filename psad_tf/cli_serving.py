"""`psad serve`, `psad serve config` and `psad rerank`."""

from pathlib import Path

from psad_tf.cli_options import add_dataset


def add_serve(commands) -> None:
    """Adds the command."""
    from serving.options import add_flags

    serve = commands.add_parser(
        "serve",
        allow_abbrev=False,  # else --model of `config` would be short for flags here
        help="start the model server",
        description="Starts tensorflow_model_server, or the embedded server without "
        "it. Flags may be spelt as tensorflow_model_server spells them, with _ for -.",
    )
    add_flags(serve)
    serve.set_defaults(run=lambda parsed: _serve(parsed, serve.error))
    config = serve.add_subparsers(metavar="config").add_parser(
        "config",
        help="write a server's flags and configuration files from one settings file",
        description="Writes flags.txt, models.config, monitoring.config, and where "
        "they are asked for batching_parameters.txt and ssl.config.",
    )
    config.add_argument(
        "--settings", type=Path, help="TOML; by default serving/config/settings.toml"
    )
    config.add_argument("--out", type=Path, required=True, help="folder to write to")
    config.add_argument(
        "--config-dir",
        type=Path,
        help="where the server will find the files (default: --out)",
    )
    config.add_argument(
        "--model", type=Path, help="version's folder, which the settings must fit"
    )
    config.set_defaults(run=_config)


def _serve(parsed, refuse) -> int:
    from serving.launch import serve
    from serving.options import from_parsed

    if (parsed.model_base_path is None) == (parsed.model_config_file is None):
        refuse("give either --model-base-path or --model-config-file")
    return serve(from_parsed(parsed))


def _config(parsed) -> int:
    from serving.settings import DEFAULT_FILE, read_settings
    from serving.settings_files import write_config
    from serving.settings_model import check_model

    settings = read_settings(parsed.settings)
    if parsed.model is not None:
        check_model(settings, parsed.model, parsed.settings or DEFAULT_FILE)
    for path in write_config(settings, parsed.out, parsed.config_dir):
        print(path)
    return 0


def add_rerank(commands) -> None:
    """Adds the command."""
    rerank = commands.add_parser("rerank", help="ask a server for one list's order")
    rerank.add_argument("--target", default="127.0.0.1:8500", help="HOST:PORT")
    rerank.add_argument("--model-name", default="psad", help="at the server")
    rerank.add_argument(
        "--version", type=_version, help="number or label (default: the newest)"
    )
    add_dataset(rerank)
    rerank.add_argument(
        "--request", default="-", help="JSON file; - reads standard input"
    )
    rerank.add_argument("--json", action="store_true", help="print JSON")
    rerank.set_defaults(run=_rerank)


def _rerank(parsed) -> int:
    from serving.rerank_command import rerank

    return rerank(
        parsed.target,
        parsed.request,
        parsed.dataset,
        parsed.json,
        parsed.model_name,
        parsed.version,
    )


def _version(text: str) -> int | str:
    return int(text) if text.isdecimal() else text
