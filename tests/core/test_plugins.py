"""Data sets of other packages, found by the metadata that an installation leaves."""

import pytest

from psad_tf.errors import ConfigError
from psad_tf.feature_sets import MOVIELENS_100K, feature_set
from psad_tf.plugins import FEATURE_SETS, folder_of, folders, names, plugin
from schemas import schema_path

BODY = """
from psad_tf.features import FeatureSet
SHOP = FeatureSet("shop", (), (), (), (), list_length=3, history_length=4)
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Makes a package with a feature set, as if it were installed."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(package, entry):
        metadata = tmp_path / f"{package}-1.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Name: {package}\nVersion: 1\n")
        (metadata / "entry_points.txt").write_text(f"[{FEATURE_SETS}]\n{entry}\n")
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text(BODY)
        return tmp_path / package

    return make


def test_a_packages_data_set_is_one_like_others(install):
    folder = install("plugged_shop", "shop = plugged_shop:SHOP")
    assert names(FEATURE_SETS) == ["shop"]
    found = feature_set("shop")
    assert (found.name, found.list_length) == ("shop", 3)
    assert folders() == [folder_of(FEATURE_SETS, "shop")] == [folder]
    assert schema_path("shop") == folder / "shop.pbtxt"


def test_the_projects_own_names_cannot_be_taken(install):
    install("plugged_films", "movielens_100k = plugged_films:SHOP")
    assert feature_set("movielens-100k") is MOVIELENS_100K
    assert schema_path("movielens_100k").exists()


def test_two_offers_are_refused(install):
    install("plugged_one", "shop = plugged_one:SHOP")
    install("plugged_two", "shop = plugged_two:SHOP")
    with pytest.raises(ConfigError, match="plugged_one:SHOP.*plugged_two:SHOP"):
        plugin(FEATURE_SETS, "shop")


@pytest.mark.parametrize("value", ["plugged_gone:SHOP", "plugged_shop:SHOE"])
def test_an_offer_that_cannot_be_loaded_is_named(value, install):
    install("plugged_shop", f"shop = {value}")
    with pytest.raises(ConfigError, match=f"{value}.*install its package again"):
        feature_set("shop")


def test_another_name_inside_is_refused(install):
    install("plugged_shop", "store = plugged_shop:SHOP")
    with pytest.raises(ConfigError, match="gives 'shop'; give both the same name"):
        feature_set("store")
