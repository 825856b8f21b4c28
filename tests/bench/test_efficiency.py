"""Timing: all programs in turn, and what the student adds to a step."""

import keras
import numpy as np
import pytest
from tiny_bundle import make_bundle

from psad_tf.bench import efficiency, efficiency_programs
from psad_tf.bench.efficiency_programs import TEACHER_ALONE, Program, programs

PRESET = {
    "model": {"embedding_dim": 4, "hidden_dim": 8, "num_layers": 1, "slate_length": 2},
    "training": {"epochs": 1, "batch_size": 4},
}


class Clock:
    """Stands in for time: a call takes what it says."""

    def __init__(self):
        self.now, self.order = 0.0, []

    def program(self, method, phase, batch, seconds, runs=1):
        seconds = iter(seconds)

        def start():
            self.order.append((method, phase))
            self.now += next(seconds)

        return Program(method, phase, batch, 7, start, 1e6, runs)


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(efficiency.time, "perf_counter", lambda: found.now)
    return found


def test_every_round_runs_every_program_once(clock):
    warm = [9.0] * efficiency.WARM_UP
    first = clock.program("PRM", "inference", 64, [*warm, 1, 2, 3])
    second = clock.program("PSAD-S", "inference", 64, [*warm, 4, 5, 6])
    rows = efficiency.measure([first, second], rounds=3)
    assert [row["seconds"] for row in rows] == [[1, 2, 3], [4, 5, 6]]
    turns = [method for method, _ in clock.order[2 * efficiency.WARM_UP :]]
    assert turns == ["PRM", "PSAD-S"] * 3
    assert (rows[0]["parameters"], rows[0]["flops"]) == (7, 1e6)


def test_slow_programs_end_the_rounds_early_but_not_too_early(clock):
    slow = clock.program("PIER", "inference", 64, [100.0] * 50)
    (row,) = efficiency.measure([slow], rounds=40, most_seconds=250)
    assert len(row["seconds"]) == efficiency.FEWEST
    (row,) = efficiency.measure([slow], rounds=40, most_seconds=650)
    assert len(row["seconds"]) == 7


def test_the_students_share_is_taken_within_rounds(clock):
    warm = [1.0] * efficiency.WARM_UP
    step = "training step"
    whole = clock.program("PSAD", step, 256, [*warm, 10, 20, 40])
    alone = clock.program(TEACHER_ALONE, step, 256, [*warm, 9, 19, 36])
    rows = efficiency.measure([whole, alone], rounds=3)
    assert [row["method"] for row in rows] == ["PSAD", "PSAD"]
    # 1/10, 1/20 and 4/40.
    assert rows[1]["phase"] == "student's share" and rows[1]["batch"] == 256
    assert rows[1]["share"] == pytest.approx(0.1)


def test_a_device_beside_the_host_is_timed_by_a_queue(clock, monkeypatch):
    monkeypatch.setattr(efficiency.jax, "default_backend", lambda: "tpu")
    # So slow that one call is a queue: three to know that, then 1 and 2 in each round.
    known = [1.0] * (efficiency.WARM_UP + 3)
    rounds = [3.0, 2.0, 2.0, 1.0, 4.0, 4.0]
    program = clock.program("PRM", "training step", 64, [*known, *rounds], runs=2)
    (row,) = efficiency.measure([program], rounds=2)
    # A step is half a call.
    assert row["seconds"] == [0.5, 3.5]


@pytest.mark.skipif(
    keras.backend.backend() != "jax",
    reason="JAX runs this in test_programs_on_jax.py",
)
def test_real_programs_run_and_count_what_they_do(monkeypatch):
    monkeypatch.setattr(efficiency_programs, "_RUNS", {"cpu": 2})
    found = programs(make_bundle(), PRESET, (2, 4), ["psad", "prm"])
    names = {(p.method, p.phase) for p in found}
    assert names == {
        ("PSAD-S", "inference"),
        ("PSAD-G", "inference"),
        ("PRM", "inference"),
        ("PSAD", "training step"),
        (TEACHER_ALONE, "training step"),
        ("PRM", "training step"),
        ("PRM, personal vector", "training step"),
    }
    assert len(found) == 2 * len(names)
    by_name = {(p.method, p.phase, p.batch): p for p in found}
    for program in found:
        program.call()
        assert program.flops > 0 and program.parameters > 0 and program.runs == 2
    for method, phase in names:
        small, large = (by_name[method, phase, batch] for batch in (2, 4))
        assert small.flops < large.flops
        if phase == "inference":
            first, second = np.asarray(large.start())
            np.testing.assert_array_equal(first, second)
            assert len(first) == 4
    student, whole = (by_name[m, "inference", 4] for m in ("PSAD-S", "PSAD-G"))
    assert student.flops < whole.flops and student.parameters < whole.parameters
    joint = by_name["PSAD", "training step", 4]
    alone = by_name[TEACHER_ALONE, "training step", 4]
    assert np.isfinite(joint.flops) and alone.flops < joint.flops


@pytest.mark.skipif(
    keras.backend.backend() != "jax",
    reason="JAX runs this in test_programs_on_jax.py",
)
def test_operations_are_of_one_run_however_many_a_call_has(monkeypatch):
    found = []
    for runs in (1, 3):
        monkeypatch.setattr(efficiency_programs, "_RUNS", {"cpu": runs})
        made = programs(make_bundle(), PRESET, (4,), ["midnn"])
        found.append({p.phase: p.flops for p in made})
    assert found[0] == found[1] and len(found[0]) == 2
    # A step goes forwards, and backwards for inputs and weights of a layer.
    assert found[0]["training step"] > 2 * found[0]["inference"]
