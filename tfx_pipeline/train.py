"""The Trainer alone, on lists that a pipeline has transformed.

For what one pipeline cannot do by itself: the same training on several hosts at once.

    python -m tfx_pipeline.train --lists ROOT/artifacts/Transform/transformed_examples/5
        --transform ROOT/artifacts/Transform/transform_graph/5 --out OUT
"""

import argparse
import json
import sys
from pathlib import Path

from tfx.components.trainer.fn_args_utils import FnArgs

from psad_tf.errors import InputError
from schemas import schema_path
from tfx_pipeline.config import load_config
from tfx_pipeline.fingerprint import code_fingerprint
from tfx_pipeline.trainer import run_fn


def main(arguments: list[str] | None = None) -> int:
    """Trains and exports; returns the exit code."""
    parsed = _parser().parse_args(arguments)
    try:
        run_fn(_fn_args(parsed))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tfx_pipeline.train", description=__doc__.split("\n")[0]
    )
    folders = {
        "lists": "transformed examples: holds Split-train and Split-validation",
        "transform": "the transform's graph",
        "out": "gets model/, run/ and, until all is written, backup/; on a disk that "
        "every host sees",
    }
    for name, text in folders.items():
        parser.add_argument(f"--{name}", type=Path, required=True, help=text)
    parser.add_argument("--config", type=Path, help="as for psad pipeline run")
    parser.add_argument("--dataset", default="movielens_100k")
    parser.add_argument("--seed", type=int)
    return parser


def _fn_args(parsed: argparse.Namespace) -> FnArgs:
    out = parsed.out.absolute()
    config = load_config(
        parsed.config,
        raw="",
        root=str(out),
        model_store=str(out / "model"),
        dataset=parsed.dataset.replace("-", "_"),
        seed=parsed.seed,
    )
    settings = {
        "dataset": config.dataset,
        "seed": config.seed,
        "model": config.model_choices(),
        "training": config.training_choices(),
    }
    return FnArgs(
        train_files=[str(parsed.lists / "Split-train" / "*")],
        eval_files=[str(parsed.lists / "Split-validation" / "*")],
        transform_output=str(parsed.transform),
        schema_path=str(schema_path(config.dataset)),
        serving_model_dir=str(out / "model"),
        model_run_dir=str(out / "run" / "logs"),
        custom_config={
            "settings": json.dumps(settings),
            "serving": json.dumps(config.serving),
            "code": code_fingerprint(),
        },
    )


if __name__ == "__main__":
    sys.exit(main())
