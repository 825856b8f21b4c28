"""Counting, clocks and floors on cases worked out by hand; then the whole command."""

import json
from dataclasses import replace

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from psad_tf.bench.report_run import Run
from psad_tf.bench.roofline import capacity, command, costs
from psad_tf.bench.roofline.ceilings import Ceilings
from psad_tf.bench.roofline.counts import count
from psad_tf.bench.roofline.programs import INFERENCE, USER_SIDE, Cell, compiled
from psad_tf.bench.roofline.shapes import Shape
from psad_tf.errors import InputError


def test_counts_of_a_product_a_lookup_and_a_sum():
    def program(table, ids, matrix):
        rows = table[ids] @ matrix  # 6 x 4 times 4 x 5
        return rows.sum()

    table, ids = jnp.ones((100, 4), "float32"), jnp.zeros(6, "int32")
    found = count(jax.make_jaxpr(program)(table, ids, jnp.ones((4, 5), "float32")))
    assert found.products == 2 * 6 * 4 * 5
    assert found.gathered == 6 * 4 * 4
    # The sum; and, of each id, whether it counts from the end.
    assert 30 <= found.others <= 30 + 6 * 10


def test_a_loop_counts_as_often_as_it_runs():
    import jax

    def program(x, matrix):
        return jax.lax.scan(lambda c, _: (c @ matrix, None), x, None, length=7)[0]

    found = count(jax.make_jaxpr(program)(jnp.ones((3, 3)), jnp.ones((3, 3))))
    assert found.products == 7 * 2 * 27


def test_the_larger_of_two_times_is_the_floor():
    ceilings = Ceilings({"float32": 10.0, "bfloat16": 20.0}, bytes=4.0)
    assert ceilings.seconds(100, 20, "float32") == 10
    assert ceilings.seconds(100, 80, "bfloat16") == 20


ON_JAX = pytest.mark.skipif(
    keras.backend.backend() != "jax",
    reason="test_programs_on_jax runs it in a process of its own",
)
SHAPES = [
    Shape(candidates=6, history=5, slate=4, width=8, rows=300),
    Shape(candidates=9, history=4, slate=6, block=3, refine=2, layers=3, width=8),
]


@ON_JAX
@pytest.mark.parametrize("shape", [replace(s, rows=300) for s in SHAPES])
def test_formulas_are_what_the_model_does(shape):
    titles = ("PSAD-S", "PSAD-G", USER_SIDE)
    # So many that what is done once a batch is next to nothing.
    cell = Cell("psad", INFERENCE, 64, shape=shape, titles=titles)
    found = {p.title: p for p in compiled([cell])}
    a_list = {t: p.counted.products / 64 for t, p in found.items()}
    assert a_list["PSAD-S"] == pytest.approx(costs.student(shape), rel=2e-3)
    assert a_list[USER_SIDE] == pytest.approx(costs.user_side(shape), rel=2e-3)
    assert a_list["PSAD-G"] == pytest.approx(costs.teacher(shape), rel=5e-3)
    # The compiler counts what is no product as well.
    assert found["PSAD-G"].compiler["flops"] / 64 * 0.5 < costs.teacher(shape)


@ON_JAX
def test_quick_command_measures_what_it_reports(tmp_path):
    command.run(True, Run("psad bench roofline --preset quick", "this one"), tmp_path)
    content = json.loads((tmp_path / "roofline.json").read_text())
    rows = content["rows"]
    assert len(rows) == 2 * 2 * 3 + 3 + 1 + 1
    for row in rows:
        assert row["lists_per_second"] == pytest.approx(row["batch"] / row["median"])
        assert row["median"] == np.median(row["seconds"])
        assert 0 < row["floor"] == pytest.approx(row["share"] * row["median"])
    # The same work, told apart by what is counted: a user's side is part of the whole.
    whole, side = (
        next(r["products"] for r in rows if r["method"] == name)
        for name in ("PSAD-S", USER_SIDE)
    )
    assert side < 0.6 * whole
    (training,) = content["training"]
    assert min(training["lists_per_second"]) > 0
    text = (tmp_path / "roofline.md").read_text()
    assert "TFLOP/s" in text and "K = 1, not refined" in text
    assert list(tmp_path.glob("*.svg"))


def test_capacity_goes_through_what_was_measured(tmp_path, capsys):
    def row(candidates, rate):
        shape = vars(Shape(candidates=candidates))
        return {
            "method": "PSAD-S",
            "phase": INFERENCE,
            "batch": 256,
            "precision": "bfloat16",
            "shape": shape,
            "lists_per_second": rate,
        }

    rows = [row(30, 1e6), row(500, 5e4)]
    found = capacity.lists_per_second(rows, Shape(), 256, "bfloat16")
    assert found == pytest.approx(1e6)
    # Between the two, at rates of operations that are between theirs.
    at = Shape(candidates=100)
    between = capacity.lists_per_second(rows, at, 256, "bfloat16") * costs.student(at)
    ends = sorted(
        r["lists_per_second"] * costs.student(Shape(**r["shape"])) for r in rows
    )
    assert ends[0] < between < ends[1]
    with pytest.raises(InputError, match="not measured"):
        capacity.lists_per_second(rows, Shape(), 64, "bfloat16")
    file = tmp_path / "roofline.json"
    file.write_text(json.dumps({"run": {"device": "a GPU"}, "rows": rows}))
    asked = ["--candidates", "30", "--history", "50", "--requests", "1500000"]
    capacity.main(["--results", str(file), *asked])
    assert "at 60 % load: 3 of them" in capsys.readouterr().out
