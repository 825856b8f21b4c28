"""What `psad pipeline step`, `airflow` and `compile` do."""

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path

from psad_tf.cli import REFUSED
from psad_tf.cli_models import add_models
from psad_tf.cli_options import check_config, check_dataset
from psad_tf.errors import ConfigError
from tfx_pipeline.command import run_config
from tfx_pipeline.config import PipelineConfig, load_config
from tfx_pipeline.gate.config import GateConfig
from tfx_pipeline.progress import showing_progress
from tfx_pipeline.runners.cluster import read_cluster


def run_step(parsed: argparse.Namespace) -> int:
    """Runs one component of one run; 4 if it was the push of a refused model."""
    config = with_gate(run_config(_checked(parsed)), parsed.gate)
    with showing_progress(Path(config.path("logs")), parsed.verbose):
        # Importing TFX takes half a minute: only once the settings are known good.
        from tfx_pipeline.runners import step

        outputs = step.run_step(config, parsed.component, parsed.run_id, parsed.graph)
    for name, artifacts in outputs.items():
        print(*(f"{name}: {artifact.uri}" for artifact in artifacts), sep="\n")
    pushed = outputs.get("pushed_model")
    if pushed and not pushed[0].get_int_custom_property("pushed"):
        print(f"No model was pushed; after the report: psad gate explain {config.root}")
        return REFUSED
    return 0


def with_gate(config: PipelineConfig, text: str) -> PipelineConfig:
    """The configuration with other thresholds of the model's gate.

    Args:
        config: The configuration.
        text: The thresholds that differ, by name, as a JSON object.

    Raises:
        ConfigError: It is no such text, or a threshold is unknown or mistyped.
    """
    try:
        changes = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"--gate={text}: not valid JSON: {error}") from None
    known = asdict(config.gate)
    if not isinstance(changes, dict) or set(changes) - set(known):
        raise ConfigError(
            f"--gate={text}: give a JSON object of thresholds; known: "
            f"{', '.join(known)}"
        )
    return replace(config, gate=GateConfig(**known | changes))


def write_airflow(parsed: argparse.Namespace) -> int:
    """Writes the DAG file and its plan."""
    from tfx_pipeline.runners.airflow import plan_of, write_dag

    check_config(parsed)
    plan = plan_of(
        # The graph is the same for all raw logs, so it is not asked which.
        load_config(
            parsed.config,
            raw="",
            root="",
            model_store="",
            dataset=parsed.dataset.replace("-", "_"),
        ),
        _arguments(parsed),
        command=parsed.psad,
        schedule=parsed.schedule,
        window=parsed.window,
        image=parsed.image,
        release=_release(parsed),
    )
    print(*write_dag(parsed.out, plan), sep="\n")
    return 0


def _release(parsed: argparse.Namespace) -> list[str]:
    """The options of the release after a push, checked; none where none is wanted."""
    if not parsed.canary:
        return []
    store = parsed.model_store or parsed.root / "models"
    options = [f"--store={store.absolute()}", *parsed.canary]
    parser = argparse.ArgumentParser("psad")
    add_models(parser.add_subparsers())
    parser.parse_args(["models", "release", *options])
    return options


def write_compiled(parsed: argparse.Namespace) -> int:
    """Writes the spec for Kubeflow Pipelines or Vertex AI."""
    config, cluster = run_config(_checked(parsed)), read_cluster(parsed.cluster)
    from tfx_pipeline.runners import kubeflow

    job = kubeflow.compile_job(config, cluster, parsed.target)
    kubeflow.write_job(job, cluster, parsed.target, parsed.out)
    print(parsed.out)
    return 0


def _checked(parsed: argparse.Namespace) -> argparse.Namespace:
    check_dataset(parsed)
    check_config(parsed)
    return parsed


def _arguments(parsed: argparse.Namespace) -> list[str]:
    """The command line of a step, as far as it is the same for all."""
    paths = ("root", "raw", "model_store", "config")
    names = (*paths, "dataset", "max_bad_share", "seed", "size", "window")
    given = {name: getattr(parsed, name) for name in names}
    here = (name for name in paths if given[name] is not None)
    given |= {name: given[name].absolute() for name in here}
    flags = {name.replace("_", "-"): v for name, v in given.items() if v is not None}
    cold = ["--cold"] if parsed.cold else []
    return [f"--{name}={value}" for name, value in flags.items()] + cold
