"""Gradients and compilation on whichever backend the tests run."""

import os

import keras
import numpy as np
import quick_xla  # noqa: F401
from keras import ops

IS_JAX = keras.backend.backend() == "jax"

# Of a process that tests on JAX.
JAX_ENVIRONMENT = {
    "KERAS_BACKEND": "jax",
    "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
    "XLA_FLAGS": os.environ["XLA_FLAGS"],
}

if IS_JAX:
    import jax
else:
    import tensorflow as tf


def gradients(weights, compute):
    """The gradient of the sum of `compute()` by each weight, 0 where none flows.

    Args:
        weights: Keras variables.
        compute: Takes nothing and returns a float tensor.

    Returns:
        An array for each weight.
    """
    if IS_JAX:

        def total(values):
            state = list(zip(weights, values, strict=True))
            with keras.StatelessScope(state_mapping=state):
                return _total(compute())

        # One compilation costs less than that of each operation on its own.
        found = jax.jit(jax.grad(total))([w.value for w in weights])
    else:
        with tf.GradientTape() as tape:
            total = _total(compute())
        values = [w.value for w in weights]
        found = tape.gradient(total, values, unconnected_gradients="zero")
    return [ops.convert_to_numpy(ops.convert_to_tensor(g)) for g in found]


def input_gradient(function, x):
    """The gradient of the sum of `function(x)` by the tensor x, 0 where none flows."""
    x = ops.convert_to_tensor(x)
    if IS_JAX:
        found = jax.grad(lambda value: _total(function(value)))
        return np.array(jax.jit(found)(x))
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = _total(function(x))
    return tape.gradient(total, x, unconnected_gradients="zero").numpy()


def compiled(function, *inputs):
    """The function compiled by XLA, for any size of its inputs' first dimension.

    Args:
        function: Takes tensors and nests of tensors.
        inputs: Examples of them.
    """
    if IS_JAX:
        return jax.jit(function)

    def spec(x):
        x = ops.convert_to_tensor(x)
        return tf.TensorSpec((None, *x.shape[1:]), x.dtype)

    signature = keras.tree.map_structure(spec, inputs)
    return tf.function(function, input_signature=signature, jit_compile=True)


def quick(function):
    """The function as it runs soonest: JAX compiles each operation on its own else."""
    return jax.jit(function) if IS_JAX else function


def compile_with(optimizer, model, **options):
    """Makes a model ready for training with an optimizer that has its variables.

    TensorFlow traces a step that makes variables twice.
    """
    optimizer.build(model.trainable_variables)
    model.compile(optimizer, **options)


def _total(x):
    return ops.sum(ops.cast(x, "float32"))
