"""The package of docs/raw_logs.md, "Own data", and spans of pages in its form."""

import random
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).parents[2] / "docs" / "raw_logs.md"
ITEMS, USERS, PAGES, SHOWN = 60, 200, 400, 8  # pages are of a day
FIRST_DAY, DAY = 1_717_372_800, 86_400
_ENTRY_POINTS = """
[psad_tf.feature_sets]
shop = shop_logs.features:SHOP
[psad_tf.readers]
shop = shop_logs.reader:SHOP_READER
"""


def write_package(folder: Path) -> Path:
    """Writes the package as an installation leaves it; the folder of its modules."""
    metadata, package = folder / "shop_logs-1.dist-info", folder / "shop_logs"
    for made in (metadata, package):
        made.mkdir(parents=True)
    (metadata / "METADATA").write_text("Name: shop-logs\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(_ENTRY_POINTS)
    (package / "__init__.py").write_text("")
    for name in ("features", "reader"):
        block = rf"^```python\n# shop/shop_logs/{name}\.py\n(.*?)^```$"
        (code,) = re.findall(block, DOCS.read_text(), re.DOTALL | re.MULTILINE)
        (package / f"{name}.py").write_text(code)
    return package


class Page(NamedTuple):
    """What a user was shown: items, and which of them were clicked; never all."""

    name: str
    user: str
    at: int
    items: list[str]
    clicks: list[int]

    def clicked(self) -> list[str]:
        pairs = zip(self.items, self.clicks, strict=True)
        return [item for item, click in pairs if click]


def pages(day: int) -> list[Page]:
    """The pages of a day, in their order in time."""
    draw, step = random.Random(day), DAY // PAGES
    found = []
    for number in range(PAGES):
        items = draw.sample(range(ITEMS), SHOWN)
        clicks = [int(draw.random() < 0.3 * item / ITEMS) for item in items]
        clicks[items.index(max(items))], clicks[items.index(min(items))] = 1, 0
        found.append(
            Page(
                f"p{day}-{number}",
                f"u{draw.randrange(USERS)}",
                FIRST_DAY + day * DAY + number * step,
                [f"i{item}" for item in items],
                clicks,
            )
        )
    return found


def write_span(folder: Path, shown: Iterable[Page], part: str = "") -> None:
    """Writes pages, and all items; `part` ends the name of the pages' file."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["page,user,item,at,place,clicked"]
    for page in shown:
        rows = zip(page.items, page.clicks, strict=True)
        for place, (item, click) in enumerate(rows, start=1):
            lines.append(f"{page.name},{page.user},{item},{page.at},{place},{click}")
    (folder / f"impressions.csv{part}").write_text("\n".join(lines) + "\n")
    items = [f"i{item},kind {item % 9},{item + 0.5}" for item in range(ITEMS)]
    (folder / "items.csv").write_text("\n".join(["item,kind,price", *items]) + "\n")
