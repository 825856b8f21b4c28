"""Every method's training steps and ranking as compiled programs."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import keras

from psad_tf import tensors
from psad_tf.bench.branches import functions
from psad_tf.bench.bundle import Bundle
from psad_tf.bench.compilation import compile_all
from psad_tf.bench.roofline.counts import count
from psad_tf.bench.stacked import on_device
from psad_tf.bench.stages import Stage, make_model, stages
from psad_tf.bench.training_step import training_step
from psad_tf.bench.trial import Decoding, Trial
from psad_tf.bench.tuning import methods
from psad_tf.config import PSADConfig
from psad_tf.training_config import TrainingConfig

BATCHES = (64, 128, 256)
INFERENCE, TRAINING = "inference", "training step"
TEACHER_ALONE = "PSAD without the student"
TITLES = {"student": "PSAD-S", "teacher": "PSAD-G"}
# Steps or rankings of a call, by the kind of device: what the host does for a call is
# shared by them. Where both are one processor there is nothing to share.
_RUNS = {"cpu": 1}
_RUNS_ELSEWHERE = 8


@dataclass(frozen=True)
class Program:
    """A compiled function with its arguments.

    Args:
        method, phase, batch: What is timed.
        parameters: Weights of the model, an evaluator's or a reference's among them; of
            PSAD-S those of the scorer.
        start: Makes a call and does not wait for it.
        flops: Of one run, counted from shapes.
        runs: Training steps, or rankings, of one call, one after the other.
    """

    method: str
    phase: str
    batch: int
    parameters: int
    start: Callable[[], Any]
    flops: float
    runs: int = 1

    def call(self) -> None:
        """Makes a call and waits for it."""
        jax.block_until_ready(self.start())


def programs(
    bundle: Bundle, preset: Mapping, batches=BATCHES, names=None
) -> list[Program]:
    """Every method's programs, compiled.

    Args:
        bundle: The data; the first training lists are what is run on.
        preset: `model` and `training`, fields by name: the sizes of all models.
        batches: Lists a call.
        names: Methods' names; None is all.
    """
    return compile_all([*_tasks(bundle, preset, batches, names)])


def _tasks(bundle, preset, batches, names) -> Iterator[Callable[[], Program]]:
    config = PSADConfig.of({**preset["model"], **bundle.sizes})
    training = TrainingConfig(**preset["training"])
    for method in methods(names):
        trial = Trial(method.name, method.name, decodings=(Decoding(),))
        model = make_model(trial, config)
        for batch in batches:
            lists = on_device({k: v[:batch] for k, v in bundle.splits["train"].items()})
            for name, function in functions(trial, model).items():
                served = model.scorer if name == "student" else model
                title = TITLES.get(name, name)
                yield _inference(model, served, title, function, lists, batch)
            for title, stage in _steps(method, trial, model):
                yield _training(model, title, stage, lists, batch, training)


def _steps(method, trial, model):
    found = stages(trial, model)
    for stage in found:
        name = "" if stage is found[-1] else f", {stage.name}"
        yield f"{method.title}{name}", stage
    if method.name == "psad":
        yield TEACHER_ALONE, Stage(TEACHER_ALONE, _teacher_alone)


def _teacher_alone(model, inputs, label, training):
    """The generator's losses; the order is drawn, and no score is computed."""
    is_valid = inputs[tensors.CANDIDATE_IS_VALID]
    states = model.scorer.encoder(inputs, training=training)
    outputs = {"states": states, "scores": keras.ops.zeros_like(label)}
    parts = model.joint_loss(label, is_valid, outputs, training)
    return parts["generation"] + parts["refinement"]


def _inference(model, served, title, function, lists, batch):
    inputs = {name: lists[name] for name in tensors.INPUTS}
    variables = model.variables

    def ranking(values, inputs):
        # Else what depends on weights alone would be computed once a call.
        values, inputs = jax.lax.optimization_barrier((values, inputs))
        pairs = list(zip(variables, values, strict=True))
        with keras.StatelessScope(state_mapping=pairs):
            return function(model, inputs)

    def rankings(values, batches):
        return jax.lax.map(lambda inputs: ranking(values, inputs), batches)

    values = [v.value for v in variables]
    return _compile(served, title, INFERENCE, batch, rankings, values, inputs)


def _training(model, title, stage, lists, batch, config):
    step, state = training_step(model, stage, config)

    def steps(state, batches):
        return jax.lax.scan(lambda state, lists: step(state, *lists), state, batches)

    inputs = {name: lists[name] for name in tensors.INPUTS}
    given = inputs, lists[tensors.LABEL]
    return _compile(model, title, TRAINING, batch, steps, state, given)


def _compile(model, title, phase, batch, program, state, lists):
    runs = _RUNS.get(jax.default_backend(), _RUNS_ELSEWHERE)
    arguments = state, jax.tree.map(lambda x: jnp.stack([x] * runs), lists)
    # Tracing uses the model's own variables, so it is done here, one after the other.
    traced = jax.jit(program).trace(*arguments)
    # The compiler counts a loop's body once and nothing of a kernel.
    flops, lowered = count(traced.jaxpr).operations / runs, traced.lower()

    def task():
        start = partial(lowered.compile(), *arguments)
        return Program(title, phase, batch, model.count_params(), start, flops, runs)

    return task
