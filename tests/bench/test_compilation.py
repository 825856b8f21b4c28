import threading

import jax
import pytest

from psad_tf.bench import compilation


@pytest.mark.parametrize("backend, seconds", [("gpu", 0.5), ("cpu", 60)])
def test_on_a_gpu_a_program_is_compiled_by_itself(backend, seconds, monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: backend)
    both = threading.Barrier(2)

    def task(number):
        try:
            both.wait(seconds)
        except threading.BrokenBarrierError:
            return number, "alone"
        return number, "together"

    found = compilation.compile_all([lambda i=i: task(i) for i in range(2)])
    how = "alone" if backend == "gpu" else "together"
    assert found == [(0, how), (1, how)]
