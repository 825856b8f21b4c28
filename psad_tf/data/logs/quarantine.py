"""The file of malformed lines, put together from what the ranges found."""

import json
from collections.abc import Mapping
from pathlib import Path

from psad_tf.data.logs.parse import QUARANTINE, QUARANTINE_SCHEMA
from psad_tf.data.logs.plan import Plan


def write_quarantine(plan: Plan, counts: Mapping[str, int], path: Path) -> None:
    """Writes file, line (from 1), reason and text (JSON) as tab separated values.

    Args:
        plan: The run's.
        counts: What the run counted; `range/<number>` are the lines of each range.
        path: The file to write.
    """
    before, last = 0, None
    with path.open("w", encoding="utf-8") as file:
        file.write("file\tline\treason\ttext\n")
        for one in plan.ranges:
            if one.file != last:
                before, last = 0, one.file
            if f"bad_lines/{one.number}" in counts:
                files = plan.leave(QUARANTINE)
                found = files.read(0, [one.number], QUARANTINE_SCHEMA)
                for line, reason, text in zip(
                    *(column.to_pylist() for column in found.columns), strict=True
                ):
                    place = before + line + 1
                    row = (one.file.name, place, reason, json.dumps(text))
                    file.write("\t".join(map(str, row)) + "\n")
            before += counts.get(f"range/{one.number}", 0)
