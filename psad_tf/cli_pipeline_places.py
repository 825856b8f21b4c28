"""`psad pipeline step`, `airflow`, `compile`: the pipeline under an orchestrator."""

import shlex
from pathlib import Path

from psad_tf.cli_options import positive


def add_places(actions) -> tuple:
    """Adds the commands.

    Returns:
        The parsers of those that are given a run's settings, and of `airflow`, which
        is given those of all runs.
    """
    return (_add_step(actions), _add_compile(actions)), _add_airflow(actions)


def _add_step(actions):
    words = "run one component of one run, as an orchestrator's task does"
    step = actions.add_parser(
        "step",
        help=words,
        description=f"{words}. Run again, it writes into the same folders, or finds "
        "its outputs and ends. Exit code 4: it was the push, and the gate refused the "
        "model.",
    )
    step.add_argument("component", help="such as Trainer")
    step.add_argument(
        "--run-id", required=True, help="names the run; the same for all its components"
    )
    step.add_argument(
        "--gate", default="{}", help="JSON: thresholds that differ from the file's"
    )
    step.add_argument(
        "--graph", default="", help="of the orchestrator; another one is refused"
    )
    step.set_defaults(command="run_step")
    return step


def _add_airflow(actions):
    words = "write the DAG file for Airflow 2.11 and the pipeline's plan beside it"
    airflow = actions.add_parser("airflow", help=words, description=words)
    airflow.add_argument(
        "--out", type=Path, required=True, help="the folder of the DAGs"
    )
    airflow.add_argument("--schedule", default="@daily", help="a preset, or cron's")
    airflow.add_argument(
        "--window",
        type=positive,
        help="read so many spans of --raw, RAW/span-N, the newest being the run's day "
        "in days since 1970-01-01; without it all of --raw is read each time",
    )
    airflow.add_argument(
        "--cold", action="store_true", help="train each span from scratch"
    )
    airflow.add_argument(
        "--psad",
        type=shlex.split,
        default=["psad"],
        help="what runs psad where the tasks run (default: psad)",
    )
    airflow.add_argument(
        "--image", default="", help="run each task in a pod of this container image"
    )
    airflow.add_argument(
        "--canary",
        type=shlex.split,
        help="a few clients get a pushed version first: options of `psad models "
        "release`, as in --canary='--server HOST:PORT --stable-metrics URL ...'",
    )
    airflow.set_defaults(command="write_airflow")
    return airflow


def _add_compile(actions):
    words = "write the spec for Kubeflow Pipelines v2 or Vertex AI"
    compiled = actions.add_parser("compile", help=words, description=words)
    compiled.add_argument("--target", choices=("kubeflow", "vertex"), required=True)
    compiled.add_argument(
        "--cluster", type=Path, required=True, help="JSON: image, volume, GPUs, secrets"
    )
    compiled.add_argument("--out", type=Path, required=True, help="the file")
    compiled.set_defaults(command="write_compiled")
    return compiled
