"""`psad data`: raw logs, or a simulated world, to lists."""

import json
from pathlib import Path

from psad_tf.cli_options import add_bad_share, add_dataset, add_raw, check_dataset


def add_data(commands) -> None:
    """Adds the group."""
    group = commands.add_parser("data", help="raw logs to lists")
    build = group.add_subparsers(required=True, metavar="COMMAND").add_parser(
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
    build.set_defaults(run=_build)


def _build(parsed) -> int:
    check_dataset(parsed)
    from psad_tf.data.build import build_dataset

    summary = build_dataset(
        parsed.dataset,
        parsed.out,
        parsed.raw,
        parsed.seed,
        parsed.max_bad_share,
        parsed.size,
        parsed.workers,
    )
    print(json.dumps(summary, indent=1))
    return 0
