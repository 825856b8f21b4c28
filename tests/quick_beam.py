"""Makes Beam build small graphs quickly, for whoever imports this.

Beam parses its options anew for each step of each graph, asks Python for the parameters
of the same functions again and again, compresses the same steps, looks through all
modules for those that a function needs, and weighs what it keeps of a step's state by
all that hangs on it: on a few lists, a fourth of a pipeline's time. Here it remembers.
"""

import bz2
import copy
import inspect
import sys
from functools import lru_cache
from types import ModuleType, SimpleNamespace
from weakref import WeakKeyDictionary

from apache_beam.internal import cloudpickle_pickler
from apache_beam.internal.cloudpickle import cloudpickle
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.worker import statecache
from apache_beam.transforms import core, userstate
from apache_beam.typehints import decorators

_ask = decorators.get_signature
_ask_specs = userstate.get_dofn_specs
_ask_modules = cloudpickle._find_imported_submodules
_parsed: dict = {}
_specs: dict = {}
_signatures: WeakKeyDictionary = WeakKeyDictionary()


def _view_as(self, cls):
    """As Beam's own, but for parsing the same flags once."""
    if self._flags is None:  # then those of the command line are asked each time
        return _view_anew(self, cls)
    key = cls, tuple(self._flags)
    if key not in _parsed:
        _parsed[key] = cls(self._flags)._visible_options
    view = cls.__new__(cls)
    view._flags, view._visible_options = self._flags, _parsed[key]
    view._all_options = self._all_options
    for name, value in vars(_parsed[key]).items():
        if name not in self._all_options:  # lists are each object's own
            self._all_options[name] = copy.deepcopy(value)
    return view


def _signature(function):
    """As Beam's own, but for asking once about each function."""
    if inspect.ismethod(function) and inspect.isfunction(function.__func__):
        known, key = _signatures.setdefault(function.__func__, {}), "bound"
    elif inspect.isfunction(function):
        known, key = _signatures.setdefault(function, {}), "free"
    else:
        return _ask(function)
    if key not in known:
        known[key] = _ask(function)
    return known[key]


def _dofn_specs(dofn):
    """As Beam's own, but for asking once about each class and wrapped function."""
    key = type(dofn), getattr(getattr(dofn, "_fn", None), "__code__", None)
    if key not in _specs:
        _specs[key] = _ask_specs(dofn)
    return _specs[key]


def _submodules(code, dependencies):
    """As Beam's own, but for asking once while no module is added."""
    packages = tuple(x for x in dependencies if isinstance(x, ModuleType))
    return [*_submodules_of(code, packages, len(sys.modules))]


@lru_cache(10_000)
def _submodules_of(code, packages, _):
    return _ask_modules(code, packages)


_view_anew = PipelineOptions.view_as
PipelineOptions.view_as = _view_as
core.get_signature = decorators.get_signature = _signature
statecache.get_deep_size = lambda *values: 64 * len(values)
userstate.get_dofn_specs = _dofn_specs
cloudpickle._find_imported_submodules = _submodules
# The same bytes, made once.
cloudpickle_pickler.bz2 = SimpleNamespace(
    compress=lru_cache(10_000)(bz2.compress),
    decompress=lru_cache(10_000)(bz2.decompress),
)
