"""Operations and bytes of a program, counted from the shapes of what it computes.

A compiler's count depends on what it fused; this one is the algorithm's own. Products
of matrices are two operations for each multiply-add, anything else one for each value
that it makes, and moving values is none.
"""

from dataclasses import dataclass
from math import prod

_MOVES = {
    "broadcast_in_dim",
    "concatenate",
    "convert_element_type",
    "copy",
    "dynamic_slice",
    "dynamic_update_slice",
    "gather",
    "iota",
    "optimization_barrier",
    "pad",
    "reshape",
    "rev",
    "slice",
    "split",
    "squeeze",
    "stop_gradient",
    "transpose",
}
_OF_INPUT = {"argmax", "argmin", "cumsum", "sort", "top_k"}


@dataclass(frozen=True)
class Count:
    """What a program does.

    Args:
        products: Operations of matrix products, two for each multiply-add.
        others: All other operations, one a value.
        gathered: Bytes looked up in tables.
    """

    products: float = 0.0
    others: float = 0.0
    gathered: float = 0.0

    @property
    def operations(self) -> float:
        return self.products + self.others

    def __add__(self, other: "Count") -> "Count":
        return Count(
            self.products + other.products,
            self.others + other.others,
            self.gathered + other.gathered,
        )

    def times(self, n: float) -> "Count":
        return Count(n * self.products, n * self.others, n * self.gathered)


def count(jaxpr) -> Count:
    """Counts what a traced function does.

    Args:
        jaxpr: Of `jax.make_jaxpr`, or of what `jax.jit(function).trace` gives.
    """
    return sum((_of_equation(e) for e in jaxpr.eqns), Count())


def _of_equation(equation) -> Count:
    name, params = equation.primitive.name, equation.params
    outputs = sum(prod(v.aval.shape) for v in equation.outvars)
    if name == "dot_general":
        (contracted, _), _ = params["dimension_numbers"]
        shape = equation.invars[0].aval.shape
        return Count(products=2.0 * outputs * prod(shape[i] for i in contracted))
    if name == "cond":
        # As many as the dearest branch.
        found = [count(b.jaxpr) for b in params["branches"]]
        return max(found, key=lambda c: c.operations)
    if name == "pallas_call":
        known = params["cost_estimate"]
        return Count(float(known.flops), float(known.transcendentals))
    inner = list(_inner(params))
    if inner:
        times = params["length"] if name == "scan" else 1
        return sum(map(count, inner), Count()).times(times)
    if name == "gather":
        value = equation.outvars[0].aval
        return Count(gathered=float(outputs * value.dtype.itemsize))
    if name in _MOVES:
        return Count()
    if name.startswith("reduce_") or name in _OF_INPUT:
        outputs = sum(prod(v.aval.shape) for v in equation.invars)
    return Count(others=float(outputs))


def _inner(params):
    """The programs that an equation runs."""
    for value in params.values():
        for part in value if isinstance(value, tuple | list) else (value,):
            part = getattr(part, "jaxpr", part)
            if hasattr(part, "eqns"):
                yield part
