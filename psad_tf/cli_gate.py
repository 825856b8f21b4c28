"""`psad gate`: why a model was pushed or refused."""

import json
from pathlib import Path


def add_gate(commands) -> None:
    """Adds the group."""
    group = commands.add_parser("gate", help="why a model was pushed or refused")
    actions = group.add_subparsers(required=True, metavar="COMMAND")
    words = "what the gate found, by how much, and what would have to change"
    explained = actions.add_parser("explain", help=words, description=words)
    explained.add_argument(
        "place",
        nargs="?",
        type=Path,
        default=Path("runs/default"),
        metavar="RUN",
        help="root of a pipeline, or a report's folder (default: runs/default)",
    )
    explained.add_argument(
        "--all", action="store_true", help="tell each group of lists, not only failures"
    )
    explained.add_argument("--json", action="store_true", help="print gate.json")
    explained.set_defaults(run=_explain)


def _explain(parsed) -> int:
    from psad_tf.cli import REFUSED
    from tfx_pipeline.gate.explain import explain
    from tfx_pipeline.gate.record import read_record

    record = read_record(parsed.place)
    if parsed.json:
        print(json.dumps(record, indent=1, ensure_ascii=False))
    else:
        print(explain(record, parsed.all))
    return 0 if record["passed"] else REFUSED
