"""Algebraic rules. Floating-point arithmetic keeps its results to the last bit unless a rule says otherwise.

So there is no ``x * 0 -> 0`` and no ``x - x -> 0`` (wrong for NaN and infinities), and no ``x + 0 -> x`` either: -0 + 0 is 0.
"""

from __future__ import annotations

import math

from dslc.graph import Builder
from dslc.ops.ir import Node, Value
from dslc.passes.rewrite import Rules
from dslc.tensor_type import DType

# The smallest normal number, and the first power of two that is too large.
_RANGE = {DType.F16: (2.0**-14, 2.0**16), DType.F32: (2.0**-126, 2.0**128), DType.F64: (2.0**-1022, math.inf)}


def _number(b: Builder, value: Value) -> bool | int | float | None:
    """The number a value is, if it is a constant scalar."""
    node = b.graph.producer(value)
    number = node.attrs["value"] if node.op == "constant" else None
    return number if isinstance(number, bool | int | float) else None


def _operand(b: Builder, value: Value, op: str) -> Value | None:
    """The first operand of what makes a value, if that is the operator `op`."""
    node = b.graph.producer(value)
    return node.inputs[0] if node.op == op else None


def _scaled(b: Builder, value: Value) -> tuple[Value, float] | None:
    """``x`` and ``c`` of a value ``x * c`` with a constant."""
    node = b.graph.producer(value)
    if node.op != "mul" or not value.dtype.is_float:
        return None
    factor = _number(b, node.inputs[1])
    return None if factor is None else (node.inputs[0], float(factor))


def _is_power_of_two(number: float) -> bool:
    return math.isfinite(number) and abs(math.frexp(number)[0]) == 0.5


def _is_normal(number: float, dtype: DType) -> bool:
    low, high = _RANGE[dtype]
    return low <= abs(number) < high


# ---------------------------------------------------------------------------------------------- sums and differences


def add_negated(b: Builder, node: Node) -> Value | None:
    """x + (-y) -> x - y; (-x) + y -> y - x."""
    x, y = node.inputs
    negated = _operand(b, y, "neg")
    if negated is not None:
        return b.apply("sub", x, negated)
    negated = _operand(b, x, "neg")
    return None if negated is None else b.apply("sub", y, negated)


def subtract_zero(b: Builder, node: Node) -> Value | None:
    """x - 0 -> x; not x - (-0.0), which turns -0 into 0."""
    x, y = node.inputs
    zero = _number(b, y)
    if zero is None or zero != 0 or x.type != node.out.type:
        return None
    return x if math.copysign(1.0, zero) > 0 else None


# ---------------------------------------------------------------------------------------------- products and quotients


def scalar_last(b: Builder, node: Node) -> Value | None:
    """s * x -> x * s for a scalar s, a constant last of all: so that other rules need to look on one side only."""
    x, y = node.inputs
    x_constant, y_constant = _number(b, x) is not None, _number(b, y) is not None
    swap = x_constant and not y_constant if x.type.rank == y.type.rank == 0 else x.type.rank == 0 < y.type.rank
    return b.apply("mul", y, x) if swap else None


def multiply_by_one(b: Builder, node: Node) -> Value | None:
    """x * 1 -> x; x / 1 -> x."""
    x, y = node.inputs
    return x if _number(b, y) == 1 and x.type == node.out.type else None


def multiply_by_minus_one(b: Builder, node: Node) -> Value | None:
    """x * -1 -> -x; x / -1 -> -x, for floats."""
    x, y = node.inputs
    fits = _number(b, y) == -1 and x.dtype.is_float and x.type == node.out.type
    return b.apply("neg", x) if fits else None


def divide_by_power_of_two(b: Builder, node: Node) -> Value | None:
    """x / 2**k -> x * 2**-k, which a processor does in a fraction of the time."""
    x, y = node.inputs
    divisor = _number(b, y)
    if divisor is None or not x.dtype.is_float or not _is_power_of_two(divisor):
        return None
    return b.apply("mul", x, b.constant(1.0 / divisor, x.dtype)) if _is_normal(1.0 / divisor, x.dtype) else None


def divide_by_known_size(b: Builder, node: Node) -> Value | None:
    """divide_by_size(x, n) -> x / n for a size that is a number."""
    size = node.attrs.dim("size")
    (x,) = node.inputs
    return b.apply("div", x, b.constant(float(size), x.dtype)) if isinstance(size, int) else None


def join_factors(b: Builder, node: Node) -> Value | None:
    """(x * c) * d -> x * (c * d) for constants of which one is a power of two, unless |c| > 1 > |d|.

    Then x * c might overflow where x * (c * d) does not. In all other cases the two are equal, but that the left side may
    lose bits of a subnormal x * c, which the right side, rounded once, keeps.
    """
    scaled, d = _scaled(b, node.inputs[0]), _number(b, node.inputs[1])
    if scaled is None or d is None:
        return None
    x, c = scaled
    if abs(c) > 1 > abs(d) or not (_is_power_of_two(c) or _is_power_of_two(d)) or not _is_normal(c * d, x.dtype):
        return None
    return b.apply("mul", x, b.constant(c * d, x.dtype))


# ---------------------------------------------------------------------------------------------- signs and powers


def negate_product(b: Builder, node: Node) -> Value | None:
    """-(x * c) -> x * -c for a constant c."""
    scaled = _scaled(b, node.inputs[0])
    if scaled is None:
        return None
    x, c = scaled
    return b.apply("mul", x, b.constant(-c, x.dtype))


def scale_negated(b: Builder, node: Node) -> Value | None:
    """(-x) * c -> x * -c and (-x) / c -> x / -c for a constant c, in floats."""
    negated, c = _operand(b, node.inputs[0], "neg"), _number(b, node.inputs[1])
    if negated is None or c is None or not negated.dtype.is_float:
        return None
    return b.apply(node.op, negated, b.constant(-c, negated.dtype))


def simple_power(b: Builder, node: Node) -> Value | None:
    """x ** 1 -> x; x ** 2 -> square(x), in floats. The square is exact to half a unit in the last place, the power to one."""
    x, y = node.inputs
    exponent = _number(b, y)
    if not x.dtype.is_float or x.type != node.out.type or exponent not in (1, 2):
        return None
    return x if exponent == 1 else b.apply("square", x)


# ---------------------------------------------------------------------------------------------- choices and types


def known_choice(b: Builder, node: Node) -> Value | None:
    """where(true, x, y) -> x; where(false, x, y) -> y."""
    condition, x, y = node.inputs
    known = _number(b, condition)
    if known is None:
        return None
    chosen = x if known else y
    return chosen if chosen.shape == node.out.shape else b.apply("expand", chosen, sizes=node.out.shape)


def same_type(_: Builder, node: Node) -> Value | None:
    """cast(x, the type x has) -> x."""
    (x,) = node.inputs
    return x if x.type == node.out.type else None


def join_casts(b: Builder, node: Node) -> Value | None:
    """cast(cast(x, A), C) -> cast(x, C), where A holds every value of the type x has."""
    inner = _operand(b, node.inputs[0], "cast")
    if inner is None or not _holds(node.inputs[0].dtype, inner.dtype):
        return None
    return inner if inner.type == node.out.type else b.apply("cast", inner, dtype=node.out.dtype)


def _holds(wide: DType, narrow: DType) -> bool:
    """Whether one type of integers has every value of another, or one of floats."""
    if narrow.is_integer and wide.is_integer:
        return wide.bytes > narrow.bytes
    return narrow.is_float and wide.is_float and wide.bytes >= narrow.bytes


def nothing_stops(_: Builder, node: Node) -> Value | None:
    """stop_gradient(x) -> x, in a graph that is not differentiated any more."""
    return node.inputs[0]


ALGEBRA: Rules = {
    "add": (add_negated,),
    "sub": (subtract_zero,),
    "mul": (scalar_last, multiply_by_one, multiply_by_minus_one, scale_negated, join_factors),
    "div": (multiply_by_one, multiply_by_minus_one, scale_negated, divide_by_power_of_two),
    "divide_by_size": (divide_by_known_size,),
    "neg": (negate_product,),
    "pow": (simple_power,),
    "where": (known_choice,),
    "cast": (same_type, join_casts),
    "stop_gradient": (nothing_stops,),
}
