"""`psad models`: the versions in a model store."""

import json
from dataclasses import asdict
from pathlib import Path

from psad_tf.cli_canary import add_canary
from psad_tf.cli_options import positive
from psad_tf.errors import InputError

_KEEP = 3


def add_models(commands) -> None:
    """Adds the group."""
    group = commands.add_parser(
        "models", help="the versions in a model store: see, try out, roll back, prune"
    )
    actions = group.add_subparsers(required=True, metavar="COMMAND")

    def action(name, run, words):
        added = actions.add_parser(name, help=words, description=words)
        added.add_argument(
            "--store", type=Path, required=True, help="folder of versions"
        )
        added.set_defaults(run=run)
        return added

    listed = action("list", _list, "versions, newest first, with their metrics")
    listed.add_argument("--json", action="store_true", help="print JSON")
    action(
        "rollback",
        _rollback,
        "take the newest version away; servers go back to the one before",
    )
    restored = action("restore", _restore, "bring a version back that was taken away")
    restored.add_argument("version", type=int)
    pruned = action(
        "prune", _prune, "delete all but the newest and the labelled versions"
    )
    pruned.add_argument(
        "--keep", type=positive, default=_KEEP, help=f"how many (default: {_KEEP})"
    )
    add_canary(action)


def _list(parsed) -> int:
    from tfx_pipeline.store_versions import described

    found = described(parsed.store)
    if parsed.json:
        plain = [asdict(v) | {"published": v.published.isoformat()} for v in found]
        print(json.dumps(plain, indent=1))
        return 0
    if not found:
        print(f"{parsed.store} has no version")
    labels = _labels(parsed.store)
    for v in found:
        names = "/".join(name for name, number in labels.items() if number == v.number)
        metrics = ", ".join(f"{k} {x:.4f}" for k, x in sorted(v.metrics.items()))
        print(
            f"{v.number}  {v.state:<11}  {v.published:%Y-%m-%d %H:%M}  "
            f"{v.size / 2**20:6.1f} MiB  {v.dataset}  {metrics}  {names}".rstrip()
        )
    return 0


def _labels(store: Path) -> dict[str, int]:
    """What clients ask for by label, where a canary was ever tried out."""
    from tfx_pipeline.canary.labels import CONFIG_FILE, read_labels

    return read_labels(store / CONFIG_FILE)


def _rollback(parsed) -> int:
    from tfx_pipeline.model_store import versions
    from tfx_pipeline.store_versions import roll_back

    labels, newest = _labels(parsed.store), versions(parsed.store)[-1:]
    if names := [name for name, number in labels.items() if [number] == newest]:
        raise InputError(
            f"version {newest[0]} is {' and '.join(names)}, which clients ask for; "
            "give them another one first: psad models withdraw, or promote VERSION"
        )
    gone, now = roll_back(parsed.store)
    print(f"version {gone} was taken away; servers go back to {now}")
    print(f"to undo: psad models restore {gone} --store {parsed.store}")
    return 0


def _restore(parsed) -> int:
    from tfx_pipeline.store_versions import restore

    restore(parsed.store, parsed.version)
    print(f"version {parsed.version} is back")
    return 0


def _prune(parsed) -> int:
    from tfx_pipeline.store_versions import prune

    gone = prune(parsed.store, parsed.keep, _labels(parsed.store).values())
    print(f"deleted: {', '.join(map(str, gone)) or 'nothing'}")
    return 0
