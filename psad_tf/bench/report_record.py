"""Tables of a report, read back from its `results.json`."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from psad_tf.bench.report_run import Run
from psad_tf.bench.report_tables import Row, Table
from psad_tf.bench.statistics import Interval, OverSeeds, Paired


def read_tables(path: Path) -> tuple[Run, list[Table]]:
    """What `report.write_report` wrote.

    Args:
        path: A `results.json`.

    Returns:
        How the results came about, and the tables.
    """
    content = json.loads(Path(path).read_text(encoding="utf-8"))
    return Run(**content["run"]), [_table(table) for table in content["tables"]]


def _table(content: Mapping[str, Any]) -> Table:
    return Table(**{**content, "rows": [_row(row) for row in content["rows"]]})


def _row(content: Mapping[str, Any]) -> Row:
    def each(name, read):
        return {measure: read(values) for measure, values in content[name].items()}

    return Row(
        **{
            **content,
            "means": each("means", lambda v: OverSeeds(**_numbers(v))),
            "over_lists": each("over_lists", _interval),
            "against": each("against", _paired),
        }
    )


def _paired(content: Mapping[str, Any]) -> Paired:
    intervals = {k: _interval(content[k]) for k in ("over_lists", "over_seeds")}
    return Paired(**{**_numbers(content), **intervals})


def _interval(content: Mapping[str, Any]) -> Interval:
    return Interval(**_numbers(content))


def _numbers(content: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has null for NaN."""
    return {k: math.nan if v is None else v for k, v in content.items()}
