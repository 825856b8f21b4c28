"""What the tests' Beam remembers is what Beam would have found."""

import bz2
import concurrent
import concurrent.futures
import inspect
import sys

import apache_beam as beam
import pytest
import quick_beam
from apache_beam.coders import VarIntCoder
from apache_beam.internal import cloudpickle_pickler
from apache_beam.internal.cloudpickle import cloudpickle
from apache_beam.options.pipeline_options import (
    DebugOptions,
    PipelineOptions,
    StandardOptions,
    TypeOptions,
    WorkerOptions,
)
from apache_beam.transforms import core, userstate

FLAGS = [
    [],
    ["--runner=FnApiRunner", "--no_pipeline_type_check"],
    ["--experiments=a", "--experiments=b", "--num_workers=3"],
]
VIEWS = DebugOptions, StandardOptions, TypeOptions, WorkerOptions


@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize("view", VIEWS)
def test_a_view_has_the_same_options(flags, view):
    for _ in range(2):  # parsed, and remembered
        found = PipelineOptions(flags).view_as(view)
        expected = quick_beam._view_anew(PipelineOptions(flags), view)
        assert type(found) is view
        assert found.get_all_options() == expected.get_all_options()
        assert str(found) == str(expected)


def test_what_one_view_sets_others_of_the_same_options_see_and_no_others():
    mine, others = PipelineOptions(FLAGS[2]), PipelineOptions(FLAGS[2])
    mine.view_as(WorkerOptions).num_workers = 5
    mine.view_as(DebugOptions).experiments.append("c")
    assert mine.view_as(WorkerOptions).num_workers == 5
    assert mine.view_as(DebugOptions).experiments == ["a", "b", "c"]
    assert others.view_as(WorkerOptions).num_workers == 3
    assert others.view_as(DebugOptions).experiments == ["a", "b"]


class Doer:
    def method(self, x, y=2):
        """Takes two."""


def free(x, *, z=3):
    """Takes one."""


@pytest.mark.parametrize(
    "function", [free, Doer.method, Doer().method, Doer, str.strip, len]
)
def test_a_signature_is_the_same(function):
    for _ in range(2):
        assert core.get_signature(function) == quick_beam._ask(function)


def test_a_method_is_bound_or_not():
    assert [*core.get_signature(Doer().method).parameters] == ["x", "y"]
    assert [*core.get_signature(Doer.method).parameters] == ["self", "x", "y"]
    assert core.get_signature(Doer.method) == inspect.signature(Doer.method)


COUNT = beam.DoFn.StateParam(
    userstate.CombiningValueStateSpec("count", VarIntCoder(), sum)
)


class Counter(beam.DoFn):
    def process(self, pair, count=COUNT):
        """Keeps state."""


class Plain(beam.DoFn):
    def process(self, pair, more=beam.DoFn.TimestampParam):
        """Keeps none."""


@pytest.mark.parametrize(
    ("dofn", "has_state"),
    [
        (Counter(), True),
        (Plain(), False),
        (core.CallableWrapperDoFn(free), False),
    ],
)
def test_what_keeps_state_is_known(dofn, has_state):
    for _ in range(2):
        assert userstate.get_dofn_specs(dofn) == quick_beam._ask_specs(dofn)
        assert userstate.is_stateful_dofn(dofn) is has_state


def pooled():
    return concurrent.futures.ThreadPoolExecutor


@pytest.mark.parametrize("function", [pooled, free, test_what_keeps_state_is_known])
def test_the_modules_that_a_function_needs_are_the_same(function):
    packages = [concurrent, beam, "no module"]
    for _ in range(2):
        found = cloudpickle._find_imported_submodules(function.__code__, packages)
        assert found == quick_beam._ask_modules(function.__code__, packages)
    assert (concurrent.futures in found) is (function is pooled)


def test_a_module_that_came_later_is_found(monkeypatch):
    asked = pooled.__code__, [concurrent]
    monkeypatch.delitem(sys.modules, "concurrent.futures")
    assert cloudpickle._find_imported_submodules(*asked) == []
    monkeypatch.undo()
    assert cloudpickle._find_imported_submodules(*asked) == [concurrent.futures]


def test_what_is_pickled_are_the_bytes_of_beam(monkeypatch):
    found = cloudpickle_pickler.dumps(Counter())
    assert type(cloudpickle_pickler.loads(found)) is Counter
    monkeypatch.setattr(cloudpickle_pickler, "bz2", bz2)
    assert cloudpickle_pickler.dumps(Counter()) == found
