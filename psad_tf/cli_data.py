"""`psad data`: raw logs, or a simulated world, to lists."""

import json
import sys
from pathlib import Path

from psad_tf.cli_data_generate import add_generate
from psad_tf.cli_data_schema import add_schema
from psad_tf.cli_options import (
    add_bad_share,
    add_dataset,
    add_raw,
    check_dataset,
    positive,
)


def add_data(commands) -> None:
    """Adds the group."""
    group = commands.add_parser("data", help="raw logs to lists")
    actions = group.add_subparsers(required=True, metavar="COMMAND")
    build = actions.add_parser(
        "build", help="build lists, with a summary of every count"
    )
    add_dataset(build)
    add_raw(build)
    add_bad_share(build)
    build.add_argument("--out", type=Path, required=True, help="folder to write")
    build.add_argument(
        "--seed", type=int, default=0, help="of the first stage, or of the world"
    )
    build.add_argument("--workers", type=int, default=1, help="processes")
    _add_log_options(build)
    build.set_defaults(run=_build)
    add_generate(actions)
    add_schema(actions)


def _add_log_options(parser) -> None:
    """What is chosen for raw logs; see `LogSettings`."""
    logs = parser.add_argument_group("raw logs (ad, prm-public, avito)")
    logs.add_argument(
        "--protocol", default="", help="paper (default) or librerank: the list rules"
    )
    logs.add_argument(
        "--user-salt-file",
        default="",
        dest="user_salt",
        help="replace user ids by pseudonyms under the secret in this file, or `env` "
        "for the one in PSAD_USER_SALT",
    )
    logs.add_argument(
        "--max-user-rows",
        type=positive,
        default=0,
        help="of a user with more rows keep the newest (default: keep all)",
    )
    logs.add_argument(
        "--work", default="", help="folder or URL for files between stages"
    )
    logs.add_argument(
        "--beam-arg",
        action="append",
        default=[],
        dest="beam_args",
        metavar="OPTION",
        help="an option for Beam, as --beam-arg=--runner=FlinkRunner; repeatable",
    )


def _build(parsed) -> int:
    check_dataset(parsed)
    from psad_tf.data.build import build_dataset
    from psad_tf.data.logs.accounts import as_text
    from psad_tf.data.settings import LogSettings

    names = ("protocol", "user_salt", "max_user_rows", "work")
    settings = LogSettings(
        **{name: getattr(parsed, name) for name in names},
        beam_args=tuple(parsed.beam_args),
    )
    summary = build_dataset(
        parsed.dataset,
        parsed.out,
        parsed.raw,
        parsed.seed,
        parsed.max_bad_share,
        parsed.size,
        parsed.workers,
        settings,
    )
    if "rows" in summary:  # for people; what programs read goes to standard output
        print(as_text(summary["rows"]), file=sys.stderr)
    print(json.dumps(summary, indent=1))
    return 0
