"""Operators between two values: ``a + b``, ``x @ w``. Literals take the element type beside them; what does not fit is explained.

Input: two operands where they were written. Output: a `TypedValue` appended to the body, or a report.
"""

from __future__ import annotations

from dslc.check.claims import claimed, may_equal
from dslc.check.operators import Operand, apply_op, as_tensor
from dslc.check.scope import Context, origin_notes
from dslc.check.typed import Origin, TypedValue
from dslc.check.values import Const, Failed, Value
from dslc.diagnostics import Edit, Help, Label, Note
from dslc.ops.opdef import OpError
from dslc.source import Span
from dslc.tensor_type import Dim, DType, TensorType


def binary(e: Context, op: str, symbol: str, left: Operand, right: Operand, op_span: Span, span: Span) -> Value:
    """``left symbol right`` where at least one side is a tensor; the other may be a number or a list."""
    a, b = _same_dtype(e, left, right)
    if isinstance(a, Failed) or isinstance(b, Failed):
        return Failed()
    if e.true_division:
        a, b = _as_reals(e, symbol, a, b, span)
    try:
        return apply_op(e, span, op, (a, b), {})
    except OpError as error:
        fault = error
    try:
        if (same := _claimed_equal(e, symbol, a, b, right, op_span)) is not None:
            return apply_op(e, span, op, (a, same), {})
    except OpError as error:
        fault = error
    left, right = Operand(a, left.span), Operand(b, right.span)
    return _report_binary(e, fault, symbol, left, right, a, b, op_span)


def _as_reals(e: Context, symbol: str, a: TypedValue, b: TypedValue, span: Span) -> tuple[TypedValue, TypedValue]:
    """In a data field integers are real numbers beside a float, in a quotient and under a negative exponent."""
    floats = [side.type.dtype for side in (a, b) if side.type.dtype.is_float]
    if len(floats) == 2 or (not floats and symbol != "/" and not (symbol == "**" and _is_negative(b))):
        return a, b
    wanted = {"dtype": floats[0] if floats else DType.F64}
    return (
        a if a.type.dtype.is_float else apply_op(e, span, "cast", (a,), wanted),
        b if b.type.dtype.is_float else apply_op(e, span, "cast", (b,), wanted),
    )


def _is_negative(value: TypedValue) -> bool:
    number = value.attrs["value"] if value.op == "constant" else None
    return isinstance(number, int | float) and number < 0


def _claimed_equal(
    e: Context, symbol: str, a: TypedValue, b: TypedValue, right: Operand, op_span: Span
) -> TypedValue | None:
    """The right side with sizes of the left one where only a batch can tell whether they are equal; None where one cannot be."""
    if symbol == "@" or a.type.dtype is not b.type.dtype:
        return None
    sizes, origins = [*b.type.shape], [*b.origins]
    for axis in range(-1, -min(a.type.rank, b.type.rank) - 1, -1):
        if 1 not in (sizes[axis], a.type.shape[axis]):
            sizes[axis], origins[axis] = a.type.shape[axis], a.origins[axis]
    wanted = TensorType(b.type.dtype, tuple(sizes))
    if wanted == b.type or not may_equal(b.type, wanted):
        return None
    text = f"the right side of `{symbol}` is {b.type}, and {wanted} is needed"
    return claimed(e, b, wanted.shape, origins, text, right.span, Label(op_span, f"joins it with {a.type}"))


def _same_dtype(e: Context, left: Operand, right: Operand) -> tuple[TypedValue | Failed, TypedValue | Failed]:
    """Both sides as tensors; a literal takes the element type of the tensor beside it."""
    if isinstance(left.value, TypedValue):
        dtype = _literal_dtype(e, left.value, right.value)
        return left.value, as_tensor(e, right.value, dtype, right.span, left)
    if isinstance(right.value, TypedValue):
        dtype = _literal_dtype(e, right.value, left.value)
        return as_tensor(e, left.value, dtype, left.span, right), right.value
    return as_tensor(e, left.value, None, left.span), as_tensor(e, right.value, None, right.span)


def _literal_dtype(e: Context, tensor: TypedValue, other: Value) -> DType:
    """The element type of a literal beside a tensor. In a data field integers meet floats as real numbers."""
    fractional = isinstance(other, Const) and isinstance(other.value, float)
    return DType.F64 if e.true_division and fractional and not tensor.type.dtype.is_float else tensor.type.dtype


def _report_binary(
    e: Context,
    error: OpError,
    symbol: str,
    left: Operand,
    right: Operand,
    a: TypedValue,
    b: TypedValue,
    op_span: Span,
) -> Failed:
    clash = _matmul_clash(a, b) if symbol == "@" else broadcast_clash(a, b)
    mixed = clash is None and a.type.dtype is not b.type.dtype
    label = f"{clash[0][0]} here must equal {clash[1][0]} here" if clash else ""
    if mixed:
        label = f"{a.type.dtype.value} and {b.type.dtype.value} do not mix"
    footers: list[Note | Help] = list(origin_notes(e, clash, op_span)) if clash else []
    footers += _matmul_help(a, b, right) if symbol == "@" else []
    if mixed:
        footers += _cast_help(a, b, left, right)
    if error.help:
        footers.append(Help(error.help))
    more = [Label(left.span, str(a.type)), Label(right.span, str(b.type))]
    for value in (a, b):
        more += _parameter_label(e, value)
    return e.report(error.code, str(error), op_span, label, *more, footers=footers)


Clash = tuple[tuple[Dim, Origin | None], tuple[Dim, Origin | None]]


def _matmul_clash(a: TypedValue, b: TypedValue) -> Clash | None:
    if not a.type.rank or not b.type.rank:
        return None
    other = max(-2, -b.type.rank)
    if a.type.shape[-1] == b.type.shape[other]:
        return None
    return (a.type.shape[-1], a.origins[-1]), (b.type.shape[other], b.origins[other])


def broadcast_clash(a: TypedValue, b: TypedValue) -> Clash | None:
    """The two sizes that keep tensors from broadcasting, with where they came from."""
    for axis in range(-1, -min(a.type.rank, b.type.rank) - 1, -1):
        x, y = a.type.shape[axis], b.type.shape[axis]
        if x != y and 1 not in (x, y):
            return (x, a.origins[axis]), (y, b.origins[axis])
    return None


def _matmul_help(a: TypedValue, b: TypedValue, right: Operand) -> list[Note | Help]:
    """Propose a transpose where that would fit."""
    if a.type.rank < 1 or b.type.rank != 2 or a.type.shape[-1] != b.type.shape[1] or a.type.dtype is not b.type.dtype:
        return []
    result = TensorType(a.type.dtype, (*a.type.shape[:-1], b.type.shape[0]))
    what = (
        "the weight" if b.op == "param" else f"`{right.span.text}`" if len(right.span.text) < 30 else "the right side"
    )
    text = right.span.text
    return [Help(f"transpose {what} to get {result}:", (Edit(right.span, f"transpose({text})"),))]


def _cast_help(a: TypedValue, b: TypedValue, left: Operand, right: Operand) -> list[Note | Help]:
    """Propose to convert the integer side to the float side's type."""
    for value, operand, other in ((a, left, b), (b, right, a)):
        if not value.type.dtype.is_float and other.type.dtype.is_float:
            edit = Edit(operand.span, f"cast({operand.span.text}, {other.type.dtype.value})")
            return [Help("convert it:", (edit,))]
    return []


def _parameter_label(e: Context, value: TypedValue) -> list[Label]:
    """Where a layer's parameter came from: "enc.weight is f32[784, 32]  (in, out)"."""
    if value.op != "param":
        return []
    key = value.attrs.str("key")
    owner = e.params[key][1] if key in e.params else None
    if owner is None or not owner.path:
        return []
    layout = LAYOUTS.get((owner.ref.definition.name.text, key.rpartition(".")[2]), "")
    return [Label(owner.span, f"{key} is {value.type}{layout}")]


#: How the axes of a library layer's parameters are read, where that is not plain.
LAYOUTS = {("Dense", "weight"): "  (in, out)"}
