import threading

import jax
import pytest

from psad_tf.bench import compilation

COUNT = 4


@pytest.mark.parametrize("backend, at_once", [("gpu", 1), ("cpu", 2)])
def test_on_a_gpu_a_program_is_compiled_by_itself(backend, at_once, monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: backend)
    meet = threading.Barrier(at_once, timeout=60)
    working, most = [], []

    def task(i):
        working.append(i)
        # As many as this wait for each other; more than one never meet on a GPU.
        meet.wait()
        most.append(len(working))
        working.remove(i)
        return i

    tasks = [lambda i=i: task(i) for i in range(COUNT)]
    assert compilation.compile_all(tasks) == list(range(COUNT))
    assert (max(most) == 1) == (backend == "gpu")
