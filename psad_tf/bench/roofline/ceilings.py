"""What the machine can do at best, measured: a matrix product, and a copy."""

import time
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from psad_tf.bench.clock import device_seconds

_SECONDS = 0.5


@dataclass(frozen=True)
class Ceilings:
    """Of one device.

    Args:
        products: Operations a second of a large matrix product, by precision.
        bytes: Bytes a second of a large copy, those read and those written.
    """

    products: dict[str, float]
    bytes: float

    def seconds(self, operations: float, moved: float, precision: str) -> float:
        """The least time of a program: of what it computes, or of what it moves."""
        return max(operations / self.products[precision], moved / self.bytes)


def measure_ceilings(size: int | None = None) -> Ceilings:
    """Measures both.

    Args:
        size: Rows of the square matrices; None is 8192 on an accelerator and 1536 on a
            CPU. The copy is of four such matrices in float32.
    """
    size = size or (1536 if jax.default_backend() == "cpu" else 8192)
    key = jax.random.key(0)
    matrices = jax.random.normal(key, (2, size, size))
    products = {}
    for precision in ("float32", "bfloat16"):
        a, b = matrices.astype(precision)
        seconds = _median(jax.jit(jnp.matmul), a, b)
        products[precision] = 2.0 * size**3 / seconds
    large = jnp.concatenate([matrices, matrices])
    # The sign keeps it from being a copy that need not be made.
    seconds = _median(jax.jit(jnp.negative), large)
    return Ceilings(products, 2.0 * large.nbytes / seconds)


def _median(function, *arguments) -> float:
    def run():
        jax.block_until_ready(function(*arguments))

    for _ in range(3):
        run()
    if found := device_seconds([run], 20):
        return float(np.median(found))
    found, ends = [], time.perf_counter() + _SECONDS
    while time.perf_counter() < ends or len(found) < 5:
        begun = time.perf_counter()
        run()
        found.append(time.perf_counter() - begun)
    return float(np.median(found))
