"""One step's operator -> the same for all steps at once, time on axis 0: what lets work leave the body of a `scan`.

A rule takes what the operands of a node are for all steps, and gives its output for all steps, or None where there is no
operator that does it. Rows of a product stay rows: ``[B, n] @ w`` for T steps is one product with T * B rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from dslc.graph import Builder
from dslc.ops.axes import replaced
from dslc.ops.ir import Attr, Attrs, Node, Value
from dslc.passes.views import POINTWISE
from dslc.record import record
from dslc.tensor_type import Dim, TensorType, count


@record
class Steps:
    """What a value of a body is outside of it.

    Attributes:
        value: the value, or the values of all steps along a new axis 0.
        varies: whether it has that axis; without it the value is the same at every step.
    """

    value: Value
    varies: bool


Rule: TypeAlias = Callable[[Builder, Node, tuple[Steps, ...], Dim], Value | None]


def batched(b: Builder, node: Node, operands: tuple[Steps, ...], length: Dim) -> Steps | None:
    """A node of a body for all steps; None where there is no rule for it."""
    if not any(operand.varies for operand in operands):
        return Steps(b.copy(node, [operand.value for operand in operands]), False)
    made = RULES[node.op](b, node, operands, length) if node.op in RULES else None
    if made is None or made.type != TensorType(node.out.dtype, (length, *node.out.shape)):
        return None
    return Steps(made, True)


# ---------------------------------------------------------------------------------------------- elementwise


def _aligned(b: Builder, operand: Steps, rank: int) -> Value:
    """An operand with as many axes as make it broadcast behind the axis of time."""
    missing = rank - (operand.value.type.rank - 1)
    if not operand.varies or missing <= 0:
        return operand.value
    return b.apply("expand_dims", operand.value, axis=tuple(range(1, 1 + missing)))


def _pointwise(b: Builder, node: Node, operands: tuple[Steps, ...], _: Dim) -> Value:
    return b.apply(node.op, *(_aligned(b, x, node.out.type.rank) for x in operands), **node.attrs)


def _same(b: Builder, node: Node, operands: tuple[Steps, ...], _: Dim) -> Value:
    """Operators that look at leading axes one element at a time."""
    return b.apply(node.op, *(x.value for x in operands), **node.attrs)


# ---------------------------------------------------------------------------------------------- axes


def _later(axis: Attr) -> Attr:
    """An axis, or several, behind the axis of time."""
    if isinstance(axis, tuple):
        return tuple(_later(one) for one in axis)
    assert isinstance(axis, int), f"an axis is {axis!r}"
    return axis + 1


def _along(name: str) -> Rule:
    """Operators of one operand with an attribute that names axes."""

    def rule(b: Builder, node: Node, operands: tuple[Steps, ...], _: Dim) -> Value | None:
        axis = node.attrs[name]
        if axis is None:
            return None
        return b.apply(node.op, operands[0].value, **replaced(node.attrs, **{name: _later(axis)}))

    return rule


def _transpose(b: Builder, node: Node, operands: tuple[Steps, ...], _: Dim) -> Value:
    return b.apply("transpose", operands[0].value, axes=(0, *(axis + 1 for axis in node.attrs.ints("axes"))))


def _in_front(**front: int) -> Rule:
    """Operators whose attributes say something of every axis; `front` is what they say of time, its length if -1."""

    def rule(b: Builder, node: Node, operands: tuple[Steps, ...], length: Dim) -> Value:
        items: dict[str, Attr] = {}
        for name, value in front.items():
            items[name] = (length if value == -1 else value, *node.attrs.shape(name))
        return b.apply(node.op, operands[0].value, **Attrs(dict(node.attrs) | items))

    return rule


def _expand(b: Builder, node: Node, operands: tuple[Steps, ...], length: Dim) -> Value:
    return b.apply("expand", _aligned(b, operands[0], node.out.type.rank), sizes=(length, *node.out.shape))


def _concat(b: Builder, node: Node, operands: tuple[Steps, ...], length: Dim) -> Value:
    parts = [x.value if x.varies else b.apply("expand", x.value, sizes=(length, *x.value.shape)) for x in operands]
    return b.apply("concat", *parts, axis=node.attrs.int("axis") + 1)


def _sum_to(b: Builder, node: Node, operands: tuple[Steps, ...], length: Dim) -> Value:
    x, sizes = operands[0].value, node.attrs.shape("sizes")
    extra = x.type.rank - 1 - len(sizes)
    if extra:
        x = b.apply("sum", x, axes=tuple(range(1, 1 + extra)))
    wanted = (length, *sizes)
    return x if x.shape == wanted else b.apply("sum_to", x, sizes=wanted)


# ---------------------------------------------------------------------------------------------- products, lookups


def _matmul(b: Builder, node: Node, operands: tuple[Steps, ...], length: Dim) -> Value | None:
    left, right = operands
    ranks = [value.type.rank for value in node.inputs]
    if not right.varies and ranks[1] == 2:
        return _rows_times(b, left.value, right.value, length, node)
    if not left.varies and ranks == [2, 1]:
        return b.apply("matmul", right.value, b.apply("transpose", left.value, axes=(1, 0)))
    if not right.varies and ranks[1] == 1:
        return b.apply("matmul", left.value, right.value)
    if min(ranks) < 2:
        return None
    return b.apply("matmul", *(_aligned(b, x, max(ranks)) for x in operands))


def _rows_times(b: Builder, rows: Value, weight: Value, length: Dim, node: Node) -> Value:
    """One product of the rows of all steps."""
    if rows.type.rank == 2:
        return b.apply("matmul", rows, weight)
    flat = b.apply("reshape", rows, sizes=(count(rows.shape[:-1]), rows.shape[-1]))
    return b.apply("reshape", b.apply("matmul", flat, weight), sizes=(length, *node.out.shape))


def _gather(b: Builder, _node: Node, operands: tuple[Steps, ...], _: Dim) -> Value | None:
    table, ids = operands
    return None if table.varies else b.apply("gather", table.value, ids.value)


RULES: dict[str, Rule] = {
    **dict.fromkeys(sorted(POINTWISE), _pointwise),
    **dict.fromkeys(("stop_gradient", "one_hot"), _same),
    **dict.fromkeys(("sum", "mean", "max", "min"), _along("axes")),
    **dict.fromkeys(("argmax", "argmin", "softmax", "log_softmax", "logsumexp"), _along("axis")),
    **dict.fromkeys(("squeeze", "expand_dims"), _along("axis")),
    "transpose": _transpose,
    "reshape": _in_front(sizes=-1),
    "expand": _expand,
    "slice": _in_front(starts=0, stops=-1, steps=1),
    "pad_slice": _in_front(sizes=-1, starts=0, steps=1),
    "concat": _concat,
    "sum_to": _sum_to,
    "matmul": _matmul,
    "gather": _gather,
}
