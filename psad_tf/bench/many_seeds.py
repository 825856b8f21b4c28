"""One model under several seeds, trained side by side in one compiled program.

All of a split's lists lie in the device's memory; an epoch is one `lax.scan` over
steps, and `vmap` runs the seeds next to each other. The loss is the model's own.
"""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import keras
import numpy as np

from psad_tf import losses, tensors
from psad_tf.training_config import TrainingConfig
from psad_tf.training_optimizer import optimizer

IDS = (tensors.USER_IDS, tensors.CANDIDATE_IDS, tensors.HISTORY_IDS)
ARE_VALID = (tensors.CANDIDATE_IS_VALID, tensors.HISTORY_IS_VALID)


def on_device(split: dict) -> dict:
    """A split's input tensors and label on the device: ids int32, validity bool."""
    placed = {}
    for name in (*tensors.INPUTS, tensors.LABEL):
        dtype = np.int32 if name in IDS else bool if name in ARE_VALID else np.float32
        placed[name] = jnp.asarray(split[name].astype(dtype))
    return placed


class ManySeeds:
    """A model's weights under several seeds, and the programs that use them.

    Args:
        make: Makes the model, built; called once a seed, after the seed is set.
        seeds: Of initial weights, order of lists, dropout and masks.
        loss: `(model, inputs, label, training) -> float32 [batch]`.
        beside: Models trained before under the same seeds, which the loss, or what is
            applied, calls too; their weights stay as they are.
    """

    def __init__(
        self,
        make: Callable,
        seeds: Sequence[int],
        loss: Callable,
        beside: Sequence["ManySeeds"] = (),
    ):
        self.seeds, self.loss, self.beside = tuple(seeds), loss, tuple(beside)
        started = []
        # Made on the CPU: op by op, an accelerator would compile each one.
        with jax.default_device(jax.devices("cpu")[0]):
            for seed in self.seeds:
                keras.utils.set_random_seed(seed)
                self.model = make()
                started.append([_values(v) for v in self._variables()])
        self.state = [_stacked(column) for column in zip(*started, strict=True)]
        self._programs = {}

    def _variables(self):
        return self.model.trainable_variables, self.model.non_trainable_variables

    def _all_variables(self):
        """Every variable that a call may read, in the order of `_all_state`."""
        own = [v for group in self._variables() for v in group]
        return own + [v for other in self.beside for v in other._all_variables()]

    def _beside_state(self):
        return [v for other in self.beside for v in other._all_state()]

    def _all_state(self):
        return [v for group in self.state for v in group] + self._beside_state()

    def train(
        self,
        training: dict,
        config: TrainingConfig,
        after_epoch: Callable[[int], bool | None] = lambda epoch: None,
    ) -> list[np.ndarray]:
        """Trains in place.

        Args:
            training: From `on_device`.
            config: How to train; its seed is not used.
            after_epoch: Called with the number of epochs done; true stops.

        Returns:
            The mean loss of each epoch, each float32 `[seeds]`.

        Raises:
            FloatingPointError: A loss became NaN or infinite.
        """
        count = len(training[tensors.LABEL])
        steps = -(-count // config.batch_size)
        with jax.default_device(jax.devices("cpu")[0]):
            tuned = optimizer(config, steps * config.epochs)
            tuned.build(self.model.trainable_variables)
        slots = _repeated(_values(tuned.variables), len(self.seeds))
        run = self._epoch_program(tuned)
        orders = [np.random.default_rng(seed) for seed in self.seeds]
        history = []
        for epoch in range(1, config.epochs + 1):
            rows, weights = _batches(orders, count, config.batch_size)
            self.state, slots, mean = run(
                self.state, slots, self._beside_state(), training, rows, weights
            )
            history.append(np.asarray(mean))
            if not np.all(np.isfinite(history[-1])):
                bad = np.array(self.seeds)[~np.isfinite(history[-1])]
                raise FloatingPointError(
                    f"the loss of seeds {bad.tolist()} was not finite in epoch "
                    f"{epoch}; lower learning_rate={config.learning_rate}"
                )
            if after_epoch(epoch):
                break
        return history

    def _epoch_program(self, tuned):
        model, loss, everything = self.model, self.loss, self._all_variables()
        others = self._variables()[1]

        def mean_loss(weights, state, beside, inputs, label, list_weights):
            values = [*weights, *state, *beside]
            pairs = list(zip(everything, values, strict=True))
            with keras.StatelessScope(state_mapping=pairs) as scope:
                each = loss(model, inputs, label, True)
                mean = losses.mean_over_lists(each, list_weights)
            return mean, [scope.get_current_value(v) for v in others]

        def step(carry, batch, beside, training):
            weights, state, slots = carry
            rows, list_weights = batch
            inputs = {name: training[name][rows] for name in tensors.INPUTS}
            label = training[tensors.LABEL][rows]
            (value, state), gradients = jax.value_and_grad(mean_loss, has_aux=True)(
                weights, state, beside, inputs, label, list_weights
            )
            weights, slots = tuned.stateless_apply(slots, gradients, weights)
            return (weights, state, slots), (value, list_weights.sum())

        def epoch(state, slots, beside, training, rows, list_weights):
            def one(weights, others, slots, beside, rows, list_weights):
                (weights, others, slots), (values, counts) = jax.lax.scan(
                    lambda carry, batch: step(carry, batch, beside, training),
                    (weights, others, slots),
                    (rows, list_weights),
                )
                mean = (values * counts).sum() / counts.sum()
                return [weights, others], slots, mean

            return jax.vmap(one)(*state, slots, beside, rows, list_weights)

        return jax.jit(epoch, donate_argnums=(0, 1))

    def apply(self, name: str, function: Callable, split: dict, batch: int = 512):
        """Runs a function of the model on every list, for all seeds.

        Args:
            name: Of the function: one that was compiled before is used again.
            function: `(model, inputs) -> array [batch, ...]`.
            split: From `on_device`.
            batch: Lists at a time.

        Returns:
            NumPy `[seeds, lists, ...]`.
        """
        if name not in self._programs:
            self._programs[name] = self._apply_program(function)
        count = len(split[tensors.LABEL])
        found = []
        for first in range(0, count, batch):
            # The last batch is filled up, so that there is one program for all.
            rows = np.minimum(np.arange(first, first + batch), count - 1)
            found.append(
                np.asarray(self._programs[name](self._all_state(), split, rows))
            )
        return np.concatenate(found, axis=1)[:, :count]

    def _apply_program(self, function):
        everything = self._all_variables()

        def program(state, split, rows):
            inputs = {name: split[name][rows] for name in tensors.INPUTS}

            def one(values):
                pairs = list(zip(everything, values, strict=True))
                with keras.StatelessScope(state_mapping=pairs):
                    return function(self.model, inputs)

            return jax.vmap(one)(state)

        return jax.jit(program)

    def copy(self) -> list:
        """The weights of all seeds as they are now."""
        return jax.tree.map(np.asarray, self.state)

    def put(self, state: list) -> None:
        """Takes weights that `copy` gave."""
        self.state = jax.tree.map(jnp.asarray, state)


def keep_best(best: list | None, now: list, is_better: np.ndarray) -> list:
    """The weights of `now` for the seeds where it is better, else those of `best`."""
    if best is None:
        return now

    def pick(old, new):
        shape = (-1,) + (1,) * (new.ndim - 1)
        return np.where(is_better.reshape(shape), new, old)

    return jax.tree.map(pick, best, now)


def _batches(orders, count, batch_size):
    """Rows `[seeds, steps, batch]` in random order; the filling has weight 0."""
    steps = -(-count // batch_size)
    rows = np.zeros((len(orders), steps * batch_size), np.int32)
    for row, random in zip(rows, orders, strict=True):
        row[:count] = random.permutation(count)
    weights = np.broadcast_to(np.arange(steps * batch_size) < count, rows.shape)
    shape = (len(orders), steps, batch_size)
    return rows.reshape(shape), weights.reshape(shape).astype(np.float32)


def _values(variables):
    return [np.asarray(v.value) for v in variables]


def _stacked(columns):
    return [jnp.asarray(np.stack(values)) for values in zip(*columns, strict=True)]


def _repeated(values, count):
    return [jnp.asarray(np.repeat(v[None], count, axis=0)) for v in values]
