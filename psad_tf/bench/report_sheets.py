"""A report as sheets of cells, written as one page and as one Markdown file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from psad_tf.bench.report_files import templates, write_plots
from psad_tf.bench.report_run import Run
from psad_tf.report_page.style import Picture

PAGE = "index.html"
BEST, SECOND = "best", "second"


@dataclass(frozen=True)
class Cell:
    """A figure in a sheet.

    Args:
        text: What is marked.
        rest: What follows it unmarked.
        aside: What stands below it or, in Markdown, after a comma.
        mark: `BEST`, `SECOND`, the page's `good`, `bad` or `soft`, or none.
        has_star: Whether a star follows all of it.
    """

    text: str
    rest: str = ""
    aside: str = ""
    mark: str = ""
    has_star: bool = False


@dataclass(frozen=True)
class Sheet:
    """A table.

    Args:
        title: Above it.
        caption: What a reader must know of it.
        head: A name for each column.
        rows: As many cells each; a text is a cell without marks.
        words: The columns of words, which stand on the left; others hold figures.
    """

    title: str
    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell | str]]
    words: Sequence[int] = (0,)

    def __post_init__(self):
        for row in self.rows:
            if len(row) != len(self.head):
                raise ValueError(f"{self.title}: {row} has not {len(self.head)} cells")

    def cells(self) -> Iterator[list[Cell]]:
        """The rows, as cells."""
        for row in self.rows:
            yield [c if isinstance(c, Cell) else Cell(c) for c in row]


@dataclass(frozen=True)
class Part:
    """What stands under one heading of a report.

    Args:
        title: For people.
        is_simulated: Whether the clicks are.
        lead: The first paragraph.
        sheets: Its tables.
        pictures: Its plots.
    """

    title: str
    is_simulated: bool
    lead: str
    sheets: Sequence[Sheet]
    pictures: Sequence[Picture] = ()


@dataclass(frozen=True)
class Report:
    """A whole report.

    Args:
        title: Its heading.
        run: How it came about.
        notes: The template that says how to read it.
        parts: In order.
        values: What the notes name.
    """

    title: str
    run: Run
    notes: str
    parts: Sequence[Part]
    values: dict[str, object] = field(default_factory=dict)


def write_sheets(report: Report, folder: Path, markdown: str) -> None:
    """Writes the page, the Markdown file of that name, and the plots.

    Args:
        report: What they say.
        folder: Where; it is made if need be, and other files in it stay.
        markdown: A file's name.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, template in ((PAGE, "sheets.html"), (markdown, "sheets.md")):
        text = templates(name == PAGE).get_template(template)
        text = text.render(
            report=report, run=report.run, is_page=name == PAGE, **report.values
        )
        (folder / name).write_text(text, encoding="utf-8")
    write_plots(folder, report.parts)


def ranked(values: Sequence[float | None], is_higher_better=True) -> list[str]:
    """Marks the best and the second best value; equal ones alike.

    Nothing is marked where fewer than two values differ.

    >>> ranked([0.5, None, 0.75, 0.5, 0.25])
    ['second', '', 'best', 'second', '']
    """
    found = sorted({v for v in values if v is not None}, reverse=is_higher_better)
    if len(found) < 2:
        return [""] * len(values)
    marks = {found[0]: BEST, found[1]: SECOND}
    return [marks.get(value, "") for value in values]
