"""What `psad pipeline run` does: configure, run with progress, say what came of it."""

import argparse
import json
import sys
from pathlib import Path

from psad_tf.cli import REFUSED
from psad_tf.data.prepare import raw_folder
from tfx_pipeline.config import PipelineConfig, load_config
from tfx_pipeline.progress import showing_progress

LATEST = "report/latest"


def run_pipeline(parsed: argparse.Namespace) -> int:
    """Runs the pipeline with the command line's settings; returns the exit code."""
    root = parsed.root.absolute()
    store = parsed.model_store.absolute() if parsed.model_store else root / "models"
    config = load_config(
        parsed.config,
        raw=str(raw_folder(parsed.dataset, parsed.raw)),
        root=str(root),
        model_store=str(store),
        dataset=parsed.dataset.replace("-", "_"),
        seed=parsed.seed,
        max_bad_share=parsed.max_bad_share,
    )
    with showing_progress(root / "logs", verbose=parsed.verbose):
        # Importing TFX takes half a minute: only once the settings are known good.
        from tfx_pipeline.local_runner import run

        run(config)
    return _tell(config)


def _tell(config: PipelineConfig) -> int:
    """Prints the report's summary; tells scripts whether the model was pushed."""
    latest = Path(config.path(LATEST))
    print((latest / "summary.txt").read_text())
    print((latest / "lists.txt").read_text())
    metrics = json.loads((latest / "metrics.json").read_text())
    pushed = metrics["decision"]["pushed"]
    if pushed:
        print("Serve and ask it:")
        print(f"  psad serve --model-base-path {config.model_store} &")
        print(f"  psad rerank --request {latest / 'request.json'}")
    print(f"Report: {latest / 'index.html'}", file=sys.stdout)
    return 0 if pushed else REFUSED
