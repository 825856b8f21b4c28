"""Rankings and training steps of models of any size, compiled."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import keras
import numpy as np
from tqdm import tqdm

from psad_tf import tensors
from psad_tf.bench.branches import functions
from psad_tf.bench.compilation import compile_all
from psad_tf.bench.efficiency_programs import INFERENCE, TITLES, TRAINING
from psad_tf.bench.roofline.counts import Count, count
from psad_tf.bench.roofline.shapes import Shape, config_of, lists_of
from psad_tf.bench.stages import make_model, stages
from psad_tf.bench.training_step import training_step
from psad_tf.bench.trial import Decoding, Trial
from psad_tf.training_config import TrainingConfig

FLOAT32, BFLOAT16 = "float32", "bfloat16"
USER_SIDE, USER_GIVEN = "PSAD-S, user's side", "PSAD-S, user's side given"
_POLICIES = {FLOAT32: "float32", BFLOAT16: "mixed_bfloat16"}


@dataclass(frozen=True)
class Cell:
    """What is timed.

    Args:
        method: `psad`, or the name of a baseline.
        phase: Inference, of every way to read the method out; or a training step.
        batch: Lists a call.
        precision: What it computes in.
        shape: Sizes.
        titles: The ways of reading it out that are wanted; empty is all.
    """

    method: str
    phase: str
    batch: int
    precision: str = FLOAT32
    shape: Shape = Shape()
    titles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Compiled:
    """A program that is ready to run.

    Args:
        cell: What it is.
        title: The method, as tables name it.
        run: Makes a call and waits for it.
        counted: Operations and lookups, from shapes.
        least_bytes: What a call can't help moving: the batch, the rows it looks up,
            the weights but for tables, and what comes out. A training step also moves
            the slots of the optimizer.
        compiler: The compiler's own count: `flops` and `bytes accessed`, once fused.
    """

    cell: Cell
    title: str
    run: Callable[[], None]
    counted: Count
    least_bytes: float
    compiler: dict[str, float]


def compiled(cells: Sequence[Cell]) -> list[Compiled]:
    """Compiles; a cell gives a program for each way to read its method out."""
    tasks = [task for cell in tqdm(cells, desc="trace") for task in _of_cell(cell)]
    return compile_all(tasks)


@contextmanager
def computing_in(precision: str):
    """Within it, models are made to compute in a precision."""
    usual = keras.config.dtype_policy()
    keras.config.set_dtype_policy(_POLICIES[precision])
    try:
        yield
    finally:
        keras.config.set_dtype_policy(usual)


def _of_cell(cell: Cell) -> Iterator[Callable[[], Compiled]]:
    trial = Trial(cell.method, cell.method, decodings=(Decoding(),))
    config = config_of(cell.shape)
    with computing_in(cell.precision):
        model = make_model(trial, config)
    lists = {k: jnp.asarray(v) for k, v in lists_of(config, cell.batch).items()}
    if cell.phase == INFERENCE:
        for title, served, function, inputs in _readouts(trial, model, lists):
            if not cell.titles or title in cell.titles:
                yield _ranking(cell, title, served, model, function, inputs)
    else:
        (*_, last) = stages(trial, model)
        yield _step(cell, model, last, lists)


def _readouts(trial, model, lists):
    """Title, what is served, function and inputs of each way to rank."""
    inputs = {name: lists[name] for name in tensors.INPUTS}
    for name, function in functions(trial, model).items():
        is_student = name == "student"
        served = model.scorer if is_student else model
        yield TITLES.get(name, name), served, function, inputs
        if is_student and model.config.history != "encoded":
            scorer = model.scorer
            yield USER_SIDE, scorer, lambda m, x: m.scorer.user_side(x), inputs
            side = jax.jit(scorer.user_side)(inputs)
            given = {k: v for k, v in inputs.items() if k.startswith("candidate")}
            yield (
                USER_GIVEN,
                scorer,
                lambda m, x: m.scorer.with_user_side(*x),
                (side, given),
            )


def _ranking(cell, title, served, model, function, inputs):
    variables = served.variables

    def program(values, inputs):
        pairs = list(zip(variables, values, strict=True))
        with keras.StatelessScope(state_mapping=pairs):
            return function(model, inputs)

    values = [v.value for v in variables]
    return _compile(cell, title, program, (values, inputs), served.weights)


def _step(cell, model, stage, lists):
    step, state = training_step(model, stage, TrainingConfig())
    inputs = {name: lists[name] for name in tensors.INPUTS}
    arguments = (state, inputs, lists[tensors.LABEL])
    title = "PSAD" if cell.method == "psad" else model.title
    return _compile(cell, title, step, arguments, model.weights)


def _compile(cell, title, program, arguments, weights):
    tables = sum(w.value.nbytes for w in weights if "embeddings" in w.path)
    # Tracing uses the model's own variables, so it is done here, one after the other.
    traced = jax.jit(program).trace(*arguments)
    counted, lowered = count(traced.jaxpr), traced.lower()
    least = counted.gathered + _bytes(arguments) - tables
    if cell.phase == TRAINING:
        # Tables, their gradients and their slots are moved whole by a dense optimizer.
        least += tables

    def task():
        found = lowered.compile()
        cost = found.cost_analysis() or {}
        known = {k: float(cost.get(k, np.nan)) for k in ("flops", "bytes accessed")}

        def run():
            jax.block_until_ready(found(*arguments))

        return Compiled(cell, title, run, counted, least, known)

    return task


def _bytes(tree) -> float:
    return float(sum(x.nbytes for x in jax.tree.leaves(tree)))
