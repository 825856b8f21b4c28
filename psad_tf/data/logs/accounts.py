"""Where every row went: the counts of a run, checked, by file and by table."""

from collections.abc import Mapping

from psad_tf.data.logs.fates import HISTORY_ONLY
from psad_tf.data.windows import FIRST_STAGE, SPLITS

Accounts = dict[str, dict[str, int]]
READ = "read"
_FIRST = (READ, *SPLITS, HISTORY_ONLY, FIRST_STAGE, "used", "unused")


def rows_by_fate(counts: Mapping[str, int]) -> Accounts:
    """Table → `read` and every fate that a row of it had, splits first.

    Raises:
        AssertionError: The fates of a table's rows do not add up to the rows read.
    """
    found: Accounts = {}
    for name, count in sorted(counts.items()):
        kind, _, rest = name.partition("/")
        if kind == "rows" and count:
            table, _, fate = rest.partition("/")
            found.setdefault(table, {})[fate] = count
    for table, fates in found.items():
        read = fates.get(READ, 0)
        told = sum(count for fate, count in fates.items() if fate != READ)
        assert told == read, f"{table}: {read} rows were read, but {told} told of"
    return {
        table: dict(sorted(fates.items(), key=lambda pair: _place(*pair)))
        for table, fates in found.items()
    }


def _place(fate: str, count: int) -> tuple:
    return (_FIRST.index(fate) if fate in _FIRST else len(_FIRST), -count, fate)


def lists_by_fate(counts: Mapping[str, int]) -> dict[str, int]:
    """Fate → lists."""
    prefix = "lists/"
    return {
        name.removeprefix(prefix): count
        for name, count in sorted(counts.items())
        if name.startswith(prefix)
    }


def files_read(counts: Mapping[str, int]) -> dict[str, dict]:
    """File → `read` lines and those `set_aside`, by reason."""
    found: dict[str, dict] = {}
    for name, count in sorted(counts.items()):
        kind, _, file = name.partition("/")
        if kind == "lines":
            found[file] = {READ: count, "set_aside": {}}
    for name, count in sorted(counts.items()):
        kind, _, rest = name.partition("/")
        if kind == "bad":
            file, _, reason = rest.rpartition("/")
            found[file]["set_aside"][reason] = count
    return found


def as_text(rows: Accounts) -> str:
    """The accounts as a table for the terminal."""
    lines = []
    for table, fates in rows.items():
        read = fates.get(READ, 0)
        lines.append(f"{table}: {read:,} rows read")
        for fate, count in fates.items():
            if fate != READ:
                words = fate.replace("_", " ")
                lines.append(f"  {words:<28}{count:>14,}{count / read:>9.2%}")
    return "\n".join(lines)
