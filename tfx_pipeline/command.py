"""What `psad pipeline run` does: configure, run with progress, say what came of it."""

import argparse
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from psad_tf.cli import REFUSED
from psad_tf.data.prepare import raw_folder
from psad_tf.errors import ConfigError
from tfx_pipeline.config import PipelineConfig, load_config
from tfx_pipeline.data_gate.errors import DataRefusedError
from tfx_pipeline.progress import showing_progress
from tfx_pipeline.report.files import LATEST, LISTS, METRICS, PAGE, REQUEST
from tfx_pipeline.report.terminal import outcome
from tfx_pipeline.seeds import write_seeds
from tfx_pipeline.spans import window


def run_pipeline(parsed: argparse.Namespace) -> int:
    """Runs the pipeline with the command line's settings; returns the exit code."""
    config = run_config(parsed)
    try:
        _run([config], parsed.verbose)
    except DataRefusedError as refused:
        print(f"\n{refused}")
        return REFUSED
    return _tell(config)


def run_config(parsed: argparse.Namespace) -> PipelineConfig:
    """The settings of the command line's one run."""
    root = parsed.root.absolute()
    store = parsed.model_store.absolute() if parsed.model_store else root / "models"
    config = _config(parsed, root, store, parsed.seed)
    return config if parsed.span is None else _of_span(config, parsed)


def _of_span(config: PipelineConfig, parsed: argparse.Namespace) -> PipelineConfig:
    """The settings for a window of spans; says what is not read, and why."""
    if parsed.raw is None:
        raise ConfigError(f"--span={parsed.span} needs --raw: a folder of span-N's")
    found = window(
        parsed.raw, parsed.span, parsed.window, config.dataset, Path(config.root)
    )
    for repeat, first in found.repeats.items():
        print(f"span-{repeat} holds the very files of span-{first}: read once")
    return replace(
        config,
        raw=str(found.raw.absolute()),
        spans=found.names(),
        warm_start=not parsed.cold,
    )


def run_seeds(parsed: argparse.Namespace) -> int:
    """Runs the pipeline under each seed and prints the spread of its figures."""
    root = parsed.root.absolute()
    configs = {
        seed: _config(parsed, root / f"seed-{seed}", root / f"seed-{seed}/models", seed)
        for seed in parsed.seeds
    }
    _run(configs.values(), parsed.verbose)
    runs = {
        seed: json.loads((Path(config.path(LATEST)) / METRICS).read_text())
        for seed, config in configs.items()
    }
    print(f"\n{write_seeds(root, runs)}")
    return 0


def _config(
    parsed: argparse.Namespace, root: Path, store: Path, seed: int | None
) -> PipelineConfig:
    return load_config(
        parsed.config,
        raw=str(raw_folder(parsed.dataset, parsed.raw, parsed.size)),
        root=str(root),
        model_store=str(store),
        dataset=parsed.dataset.replace("-", "_"),
        seed=seed,
        max_bad_share=parsed.max_bad_share,
    )


def _run(configs: Iterable[PipelineConfig], verbose: bool) -> None:
    for config in configs:
        with showing_progress(Path(config.path("logs")), verbose):
            # Importing TFX takes half a minute: only once the settings are known good.
            from tfx_pipeline.local_runner import run

            run(config)


def _tell(config: PipelineConfig) -> int:
    """Prints the outcome; tells scripts whether the model was pushed."""
    latest = Path(config.path(LATEST))
    metrics = json.loads((latest / METRICS).read_text())
    lists = latest / LISTS
    print(f"\n{lists.read_text() if lists.exists() else ''}\n{outcome(metrics)}")
    pushed = metrics["decision"]["pushed"]
    if pushed:
        print("Serve it, then ask it for one of the lists above:")
        print(f"  psad serve --model-base-path {config.model_store}")
        dataset = config.dataset.replace("_", "-")
        print(f"  psad rerank --dataset {dataset} --request {latest / REQUEST}")
    else:
        print(f"Why, and what would have to change: psad gate explain {config.root}")
    print(f"Report: {latest / PAGE}")
    return 0 if pushed else REFUSED
