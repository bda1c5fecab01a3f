"""Matrix products."""

from __future__ import annotations

from dslc.ops.cost import product
from dslc.ops.export import single
from dslc.ops.ir import Attrs, Builder, Node, Value
from dslc.ops.opdef import OpDef, OpError
from dslc.ops.rows import products
from dslc.ops.rules import check_kind, check_same_dtype
from dslc.tensor_type import DType, TensorType, broadcast, count

_TYPES = frozenset({DType.F16, DType.F32, DType.F64, DType.I32, DType.I64})


def matmul_type(types: tuple[TensorType, ...], _: Attrs) -> TensorType:
    a, b = types
    check_kind("@", types, _TYPES)
    dtype = check_same_dtype("@", types)
    for position, operand in enumerate(types):
        if operand.rank == 0:
            raise OpError(
                f"`@` needs tensors with axes, got {a} and {b}", operand=position, help="multiply by a scalar with `*`"
            )
    inner = b.shape[0] if b.rank == 1 else b.shape[-2]
    if a.shape[-1] != inner:
        raise OpError(f"inner sizes of `@` differ: {a.shape[-1]} and {inner}", "DL2001")
    batch = broadcast(a.shape[:-2], b.shape[:-2])
    if batch is None:
        raise OpError(f"the leading axes of `@` do not fit: {a} and {b}")
    rows = a.shape[-2:-1]
    columns = b.shape[-1:] if b.rank > 1 else ()
    return TensorType(dtype, (*batch, *rows, *columns))


def _matmul_vjp(b: Builder, node: Node, g: Value) -> list[Value | None]:
    left, right = node.inputs
    # A vector is a matrix of one row (on the left) or one column (on the right).
    if right.type.rank == 1:
        right, g = b.apply("expand_dims", right, axis=1), b.apply("expand_dims", g, axis=-1)
    if left.type.rank == 1:
        left, g = b.apply("expand_dims", left, axis=0), b.apply("expand_dims", g, axis=-2)
    g_left = b.apply("matmul", g, _turned(b, right))
    if left.type.rank > 2 and right.type.rank == 2:
        # One product over all rows at once, rather than one per batch element and a sum.
        g_right = b.apply("matmul", _turned(b, _rows(b, left)), _rows(b, g))
    else:
        g_right = b.apply("matmul", _turned(b, left), g)
    return [_as_vector(b, g_left, node.inputs[0], axis=-2), _as_vector(b, g_right, node.inputs[1], axis=-1)]


def _turned(b: Builder, x: Value) -> Value:
    """The last two axes exchanged."""
    rank = x.type.rank
    return b.apply("transpose", x, axes=(*range(rank - 2), rank - 1, rank - 2))


def _rows(b: Builder, x: Value) -> Value:
    """All axes but the last made one."""
    return b.apply("reshape", x, sizes=(count(x.shape[:-1]), x.shape[-1]))


def _as_vector(b: Builder, gradient: Value, operand: Value, axis: int) -> Value:
    """The gradient of a vector operand without the axis that made it a matrix."""
    return b.apply("squeeze", gradient, axis=axis) if operand.type.rank == 1 else gradient


LINALG = (
    OpDef(
        name="matmul",
        doc="""The matrix product ``a @ b``: y[..., i, j] = sum over k of a[..., i, k] * b[..., k, j].

        As in NumPy: leading axes broadcast; a vector on the left is a row, on the right a column, and the axis it lacks is
        missing in the result. Inner sizes must be equal. Floats, i32 and i64, both of one type.
        Gradient: ga = g @ b^T, gb = a^T @ g. A product over no elements is 0.""",
        example="param w: f32[8, 4] = glorot_uniform()\ny = x @ w",
        infer=matmul_type,
        rows=products,
        operands=("a", "b"),
        vjp=_matmul_vjp,
        kernel="matmul",
        flops=product,
        onnx=single("MatMul"),
        symbol="@",
    ),
)
