"""`psad data generate`: made-up raw files."""

import json
from pathlib import Path

from psad_tf.cli_options import positive


def add_generate(commands) -> None:
    """Adds the command to the group `data`."""
    parser = commands.add_parser(
        "generate", help="write made-up raw files, to try things out or to measure them"
    )
    parser.add_argument(
        "--dataset", required=True, help="whose format: ad, prm-public or avito"
    )
    parser.add_argument(
        "--rows", type=positive, required=True, help="lines of the largest file"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--seed", type=int, default=0, help="of everything")
    parser.add_argument(
        "--bad-share",
        type=float,
        default=0.001,
        help="share of malformed lines, and of lines that stand twice",
    )
    parser.set_defaults(run=_generate)


def _generate(parsed) -> int:
    from psad_tf.data.logs.generate import generate

    answers = generate(
        parsed.dataset, parsed.rows, parsed.out, parsed.seed, parsed.bad_share
    )
    print(json.dumps(answers, indent=1))
    return 0
