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
from psad_tf.bench.stacked import (
    batches,
    chosen,
    merged,
    repeated,
    stacked,
    values_of,
)
from psad_tf.training_config import TrainingConfig
from psad_tf.training_optimizer import optimizer


class ManySeeds:
    """A model's weights under several seeds, and the programs that use them.

    Args:
        make: Makes the model, built; called once a seed, after the seed is set.
        seeds: Of initial weights, order of lists, dropout and masks.
        beside: Models trained before under the same seeds, which a loss, or what is
            applied, calls too; their weights stay as they are.

    Attributes:
        model: The model of the last seed; what it is called for is done with `state`.
        state: Each of `model.variables`, `[seeds, ...]`.
    """

    def __init__(
        self, make: Callable, seeds: Sequence[int], beside: Sequence["ManySeeds"] = ()
    ):
        self.seeds, self.beside = tuple(seeds), tuple(beside)
        started = []
        # Made on the CPU: op by op, an accelerator would compile each one.
        with jax.default_device(jax.devices("cpu")[0]):
            for seed in self.seeds:
                keras.utils.set_random_seed(seed)
                self.model = make()
                started.append(values_of(self.model.variables))
        self.state = stacked(zip(*started, strict=True))
        self._programs = {}

    def _all_variables(self):
        """Every variable that a call may read, in the order of `_all_state`."""
        others = [v for other in self.beside for v in other._all_variables()]
        return self.model.variables + others

    def _beside_state(self):
        return [v for other in self.beside for v in other._all_state()]

    def _all_state(self):
        return self.state + self._beside_state()

    def fill(self, pairs: Sequence[tuple]) -> None:
        """Copies weights within each seed's model.

        Args:
            pairs: Layers of the model: the one to fill, and where from.
        """
        at = {id(v): i for i, v in enumerate(self.model.variables)}
        state = list(self.state)
        for to, source in pairs:
            for mine, its in zip(to.variables, source.variables, strict=True):
                # A buffer of its own: a training step takes each one over.
                state[at[id(mine)]] = jnp.copy(self.state[at[id(its)]])
        self.state = state

    def train(
        self,
        training: dict,
        config: TrainingConfig,
        loss: Callable,
        after_epoch: Callable[[int], bool | None] = lambda epoch: None,
        rates: Sequence[float] | None = None,
    ) -> list[np.ndarray]:
        """Trains the model's trainable variables in place.

        Args:
            training: From `on_device`.
            config: How to train; its seed is not used.
            loss: `(model, inputs, label, training) -> float32 [batch]`.
            after_epoch: Called with the number of epochs done; true stops.
            rates: Each seed's learning rate; None is the configuration's for all.

        Returns:
            The mean loss of each epoch, each float32 `[seeds]`.

        Raises:
            FloatingPointError: A loss became NaN or infinite; with `rates` given, of
                which some may be too high, all of them did.
        """
        count = len(training[tensors.LABEL])
        steps = -(-count // config.batch_size)
        learned = {id(v) for v in self.model.trainable_variables}
        is_learned = [id(v) in learned for v in self.model.variables]
        with jax.default_device(jax.devices("cpu")[0]):
            tuned = optimizer(config, steps * config.epochs)
            tuned.build(chosen(self.model.variables, is_learned))
        slots = repeated(values_of(tuned.variables), len(self.seeds))
        usual = [config.learning_rate] * len(self.seeds)
        # A step of AdamW is in proportion to its rate.
        shares = jnp.asarray(rates or usual, "float32") / config.learning_rate
        run = self._epoch_program(tuned, loss, is_learned)
        orders = [np.random.default_rng(seed) for seed in self.seeds]
        history = []
        for epoch in range(1, config.epochs + 1):
            rows, weights = batches(orders, count, config.batch_size)
            beside = self._beside_state()
            self.state, slots, mean = run(
                self.state, slots, shares, beside, training, rows, weights
            )
            history.append(np.asarray(mean))
            is_bad = ~np.isfinite(history[-1])
            if is_bad.all() or (is_bad.any() and not rates):
                bad = np.array(self.seeds)[is_bad].tolist()
                raise FloatingPointError(
                    f"the loss of seeds {bad} was not finite in epoch {epoch}; lower "
                    f"learning_rate={rates or config.learning_rate}"
                )
            if after_epoch(epoch):
                break
        return history

    def _epoch_program(self, tuned, loss, is_learned):
        model, everything = self.model, self._all_variables()
        is_other = [not learned for learned in is_learned]
        others = chosen(model.variables, is_other)

        def mean_loss(weights, state, beside, inputs, label, list_weights):
            values = [*merged(weights, state, is_learned), *beside]
            pairs = list(zip(everything, values, strict=True))
            with keras.StatelessScope(state_mapping=pairs) as scope:
                each = loss(model, inputs, label, True)
                mean = losses.mean_over_lists(each, list_weights)
            return mean, [scope.get_current_value(v) for v in others]

        def step(carry, batch, share, beside, training):
            weights, state, slots = carry
            rows, list_weights = batch
            inputs = {name: training[name][rows] for name in tensors.INPUTS}
            label = training[tensors.LABEL][rows]
            (value, state), gradients = jax.value_and_grad(mean_loss, has_aux=True)(
                weights, state, beside, inputs, label, list_weights
            )
            moved, slots = tuned.stateless_apply(slots, gradients, weights)
            weights = [w + share * (m - w) for w, m in zip(weights, moved, strict=True)]
            return (weights, state, slots), (value, list_weights.sum())

        def epoch(state, slots, shares, beside, training, rows, list_weights):
            def one(state, slots, share, beside, rows, list_weights):
                weights, others = (chosen(state, m) for m in (is_learned, is_other))
                (weights, others, slots), (values, counts) = jax.lax.scan(
                    lambda carry, batch: step(carry, batch, share, beside, training),
                    (weights, others, slots),
                    (rows, list_weights),
                )
                mean = (values * counts).sum() / counts.sum()
                return merged(weights, others, is_learned), slots, mean

            return jax.vmap(one)(state, slots, shares, beside, rows, list_weights)

        return jax.jit(epoch, donate_argnums=(0, 1))

    def apply(
        self,
        name: str,
        function: Callable,
        split: dict,
        needs_label: bool = False,
        batch: int = 512,
    ):
        """Runs a function of the model on every list, for all seeds.

        Args:
            name: Of the function: one that was compiled before is used again.
            function: `(model, inputs) -> array [batch, ...]`; or, where it needs the
                label, `(model, inputs, label, training) -> array [batch, ...]`.
            split: From `on_device`.
            needs_label: Whether it does; `training` is False.
            batch: Lists at a time.

        Returns:
            NumPy `[seeds, lists, ...]`.
        """
        if name not in self._programs:
            self._programs[name] = self._apply_program(function, needs_label)
        count = len(split[tensors.LABEL])
        found = []
        for first in range(0, count, batch):
            # The last batch is filled up, so that there is one program for all.
            rows = np.minimum(np.arange(first, first + batch), count - 1)
            found.append(
                np.asarray(self._programs[name](self._all_state(), split, rows))
            )
        return np.concatenate(found, axis=1)[:, :count]

    def _apply_program(self, function, needs_label):
        everything = self._all_variables()

        def program(state, split, rows):
            inputs = {name: split[name][rows] for name in tensors.INPUTS}

            def one(values):
                pairs = list(zip(everything, values, strict=True))
                more = (split[tensors.LABEL][rows], False) if needs_label else ()
                with keras.StatelessScope(state_mapping=pairs):
                    return function(self.model, inputs, *more)

            return jax.vmap(one)(state)

        return jax.jit(program)

    def copy(self) -> list:
        """The weights of all seeds as they are now."""
        return jax.tree.map(np.asarray, self.state)

    def put(self, state: list) -> None:
        """Takes weights that `copy` gave."""
        self.state = jax.tree.map(jnp.asarray, state)
