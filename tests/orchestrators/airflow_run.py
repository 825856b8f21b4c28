"""Airflow's part of a test, run where Airflow is: `airflow_run.py ASKED`.

Reads what is asked for as JSON, prints what came of it as one line of JSON at the end.
"""

import json
import sys
import time


def parse(folder: str) -> dict:
    """What Airflow finds in a folder of DAGs."""
    from airflow.models import DagBag

    begin = time.monotonic()
    bag = DagBag(folder, include_examples=False)
    return {
        "seconds": time.monotonic() - begin,
        "errors": bag.import_errors,
        "heavy": sorted({"tensorflow", "tfx", "psad_tf"} & set(sys.modules)),
        "dags": {name: _described(dag) for name, dag in bag.dags.items()},
    }


def _described(dag) -> dict:
    return {
        "upstream": {t.task_id: sorted(t.upstream_task_ids) for t in dag.tasks},
        "kinds": sorted({type(task).__name__ for task in dag.tasks}),
        "pods": {t.task_id: getattr(t, "pod_template_file", "") for t in dag.tasks},
        "commands": {t.task_id: _command(t) for t in dag.tasks},
    }


def _command(task) -> str:
    if hasattr(task, "bash_command"):
        return task.bash_command
    return " ".join([*task.cmds, *task.arguments])


def run(folder: str, dag_id: str, confs: list[dict]) -> list[dict]:
    """Runs a DAG to its end on Airflow's SQLite back end, once for each conf."""
    from airflow.models import DagBag
    from airflow.utils.db import initdb

    initdb()
    dag = DagBag(folder, include_examples=False).dags[dag_id]
    return [_outcome(dag.test(run_conf=conf)) for conf in confs]


def _outcome(ran) -> dict:
    tasks = ran.get_task_instances()
    return {
        "state": ran.state,
        "run_id": ran.run_id,
        "states": {one.task_id: one.state for one in tasks},
        "tries": {one.task_id: one.try_number for one in tasks},
    }


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    print("\n" + json.dumps({"parse": parse, "run": run}[asked.pop("do")](**asked)))
