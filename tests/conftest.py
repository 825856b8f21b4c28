"""What costs seconds to make and is the same for every test: made once."""

import os

import pytest

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


# Files that share a session's fixtures run in one worker; the longest begin first.
GROUPS = {
    "test_kills.py": (0, "kills"),
    "test_end_to_end.py": (1, "pipeline"),
    "test_gate.py": (1, "pipeline"),
}
EXPORTED = (2, "exported")


# First: the workers read the marks in the same hook.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    def place(item):
        name = item.path.name
        shares = {"exported", "transform_output"} & set(item.fixturenames)
        return GROUPS.get(name) or (EXPORTED if shares else (3, name))

    items.sort(key=lambda item: place(item)[0])
    for item in items:
        item.add_marker(pytest.mark.xdist_group(place(item)[1]))
