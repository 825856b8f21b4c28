"""The command line `psad`. Each command imports what it needs when it runs."""

import argparse
import os
import sys

from psad_tf import __version__
from psad_tf.cli_bench import add_bench
from psad_tf.cli_data import add_data
from psad_tf.cli_gate import add_gate
from psad_tf.cli_lineage import add_lineage
from psad_tf.cli_loadtest import add_loadtest
from psad_tf.cli_model import add_model
from psad_tf.cli_models import add_models
from psad_tf.cli_pipeline import add_pipeline
from psad_tf.cli_serving import add_rerank, add_serve
from psad_tf.errors import InputError
from psad_tf.quick_start import quick_start

# Exit codes: 0 done; 1 a fault of ours or of the machine, with a traceback; 2 wrong
# arguments; 3 bad input, with a message that names it and the remedy; 4 the run ended
# well but the gate refused the model.
BAD_INPUT, REFUSED = 3, 4


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; returns the process's exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    parsed = _parser().parse_args([_with_dashes(one) for one in given])
    quick_start()
    # TensorFlow Transform would switch tf.keras to Keras 2; nothing here wants that.
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "0")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        return parsed.run(parsed) or 0
    except InputError as error:
        if os.environ.get("PSAD_TRACEBACK"):
            raise
        print(f"psad: error: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        return 130


def _with_dashes(argument: str) -> str:
    """`--model_name=a_b`, as the model server spells it, to `--model-name=a_b`."""
    name, equals, value = argument.partition("=")
    if name.startswith("--"):
        name = name.replace("_", "-")
    return name + equals + value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="psad",
        description="PSAD: from raw logs to a gated, served reranker.",
        epilog="Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 bad input (the "
        "message names it and the remedy), 4 the gate refused the model. "
        "PSAD_TRACEBACK=1 shows where an error came from.",
    )
    parser.add_argument("--version", action="version", version=f"psad {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    groups = (add_data, add_pipeline, add_gate, add_lineage, add_model, add_models)
    for add in (*groups, add_bench, add_serve, add_rerank, add_loadtest):
        add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
