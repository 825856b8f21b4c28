"""What versions that are served no more had is given back."""

import gc
import weakref

import pytest

from serving.memory import Garbage, freeze, hold


@pytest.fixture(autouse=True)
def collector_that_sleeps():
    """Python's collector looks seldom; in these tests never by itself."""
    gc.disable()
    yield
    gc.enable()


class Cyclic:
    """Refers to itself, as a graph and its operations do."""

    def __init__(self):
        self.itself = self


def test_cycles_are_looked_for_where_there_is_something_to_find():
    garbage, left = Garbage(), weakref.ref(Cyclic())
    garbage.free()
    assert left() is not None
    garbage.is_there = True
    garbage.free()
    assert left() is None and not garbage.is_there


def test_the_graph_of_a_closed_version_is_gone_when_another_one_is_loaded(exports):
    from serving.servable import Servable

    graphs = []
    for number in range(1, 5):
        servable = Servable("psad", number, exports["up"])
        graphs.append(weakref.ref(servable._graph._session.graph))
        # Of this one and, until the next is loaded, of the one closed just now.
        alive = [graph() is not None for graph in graphs]
        assert alive == [False] * (number - 1) + [True]
        servable.close()
        del servable


def test_while_modules_are_imported_nothing_is_looked_through_and_then_the_new_alone():
    gc.enable()
    hold()
    assert not gc.isenabled()
    freeze()
    assert gc.isenabled() and gc.get_freeze_count() > 0
