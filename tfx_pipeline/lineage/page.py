"""A lineage as a page: the answer in short, and a graph of who read what of whom."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from psad_tf.report_page.page import environment
from tfx_pipeline.gate.explain import check_title, figure, headline

WIDTH, HEIGHT, GAP_X, GAP_Y, EDGE = 150, 44, 60, 22, 10


class Box(NamedTuple):
    """A step's place in the graph."""

    step: Mapping[str, Any]
    x: int
    y: int


class Arrow(NamedTuple):
    """An artifact's way from one step to another, as an SVG path."""

    path: str
    title: str


def render(known: Mapping[str, Any]) -> str:
    """The page.

    Args:
        known: From `facts`.
    """
    boxes = lay_out(known["steps"])
    templates = environment("tfx_pipeline")
    templates.filters |= {"check": check_title, "figure": figure}
    return templates.get_template("lineage.html").render(
        **known,
        headline=headline(known["gate"]) if known["gate"] else "",
        boxes=boxes,
        arrows=connect(boxes),
        box={"width": WIDTH, "height": HEIGHT},
        size={
            "width": max(b.x for b in boxes) + WIDTH + EDGE,
            "height": max(b.y for b in boxes) + HEIGHT + EDGE,
        },
    )


def lay_out(steps: Sequence[Mapping[str, Any]]) -> list[Box]:
    """Each step one column behind the last of those it reads from."""
    makers = _makers(steps)
    depths, rows, boxes = {}, {}, []
    for step in steps:
        above = [makers[n] for n in _numbers(step["reads"]) if n in makers]
        depth = 1 + max((depths[number] for number in above), default=-1)
        row = rows.get(depth, 0)
        depths[step["number"]], rows[depth] = depth, row + 1
        x, y = EDGE + depth * (WIDTH + GAP_X), EDGE + row * (HEIGHT + GAP_Y)
        boxes.append(Box(step, x, y))
    return boxes


def connect(boxes: Sequence[Box]) -> list[Arrow]:
    """One arrow for each artifact that a step reads of another."""
    makers = _makers([box.step for box in boxes])
    places = {box.step["number"]: box for box in boxes}
    arrows = []
    for box in boxes:
        for key, items in box.step["reads"].items():
            for item in items:
                if item["number"] in makers:
                    maker = places[makers[item["number"]]]
                    arrows.append(_arrow(maker, box, f"{key}: {item['kind']}"))
    return arrows


def _arrow(begin: Box, end: Box, title: str) -> Arrow:
    x, y = begin.x + WIDTH, begin.y + HEIGHT // 2
    to_x, to_y = end.x, end.y + HEIGHT // 2
    middle = (x + to_x) // 2
    names = f"{begin.step['component']} → {end.step['component']}, {title}"
    return Arrow(f"M{x},{y} C{middle},{y} {middle},{to_y} {to_x},{to_y}", names)


def _makers(steps) -> dict[int, int]:
    return {n: step["number"] for step in steps for n in _numbers(step["writes"])}


def _numbers(named) -> list[int]:
    return [item["number"] for items in named.values() for item in items]
