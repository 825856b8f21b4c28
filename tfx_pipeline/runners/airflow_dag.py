"""PSAD's pipelines as Airflow DAGs: a task a component, and no TFX at parse time.

`psad pipeline airflow` puts this file and a plan, `psad_*.json`, into the folder of the
DAGs. Airflow needs neither this project nor TFX:
each task runs `psad pipeline step` in an environment, or a container, that has both.
"""

import json
import shlex
from datetime import datetime, timedelta
from pathlib import Path

from airflow import DAG
from airflow.models.param import Param
from airflow.operators.bash import BashOperator

FOLDER = Path(__file__).parent
# The gate refused the model: what comes after the push is skipped, but the report.
REFUSED = 4
RELEASE = "Release"  # the task after all steps
# What differs from run to run; all tasks of a run get the same.
GATE = {"--run-id": "{{ run_id }}", "--gate": "{{ params.gate | tojson }}"}
DAY = "data_interval_start.int_timestamp // 86400"
SPAN = {"--span": f"{{{{ {DAY} if params.span is none else params.span }}}}"}


def build(plan: dict) -> DAG:
    """One DAG.

    Args:
        plan: As `tfx_pipeline.runners.airflow.plan_of` makes it.
    """
    retries, delay = plan["retries"], timedelta(seconds=plan["retry_seconds"])
    with DAG(
        plan["dag_id"],
        description="PSAD: raw logs to a gated, pushed model and its report",
        schedule=plan["schedule"],
        start_date=datetime.fromisoformat(plan["start"]),
        catchup=False,
        # The metadata are one SQLite file, which has one writer at a time.
        max_active_runs=1,
        max_active_tasks=1,
        params=_params(plan),
        default_args={"retries": retries, "retry_delay": delay},
    ) as dag:
        make = _in_a_pod if plan["image"] else _in_a_shell
        tasks = {
            step: make(plan, step, _step(plan, step), _of_the_run(plan))
            for step in plan["steps"]
        }
        for step, needed in plan["steps"].items():
            tasks[step].set_upstream([tasks[one] for one in needed])
        if plan["release"]:
            words = [*plan["command"], "models", "release", *plan["release"]]
            # Nothing is released where the push was skipped.
            release = make(plan, RELEASE, words, {}, trigger_rule="all_success")
            release.set_upstream([*tasks.values()])
    return dag


def _params(plan: dict) -> dict[str, Param]:
    """What a run can be given."""
    gate = Param({}, type="object", description="Thresholds other than the file's")
    span = Param(
        None,
        type=["null", "integer"],
        description="The newest span; empty: the day of the run, in days since 1970",
    )
    return {"gate": gate} | ({"span": span} if plan["spans"] else {})


def _of_the_run(plan: dict) -> dict[str, str]:
    """Flags of a step to what Airflow is to fill in."""
    return GATE | (SPAN if plan["spans"] else {})


def _in_a_shell(
    plan: dict,
    task: str,
    command: list[str],
    flags: dict[str, str],
    trigger_rule: str = "none_failed",
) -> BashOperator:
    # Values of a run come as environment variables: nothing in them is a command.
    names = {f: "PSAD" + f.removeprefix("-").replace("-", "_").upper() for f in flags}
    given = " ".join(f'{flag} "${name}"' for flag, name in names.items())
    return BashOperator(
        task_id=task,
        bash_command=f"exec {shlex.join(command)} {given}",
        env={names[flag]: value for flag, value in flags.items()},
        append_env=True,
        skip_on_exit_code=REFUSED,
        trigger_rule=trigger_rule,
    )


def _in_a_pod(
    plan: dict,
    task: str,
    command: list[str],
    flags: dict[str, str],
    trigger_rule: str = "none_failed",
):
    from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator

    program, *arguments = command
    given = (word for pair in flags.items() for word in pair)
    return KubernetesPodOperator(
        task_id=task,
        image=plan["image"],
        cmds=[program],
        arguments=[*arguments, *given],
        pod_template_file=str(FOLDER / plan["pods"].get(task, plan["pods"]["default"])),
        skip_on_exit_code=REFUSED,
        trigger_rule=trigger_rule,
    )


def _step(plan: dict, step: str) -> list[str]:
    begin = [*plan["command"], "pipeline", "step", step, "--graph", plan["graph"]]
    return begin + plan["arguments"]


for _file in sorted(FOLDER.glob("psad_*.json")):
    _plan = json.loads(_file.read_text())
    globals()[_plan["dag_id"]] = build(_plan)
