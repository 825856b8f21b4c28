"""What belongs together on the page: one bench on one data set, with its plots."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from psad_tf.bench import plots
from psad_tf.bench.report_groups import ALL
from psad_tf.bench.report_results import BENCHES
from psad_tf.bench.report_tables import COMPARED, Table
from psad_tf.bench.report_words import dataset_title, measure_title
from psad_tf.report_page.style import Picture, picture


@dataclass(frozen=True)
class Section:
    """One bench on the lists of one split of a data set.

    Args:
        title: For people.
        is_simulated: Whether the clicks are.
        tables: In the order their topics came.
        pictures: Of the tables.
    """

    title: str
    is_simulated: bool
    tables: Sequence[Table]
    pictures: Sequence[Picture]

    @property
    def lists(self) -> int:
        return max(table.lists for table in self.tables)

    @property
    def seeds(self) -> list[int]:
        return sorted({s for t in self.tables for row in t.rows for s in row.seeds})


def sections(tables: Sequence[Table]) -> list[Section]:
    """All sections, in the order their first tables came."""
    found = defaultdict(list)
    for table in tables:
        found[table.bench, table.dataset, table.split].append(table)
    return [_section(*key, members) for key, members in found.items()]


def _section(bench: str, dataset: str, split: str, tables: list[Table]) -> Section:
    is_simulated = tables[0].is_simulated
    where = f"{dataset_title(dataset, is_simulated)}, {split} lists"
    pictures = list(_pictures(tables, where))
    return Section(f"{BENCHES[bench]}: {where}", is_simulated, tables, pictures)


def _pictures(tables: Sequence[Table], where: str) -> Iterator[Picture]:
    """`where` says of every plot, also of one that is shown alone, what it is of."""
    whole = [t for t in tables if t.group == ALL]
    for metric in COMPARED:
        measures = list(dict.fromkeys(m for t in whole for m in t.compared(metric)))
        if not measures:
            continue
        if any(row.against.keys() & set(measures) for t in whole for row in t.rows):
            yield picture(
                plots.draw_forest,
                whole,
                measures,
                title=f"Differences in {measure_title(metric)}",
                caption=f"{where}. Paired; bars: 95 % over lists.",
            )
        for table in whole:
            if sum(row.value is not None for row in table.rows) > 1:
                yield picture(
                    plots.draw_lines,
                    table,
                    table.compared(metric),
                    title=f"{measure_title(metric)} by {table.topic.replace('_', ' ')}",
                    caption=f"{where}.",
                )
    yield from _activity([t for t in tables if t.group != ALL], where)


def _activity(tables: Sequence[Table], where: str) -> Iterator[Picture]:
    for topic in dict.fromkeys(t.topic for t in tables):
        groups = [t for t in tables if t.topic == topic]
        for measure in groups[0].compared():
            yield picture(
                plots.draw_groups,
                groups,
                measure,
                title=f"{measure_title(measure)} by users' activity",
                caption=f"{where}. Bars: 95 % over lists.",
            )
