"""Graph -> an equal graph whose operators are each one NumPy call, as far as that is quicker.

A kernel that makes several calls in Python costs what a tiny model costs altogether, and a number in a call costs a
conversion at every run. Written out in the graph, the parts are planned like anything else: constants are arrays made once,
what depends on sizes alone is worked out when sizes are bound, and every call writes over its operand. Results are equal
to the last bit, but for the order in which a sum adds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from dslc.graph import Builder, Graph
from dslc.graph.ir import LEAVES
from dslc.ops import OPS
from dslc.ops.ir import Node, Value
from dslc.passes import arrange_images, rewrite
from dslc.passes.spelling import SPELLING
from dslc.tensor_type import DType, TensorType, broadcast, count

_REAL = (DType.F32, DType.F64)
_SHORT = 1024  # numbers that BLAS may add up without pairs: more lose places

Form: TypeAlias = Callable[[Builder, Node, tuple[Value, ...]], Value]


def specialise(graph: Graph) -> Graph:
    """The graph with images arranged, norms and gelu spelled out, and every form of the table applied.

    Leaves, results, names and spans stay.
    """
    graph = rewrite(arrange_images(graph), SPELLING)
    builder = Builder()
    made: dict[int, Value] = {}
    for node in graph.order():
        operands = tuple(made[value.id] for value in node.inputs)
        with builder.at(node.span, node.layer):
            made[node.id] = builder.named(_rewrite(builder, node, operands), node.name)
    result = builder.graph
    result.outputs = {name: made[value.id] for name, value in graph.outputs.items()}
    result.updates = {name: made[value.id] for name, value in graph.updates.items()}
    return result


def _rewrite(b: Builder, node: Node, operands: tuple[Value, ...]) -> Value:
    if node.op in LEAVES:
        return b.leaf(node.op, node.out.type, **node.attrs)
    if node.op in FORMS:
        return FORMS[node.op](b, node, operands)
    fewer = _without_expand(b, node, operands)
    return b.copy(node, operands) if fewer == operands else b.apply(node.op, *fewer, **node.attrs)


def _without_expand(b: Builder, node: Node, operands: tuple[Value, ...]) -> tuple[Value, ...]:
    """``x + expand(y) -> x + y`` where broadcasting does the same: an expanded operand is read once per element."""
    if node.op not in _BROADCASTING:
        return operands
    result = list(operands)
    for position, value in enumerate(operands):
        made_by = b.graph.nodes[value.id]
        if made_by.op != "expand":
            continue
        shapes = [made_by.inputs[0].shape if i == position else other.shape for i, other in enumerate(result)]
        if broadcast(*shapes) == node.out.shape:
            result[position] = made_by.inputs[0]
    return tuple(result)


def _relu(b: Builder, node: Node, operands: tuple[Value, ...]) -> Value:
    """``relu(x) -> maximum(x, 0)``."""
    return b.apply("maximum", operands[0], b.constant(0, node.out.dtype))


def _sigmoid(b: Builder, node: Node, operands: tuple[Value, ...]) -> Value:
    """``sigmoid(x) -> 1 / (exp(-x) + 1)``, which is how its kernel does it."""
    exp = b.apply("exp", b.apply("neg", operands[0]))
    return b.apply("reciprocal", b.apply("add", exp, b.constant(1, node.out.dtype)))


def _divide_by_size(b: Builder, node: Node, operands: tuple[Value, ...]) -> Value:
    """``divide_by_size(x, n) -> x / n`` with `n` as an array."""
    return b.apply("div", operands[0], b.leaf("size", TensorType(node.out.dtype), size=node.attrs.dim("size")))


def _mean(b: Builder, node: Node, operands: tuple[Value, ...]) -> Value:
    """``mean(x) -> sum(x) / n``."""
    (x,) = operands
    n = count(tuple(x.shape[axis] for axis in node.attrs.ints("axes")))
    total = _sum_of(b, x, node)
    return b.apply("div", total, b.leaf("size", TensorType(node.out.dtype), size=n))


def _sum(b: Builder, node: Node, operands: tuple[Value, ...]) -> Value:
    """``sum(x) -> ones @ x`` over all axes but the last, ``x @ ones`` over the last: two to five times faster; biases need it."""
    return _sum_of(b, operands[0], node)


def _sum_of(b: Builder, x: Value, node: Node) -> Value:
    axes, keepdims = node.attrs.ints("axes"), node.attrs.bool("keepdims")
    rank, columns = x.type.rank, x.shape[-1] if x.shape else 1
    over_rows = axes == tuple(range(rank - 1)) and not keepdims
    over_columns = axes == (rank - 1,) and isinstance(columns, int) and columns <= _SHORT
    if rank < 2 or x.dtype not in _REAL or not (over_rows or over_columns) or _is_strided(b, x):
        return b.apply("sum", x, axes=axes, keepdims=keepdims)
    rows = count(x.shape[:-1])
    flat = x if rank == 2 else b.apply("reshape", x, sizes=(rows, columns))
    if over_rows:
        return b.apply("matmul", b.apply("full", sizes=(rows,), value=1.0, dtype=x.dtype), flat)
    total = b.apply("matmul", flat, b.apply("full", sizes=(columns,), value=1.0, dtype=x.dtype))
    return total if total.type == node.out.type else b.apply("reshape", total, sizes=node.out.shape)


def _is_strided(b: Builder, x: Value) -> bool:
    """Whether making a matrix of a tensor would copy it."""
    return x.type.rank > 2 and b.graph.nodes[x.id].op in ("expand", "transpose", "slice")


FORMS: dict[str, Form] = {
    "relu": _relu,
    "sigmoid": _sigmoid,
    "divide_by_size": _divide_by_size,
    "mean": _mean,
    "sum": _sum,
}

_BROADCASTING = frozenset({"add", "sub", "mul", "div", "pow", "maximum", "minimum", "relu_grad"}) & OPS.keys()
