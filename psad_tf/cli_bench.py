"""`psad bench`: many trainings under one protocol, and what their figures say."""

import os
from argparse import ArgumentTypeError
from pathlib import Path

from psad_tf.cli_options import add_dataset, add_raw, check_dataset
from psad_tf.errors import InputError

_BENCHES = {
    "overall": "all rerankers under one protocol, on test lists",
    "efficiency": "what each reranker's training step and ranking cost",
    "roofline": "what is reached of what the device allows, at many sizes",
    "prepare": "make a data set's tensors, which all other benches read",
    "study": "the model's open choices, on validation lists",
    "ablation": "the model without one of its parts",
    "distillation": "kinds of teachers, and what their students keep",
    "hyperparameters": "block size, refined slots and weight of the distillation",
    "interaction": "ways in which profile and items meet, by the users' activity",
    "peers": "the initial order, LambdaMART and PRM beside PSAD, on test lists",
    "page": "what a shop's rules for a page cost PSAD-S, on test lists",
    "report": "a page and tables of all results so far",
}


def add_bench(commands) -> None:
    """Adds the group."""
    group = commands.add_parser("bench", help="studies and comparisons, on JAX")
    actions = group.add_subparsers(required=True, metavar="COMMAND")
    for name, text in _BENCHES.items():
        action = actions.add_parser(name, help=text)
        add_dataset(action)
        add_raw(action)
        action.add_argument(
            "--out", type=Path, default=Path("runs/bench"), help="data and results"
        )
        action.add_argument(
            "--preset",
            choices=("quick", "full"),
            default="full",
            help="quick tries everything out on few lists; full is what is published",
        )
        action.add_argument(
            "--seeds", type=int, nargs="+", help="0 to 4; of quick, 0 and 1"
        )
        action.add_argument("--workers", type=int, default=1, help="processes")
        action.add_argument(
            "--device", help="what trained the models, if not this machine"
        )
        action.add_argument(
            "--part",
            type=_part,
            default=(1, 1),
            metavar="I/N",
            help="run every N-th trial alone, from the I-th; one without it goes on",
        )
        action.add_argument(
            "--methods", nargs="+", help="of overall and efficiency; all by default"
        )
        action.set_defaults(run=_bench, bench=name)


def _part(text: str) -> tuple[int, int]:
    """`2/3` is the second of three parts."""
    first, _, count = text.partition("/")
    if not (first.isdigit() and count.isdigit() and 1 <= int(first) <= int(count)):
        raise ArgumentTypeError(f"{text!r} is no part; give one such as 2/3")
    return int(first), int(count)


def _bench(parsed) -> int:
    features = check_dataset(parsed)
    if parsed.raw is not None and features.truth:
        raise InputError(
            f"--raw={parsed.raw}: a bench makes the worlds of {parsed.dataset} itself; "
            "give --size instead"
        )
    # Keras reads it once, when it is first imported.
    os.environ["KERAS_BACKEND"] = "jax"
    from psad_tf.bench import command

    return command.main(parsed)
