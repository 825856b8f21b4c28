"""What Airflow needs: the DAG file, and beside it the graph as a plan in JSON."""

import json
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from tfx_pipeline.config import PipelineConfig
from tfx_pipeline.local_runner import compiled
from tfx_pipeline.runners.graph import edges, fingerprint

DAG_FILE = Path(__file__).parent / "airflow_dag.py"
PODS = {"default": "psad_pod.yaml", "Trainer": "psad_gpu_pod.yaml"}
_TEMPLATES = Path(__file__).parent.parent / "kubernetes"


def graph_of(config: PipelineConfig) -> dict[str, list[str]]:
    """The components and what each waits for; of any raw log, there or not."""
    with tempfile.TemporaryDirectory() as empty:
        return edges(compiled(replace(config, raw=empty, root=empty)))


def plan_of(
    config: PipelineConfig,
    arguments: list[str],
    *,
    command: list[str],
    schedule: str,
    window: int | None = None,
    image: str = "",
    release: list[str] = (),
) -> dict:
    """All that the DAG file has to know.

    Args:
        config: The pipeline's.
        arguments: Of `psad pipeline step`, the same for all steps and runs.
        command: What runs `psad`, where the tasks run.
        schedule: Airflow's: a preset or cron's five fields.
        window: How many spans a run reads; None where the logs have no spans.
        image: Each task is a pod of this container image; empty: a process.
        release: Options of `psad models release`, which follows a push; none where
            pushed versions are for all clients at once.
    """
    graph = graph_of(config)
    return {
        "dag_id": f"psad_{config.dataset}",
        "schedule": schedule,
        "start": "2026-01-01T00:00:00+00:00",
        "retries": 2,
        "retry_seconds": 300,
        "spans": window is not None,
        "command": command,
        "arguments": arguments,
        "image": image,
        "release": list(release),
        "pods": PODS,
        "graph": fingerprint(graph),
        "steps": graph,
    }


def write_dag(folder: Path, plan: dict) -> list[Path]:
    """Writes the DAG file, the plan and, for pods, their templates; says which."""
    folder.mkdir(parents=True, exist_ok=True)
    written = [Path(shutil.copy(DAG_FILE, folder / "psad_dags.py"))]
    if plan["image"]:
        names = sorted(set(plan["pods"].values()))
        written += [Path(shutil.copy(_TEMPLATES / n, folder / n)) for n in names]
    file = folder / f"{plan['dag_id']}.json"
    file.write_text(json.dumps(plan, indent=1))
    return [*written, file]
