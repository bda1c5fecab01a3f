"""Graph -> an equal graph whose operators are each one NumPy call, as far as that is quicker.

A kernel that makes several calls in Python costs what a tiny model costs altogether, and a number in a call costs a
conversion at every run. Written out in the graph, the parts are planned like anything else: constants are arrays made once,
what depends on sizes alone is worked out when sizes are bound, and every call writes over its operand. Results are equal
to the last bit, but for the order in which a sum adds. Rules as in `passes.algebra`.
"""

from __future__ import annotations

from dslc.backends.pieces import update_in_pieces
from dslc.graph import Builder, Graph
from dslc.ops.ir import Node, Value
from dslc.passes import arrange_images
from dslc.passes.pipeline import Pipeline, Rewriting, run_all
from dslc.passes.rewrite import Rules, merged
from dslc.passes.spelling import SPELLING
from dslc.passes.turning import turn_products
from dslc.tensor_type import DType, TensorType, count

_REAL = (DType.F32, DType.F64)
_SHORT = 1024  # numbers that BLAS may add up without pairs: more lose places


def specialise(graph: Graph) -> Graph:
    """The graph with images arranged, norms and gelu spelled out, and every form of the table applied.

    Leaves, results, names and spans stay.
    """
    return run_all(arrange_images(graph), NUMPY_PASSES)


def relu(b: Builder, node: Node) -> Value:
    """relu(x) -> maximum(x, 0)."""
    return b.apply("maximum", node.inputs[0], b.constant(0, node.out.dtype))


def sigmoid(b: Builder, node: Node) -> Value:
    """sigmoid(x) -> 1 / (exp(-x) + 1), which is how its kernel does it."""
    exp = b.apply("exp", b.apply("neg", node.inputs[0]))
    return b.apply("reciprocal", b.apply("add", exp, b.constant(1, node.out.dtype)))


def divide_by_size(b: Builder, node: Node) -> Value:
    """divide_by_size(x, n) -> x / n with `n` as an array."""
    return b.apply("div", node.inputs[0], b.leaf("size", TensorType(node.out.dtype), size=node.attrs.dim("size")))


def mean(b: Builder, node: Node) -> Value:
    """mean(x) -> sum(x) / n."""
    (x,) = node.inputs
    n = count(tuple(x.shape[axis] for axis in node.attrs.ints("axes")))
    return b.apply("div", b.apply("sum", x, **node.attrs), b.leaf("size", TensorType(node.out.dtype), size=n))


def sum_as_product(b: Builder, node: Node) -> Value | None:
    """sum(x) -> ones @ x over all axes but the last, x @ ones over the last: two to five times faster; biases need it."""
    (x,) = node.inputs
    axes, rank, columns = node.attrs.ints("axes"), x.type.rank, x.shape[-1] if x.shape else 1
    over_rows = axes == tuple(range(rank - 1)) and not node.attrs.bool("keepdims")
    over_columns = axes == (rank - 1,) and isinstance(columns, int) and columns <= _SHORT
    if rank < 2 or x.dtype not in _REAL or not (over_rows or over_columns) or _is_strided(b, x):
        return None
    rows = count(x.shape[:-1])
    flat = x if rank == 2 else b.apply("reshape", x, sizes=(rows, columns))
    if over_rows:
        return b.apply("matmul", b.apply("full", sizes=(rows,), value=1.0, dtype=x.dtype), flat)
    total = b.apply("matmul", flat, b.apply("full", sizes=(columns,), value=1.0, dtype=x.dtype))
    return total if total.type == node.out.type else b.apply("reshape", total, sizes=node.out.shape)


def _is_strided(b: Builder, x: Value) -> bool:
    """Whether making a matrix of a tensor would copy it."""
    return x.type.rank > 2 and b.graph.nodes[x.id].op in ("expand", "transpose", "slice")


FORMS: Rules = {
    "relu": (relu,),
    "sigmoid": (sigmoid,),
    "divide_by_size": (divide_by_size,),
    "mean": (mean,),
    "sum": (sum_as_product,),
}

NUMPY_PASSES: Pipeline = (
    ("NumPy's operators", Rewriting(merged(SPELLING, FORMS))),
    ("updates in pieces", update_in_pieces),
    ("turning products", turn_products),
)
