"""`psad lineage`: from a pushed version back to what made it."""

import json
from pathlib import Path

DEFAULT_ROOT = Path("runs/default")


def add_lineage(commands) -> None:
    """Adds the command."""
    words = "from a pushed version to its data, code, settings, metrics and gate"
    added = commands.add_parser("lineage", help=words, description=words)
    added.add_argument("version", help="its number in the model store")
    added.add_argument(
        "--root", type=Path, help=f"of the pipeline (default: {DEFAULT_ROOT})"
    )
    added.add_argument(
        "--model-store", type=Path, help="its card there names the pipeline's root"
    )
    added.add_argument("--html", type=Path, help="write a page with a graph here too")
    added.add_argument("--json", action="store_true", help="print JSON")
    added.set_defaults(run=_lineage)


def _lineage(parsed) -> int:
    from tfx_pipeline.lineage.facts import facts
    from tfx_pipeline.lineage.metadata import read_metadata
    from tfx_pipeline.lineage.page import render
    from tfx_pipeline.lineage.text import as_text
    from tfx_pipeline.lineage.trace import root_of, trace

    root = parsed.root
    if root is None and parsed.model_store is not None:
        root = root_of(parsed.model_store, parsed.version)
    root = (root or DEFAULT_ROOT).absolute()
    known = facts(trace(read_metadata(root), root, parsed.version))
    if parsed.html is not None:
        parsed.html.write_text(render(known), encoding="utf-8")
    print(json.dumps(known, indent=1) if parsed.json else as_text(known))
    return 0
