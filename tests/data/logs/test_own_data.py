"""docs/raw_logs.md, "Own data in fifteen minutes", word for word.

`pip install -e` is the one line that is replaced: it would change the environment that
the tests run in. What it writes, the package's metadata, setuptools writes here too.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from psad_tf import plugins
from psad_tf.data.stored_lists import read_lists
from psad_tf.errors import ConfigError
from psad_tf.feature_sets import feature_set

DOCS = Path(__file__).parents[3] / "docs" / "raw_logs.md"
INSTALL = "pip install --no-build-isolation -e shop"
METADATA = "(cd shop && python -c 'from setuptools import setup; setup()' -q egg_info)"
FILE = re.compile(r"# (\S+\.(?:py|toml))\n")


def blocks():
    """Kind and content of each block of code in the section."""
    section = DOCS.read_text().split("## Own data")[1].split("\n## ")[0]
    return re.findall(r"^```(\w+)\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """The folder in which a newcomer has done what the section says."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "shop" / "shop_logs").mkdir(parents=True)
    for kind, content in blocks():
        if kind != "bash":
            (folder / FILE.match(content)[1]).write_text(content)
    (commands,) = [content for kind, content in blocks() if kind == "bash"]
    assert INSTALL in commands
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    subprocess.run(
        ["bash", "-e", "-c", commands.replace(INSTALL, METADATA)],
        cwd=folder,
        env=os.environ | {"PATH": path, "PYTHONPATH": str(folder / "shop")},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return folder


@pytest.fixture
def installed(followed, monkeypatch):
    """The package, as this process sees it once it is installed."""
    monkeypatch.syspath_prepend(str(followed / "shop"))
    yield followed
    for name in [name for name in sys.modules if name.startswith("shop_logs")]:
        del sys.modules[name]


def test_every_page_with_both_labels_is_a_list(installed):
    pages = {}
    for line in (installed / "raw" / "impressions.csv").read_text().splitlines()[1:]:
        page, user, item, at, place, clicked = line.split(",")
        pages.setdefault(page, []).append((user, item, int(at), float(clicked)))
    features = feature_set("shop")
    stored, starts = {}, {}
    for split in ("train", "validation", "test"):
        lists = list(read_lists(installed / "lists" / split, features))
        stored |= {one.request_id: one for one in lists}
        starts[split] = [one.timestamp for one in lists]
    both = {page for page, rows in pages.items() if len({row[3] for row in rows}) == 2}
    assert set(stored) == both
    for page, one in stored.items():
        user, _, at, _ = pages[page][0]
        assert (one.user["user_id"], one.timestamp) == (user, at)
        assert [c["item_id"] for c in one.candidates] == [r[1] for r in pages[page]]
        assert list(one.labels) == [row[3] for row in pages[page]]
    assert max(starts["train"]) < min(starts["validation"])
    assert max(starts["validation"]) < min(starts["test"])
    rows = json.loads((installed / "lists" / "summary.json").read_text())["rows"]
    ends = rows["impressions"]
    assert ends["read"] == 16000 == sum(ends.values()) - ends["read"]


def test_the_schema_is_found_beside_the_features(installed):
    from schemas import schema_path

    path = schema_path("shop")
    assert path == installed / "shop" / "shop_logs" / "shop.pbtxt"
    assert 'name: "candidate_log_price"' in path.read_text()


def test_the_pipelines_cache_sees_the_packages_code(installed):
    from tfx_pipeline.fingerprint import code_fingerprint

    reader = installed / "shop" / "shop_logs" / "reader.py"
    text, before = reader.read_text(), code_fingerprint()
    reader.write_text(text.replace("0.8, 0.1", "0.7, 0.2"))
    try:
        assert code_fingerprint() != before
    finally:
        reader.write_text(text)
    assert code_fingerprint() == before


def test_errors_name_the_entry_point(installed, monkeypatch):
    with pytest.raises(ConfigError, match="shops.*known ones are.* shop"):
        feature_set("shops")
    metadata = next((installed / "shop").glob("*.egg-info")) / "entry_points.txt"
    text = metadata.read_text()
    try:
        metadata.write_text(text.replace("features:SHOP", "features:SHOE"))
        with pytest.raises(ConfigError, match=r"shop_logs.features:SHOE.*install"):
            feature_set("shop")
        metadata.write_text(text.replace("shop = shop_logs.f", "shoe = shop_logs.f"))
        with pytest.raises(ConfigError, match="gives 'shop'; give both the same name"):
            feature_set("shoe")
    finally:
        metadata.write_text(text)
    assert plugins.plugin(plugins.READERS, "nobody") is None
