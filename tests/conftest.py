"""What costs seconds to make and is the same for every test: made once."""

import os
import sys
from contextlib import nullcontext

import pytest

# For how it collects garbage, which spares its tests time as it does its runs.
import tfx_pipeline  # noqa: F401

# Before anything imports NumPy: there are as many tests at a time as processors, and
# threads that share small matrices mostly wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Before anything imports TensorFlow Transform, which would choose Keras 2.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "0")


@pytest.fixture(scope="session")
def transform_output(tmp_path_factory):
    """The transform fitted on the lists of `fitted_transform`."""
    from fitted_transform import fit_transform

    return fit_transform(tmp_path_factory.mktemp("transform"))


@pytest.fixture(scope="session")
def exported(transform_output, tmp_path_factory):
    """A tiny PSAD, exported on top of that transform."""
    from fitted_transform import export_tiny

    path = tmp_path_factory.mktemp("exported") / "model"
    return export_tiny(transform_output, path)


# Their graphs run on a few lists, a few times.
AS_TRACED = {"baselines", "model", "reference"}


@pytest.fixture(autouse=True, scope="module")
def graphs_as_traced(request):
    """TensorFlow does not optimise the graphs of these tests."""
    if "tensorflow" not in sys.modules:  # then these tests don't need it
        yield
        return
    from quick_graphs import quick_graphs

    with quick_graphs() if request.path.parent.name in AS_TRACED else nullcontext():
        yield


# Files that share a session's fixtures run in one worker; the longest begin first.
GROUPS = (
    ("test_kills.py",),
    ("test_end_to_end.py", "test_gate.py", "test_real_lists.py"),
    ("orchestrators/",),
    ("test_three_spans.py",),
    ("test_resume.py", "test_distribution.py"),
    ("export/", "test_preprocessing.py", "test_list_metrics.py", "test_trainer.py"),
    ("test_on_jax.py",),
    ("test_contract.py",),
    ("test_programs_on_jax.py",),
)


def group_of(nodeid: str) -> tuple[int, str]:
    """When a test begins, and the name of what it must share a worker with."""
    file = nodeid.split("::")[0]
    for number, members in enumerate(GROUPS):
        if any(member in file for member in members):
            return number, members[0]
    return len(GROUPS), file


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: group_of(item.nodeid)[0])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return group_of(nodeid)[1]

    return ByGroup(config, log)
