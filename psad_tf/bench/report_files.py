"""What every report of the bench writes alike: plots, JSON, CSV, templates."""

import base64
import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from jinja2 import Environment

from psad_tf.bench import report_words
from psad_tf.report_page.page import environment
from psad_tf.report_page.record import plain
from psad_tf.report_page.style import Picture


class HasPictures(Protocol):
    """A section of a page, with the plots that stand in it."""

    title: str
    pictures: Sequence[Picture]


def plot_file(section: str, title: str) -> str:
    """A plot's file.

    >>> plot_file("Peers: click world (simulated), test lists", "NDCG@10 by K")
    'peers_click_world_simulated_test_lists_ndcg_10_by_k.svg'
    """
    words = re.findall(r"[a-z0-9]+", f"{section} {title}".lower())
    return "_".join(words) + ".svg"


def write_plots(folder: Path, sections: Iterable[HasPictures]) -> None:
    """Writes the light pictures of sections as files of their own."""
    for section in sections:
        for drawn in section.pictures:
            encoded = drawn.light.partition(",")[2]
            path = folder / plot_file(section.title, drawn.title)
            path.write_bytes(base64.b64decode(encoded))


def write_json(path: Path, content: Any) -> None:
    """Writes dataclasses, named tuples and NumPy numbers, too; null for NaN."""
    text = json.dumps(plain(content), indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def csv_text(lines: Sequence[Mapping[str, Any]]) -> str:
    """Lines under the names of the first one's values."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(lines[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(plain(lines))
    return text.getvalue()


def templates(is_html: bool) -> Environment:
    """Where the bench's templates are found, and how they write figures."""
    result = environment("psad_tf.bench", is_html)
    result.filters |= {
        "measure": report_words.measure_title,
        "p": report_words.p_words,
        "spread": report_words.spread,
        "difference": report_words.difference,
        "percent": report_words.percent,
    }
    result.globals["plot_file"] = plot_file
    return result
