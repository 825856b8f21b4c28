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
