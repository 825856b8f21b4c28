"""What the pages share stands on its own, and its figures read as they should."""

import doctest
import json
import platform
from dataclasses import dataclass
from importlib import metadata
from typing import NamedTuple

import numpy as np
import pytest

from psad_tf.bench import report_words
from psad_tf.report_page import formats
from psad_tf.report_page.page import environment
from psad_tf.report_page.record import plain, versions
from psad_tf.report_page.style import picture
from tfx_pipeline.report import words


@pytest.mark.parametrize("module", [formats, words, report_words])
def test_the_examples_in_the_docstrings(module):
    done = doctest.testmod(module)
    assert done.attempted > 3 and done.failed == 0


@pytest.mark.parametrize("package", ["tfx_pipeline", "psad_tf.bench"])
def test_both_pages_find_the_shared_templates(package):
    templates = environment(package)
    assert "<style>" in templates.get_template("style.html").render()
    drawn = picture(lambda figure, theme: None, title="<T>", caption="C.")
    text = '{% from "parts.html" import pictures_of with context %}{{ pictures_of(p) }}'
    page = templates.from_string(text).render(p=[drawn])
    assert drawn.light in page and drawn.dark in page
    assert "<h3>&lt;T&gt;</h3>" in page and drawn.light != drawn.dark


def test_tables_of_pairs_write_numbers_as_numbers():
    text = '{% from "parts.html" import pairs with context %}{{ pairs("Lists", rows) }}'
    rows = {"too_few": 12345, "version": "1.2"}
    page = environment("tfx_pipeline").from_string(text).render(rows=rows)
    assert "<td>too few</td>" in page and "12,345" in page and "1.2" in page


def test_markdown_is_not_escaped_and_what_is_missing_is_an_error():
    from jinja2 import UndefinedError

    plain = environment("psad_tf.bench", is_html=False).from_string("{{ x }}")
    assert plain.render(x="<b>") == "<b>"
    with pytest.raises(UndefinedError, match="'x' is undefined"):
        plain.render()


class Span(NamedTuple):
    low: float
    high: float


@dataclass(frozen=True)
class Figure:
    mean: object
    span: Span | None = None


def test_records_are_what_json_knows():
    figures = {
        1: Figure(np.float32(0.5), Span(float("-inf"), np.float64("nan"))),
        "counts": (np.int64(3), np.bool_(True), [Figure(None)]),
    }
    found = plain(figures)
    assert found == {
        "1": {"mean": 0.5, "span": {"low": None, "high": None}},
        "counts": [3, True, [{"mean": None, "span": None}]],
    }
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_versions_are_those_installed_and_say_what_is_not():
    assert versions(["numpy", "no-such-package"]) == {
        "python": platform.python_version(),
        "numpy": metadata.version("numpy"),
        "no-such-package": "not installed",
    }
