"""Airflow in an environment of its own, as it is run: its packages aren't TFX's."""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
LOCK = ROOT / "requirements-airflow.lock"
PLACE = ROOT / ".setup" / "airflow"
UV = ROOT / ".setup" / "bootstrap" / "bin" / "uv"


def airflow_python() -> str:
    """An interpreter with the locked Airflow; makes the environment if need be."""
    if given := os.environ.get("AIRFLOW_PYTHON"):
        return given
    uv = str(UV) if UV.exists() else shutil.which("uv")
    if uv is None:
        pytest.skip("no uv to install Airflow with: run `make setup`")
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    stamp, python = PLACE / ".stamp", str(PLACE / "bin" / "python")
    if not stamp.exists() or stamp.read_text() != wanted:
        for command in (
            [uv, "venv", "--quiet", "--clear", "--python", "3.11", str(PLACE)],
            [uv, "pip", "sync", "--quiet", "--python", python, "--require-hashes"]
            + [str(LOCK)],
        ):
            subprocess.run(command, check=True)
        stamp.write_text(wanted)
    return python


def in_airflow(home: Path, **asked):
    """What `airflow_run.py` answers."""
    done = subprocess.run(
        [airflow_python(), str(HERE / "airflow_run.py"), json.dumps(asked)],
        env=_environment(home),
        capture_output=True,
        text=True,
    )
    (home / "words.log").write_text(done.stdout + done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def _environment(home: Path) -> dict[str, str]:
    settings = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
    }
    return os.environ | settings
