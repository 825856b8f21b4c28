"""Programs compiled, on a GPU one at a time."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import jax
from tqdm import tqdm

Program = TypeVar("Program")


def compile_all(tasks: Sequence[Callable[[], Program]]) -> list[Program]:
    """Compiles, and shows how far it is.

    On a GPU the compiler times kernels to choose among them. What is compiled at the
    same time would disturb it, and a program's speed would differ from process to
    process.

    Args:
        tasks: Each compiles a program.

    Returns:
        What the tasks return, in their order.
    """
    workers = 1 if jax.default_backend() == "gpu" else None
    with ThreadPoolExecutor(workers) as pool:
        done = pool.map(lambda task: task(), tasks)
        return list(tqdm(done, total=len(tasks), unit="program", desc="compile"))
