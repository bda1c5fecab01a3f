"""Operators applied to tensors: literals become constants, types are inferred, what does not fit is explained.

Input: an operator's name, operands and attributes. Output: a `TypedValue` appended to the body, or a report.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

from dslc.check.extent import extent_problem, short
from dslc.check.scope import Context, origin_notes
from dslc.check.typed import Literal, Origin, TypedValue
from dslc.check.values import Const, Failed, ListValue, Value, describe, fraction, literal, number_text
from dslc.diagnostics import Edit, Help, Label, Note
from dslc.ops import OPS
from dslc.ops.ir import Attr, Attrs, Data
from dslc.ops.opdef import OpError
from dslc.record import record
from dslc.source import Span
from dslc.tensor_type import Dim, DType, Size, TensorType, count

_PACK = {
    DType.F16: "e", DType.F32: "f", DType.F64: "d", DType.I8: "b", DType.U8: "B", DType.I32: "i", DType.I64: "q", DType.BOOL: "?"
}  # fmt: skip
_RANGES = {
    DType.I8: (-128, 127),
    DType.U8: (0, 255),
    DType.I32: (-(2**31), 2**31 - 1),
    DType.I64: (-(2**63), 2**63 - 1),
}


@record
class Operand:
    """A value where it was written."""

    value: Value
    span: Span


# ---------------------------------------------------------------------------------------------- constants


def as_tensor(
    e: Context, value: Value, dtype: DType | None, span: Span, beside: Operand | None = None
) -> TypedValue | Failed:
    """A tensor as it is; a number or a list of numbers as a constant of `dtype` (f32, and bool for truths, where None).

    Args:
        beside: the tensor that the element type comes from, for messages.
    """
    if isinstance(value, TypedValue | Failed):
        return value
    if isinstance(value, ListValue) and literal(value) is not None:
        return _list_tensor(e, value, dtype, span)
    if isinstance(value, Const) and isinstance(value.value, bool | int | float | Size):
        return _scalar(e, value.value, dtype, span, beside)
    return e.report("DL2015", f"a tensor is needed here, not {describe(value)}", span, "not a tensor")


def _scalar(
    e: Context, value: bool | int | float | Size, dtype: DType | None, span: Span, beside: Operand | None = None
) -> TypedValue | Failed:
    if dtype is None:
        dtype = DType.BOOL if isinstance(value, bool) else DType.F32
    problem = _misfit(value, dtype)
    if problem:
        return e.report(
            "DL2003", problem, span, f"cannot be {dtype.value}", *_beside(beside), footers=_convert(beside, value)
        )
    exact = fraction(value) if isinstance(value, Size) else value
    if exact is None:
        assert isinstance(value, Size)
        return e.emit("size", (), TensorType(dtype), span, size=value)
    number = bool(exact) if dtype is DType.BOOL else float(exact) if dtype.is_float else int(exact)
    return e.emit("constant", (), TensorType(dtype), span, value=number)


def _beside(beside: Operand | None) -> list[Label]:
    return [Label(beside.span, str(beside.value.type))] if beside and isinstance(beside.value, TypedValue) else []


def _convert(beside: Operand | None, value: Literal | Size) -> list[Note | Help]:
    """A mend where a tensor of integers or truths meets a number."""
    if beside is None or not isinstance(beside.value, TypedValue) or isinstance(value, bool):
        return []
    if beside.value.type.dtype.is_integer and isinstance(value, int):
        return []
    return [Help("convert the tensor:", (Edit(beside.span, f"cast({beside.span.text}, f32)"),))]


def _misfit(value: Literal | Size, dtype: DType) -> str:
    """Why a scalar cannot have an element type, or ""."""
    if dtype is DType.BOOL or isinstance(value, bool):
        same = isinstance(value, bool) and dtype is DType.BOOL
        return "" if same else f"numbers and truth values do not mix: {_text(value)} cannot be {dtype.value}"
    if dtype.is_float:
        return "" if isinstance(value, int | float | Size) else f"{_text(value)} is not a number"
    if isinstance(value, float) or (isinstance(value, Size) and not value.symbols()):
        return f"{_text(value)} is not a whole number, and the other side holds {dtype.value} values"
    low, high = _RANGES[dtype]
    if isinstance(value, int) and not low <= value <= high:
        return f"{value} does not fit into {dtype.value}, which holds {low} to {high}"
    return "" if isinstance(value, int | Size) else f"{_text(value)} is not a number"


def _text(value: Literal | Size) -> str:
    return "a list" if isinstance(value, tuple) else f"`{number_text(value)}`"


def _list_tensor(e: Context, value: ListValue, dtype: DType | None, span: Span) -> TypedValue | Failed:
    rows = literal(value)
    shape = literal_shape(rows)
    if shape is None:
        return e.report("DL2016", "the rows of this list have different lengths", span, "not a rectangular array")
    if dtype is None:
        flat = flatten(rows)
        dtype = DType.BOOL if flat and all(isinstance(v, bool) for v in flat) else DType.F32
    return literal_tensor(e, rows, TensorType(dtype, shape), span)


def literal_shape(value: Literal) -> tuple[int, ...] | None:
    """The shape of nested lists, or None where they are ragged."""
    if not isinstance(value, tuple):
        return ()
    shapes = {literal_shape(item) for item in value}
    if not shapes:
        return (0,)
    (shape,) = shapes if len(shapes) == 1 else (None,)
    return None if shape is None else (len(value), *shape)


def flatten(value: Literal) -> list[Literal]:
    """The scalars of nested lists in order."""
    if not isinstance(value, tuple):
        return [value]
    return [scalar for item in value for scalar in flatten(item)]


def literal_tensor(e: Context, value: Literal, type: TensorType, span: Span) -> TypedValue | Failed:
    """A constant of a static type from a number (which fills it) or from nested lists of exactly its shape."""
    shape = literal_shape(value)
    if shape is None:
        return e.report("DL2016", "the rows of this list have different lengths", span, "not a rectangular array")
    if shape not in ((), type.shape):
        sizes = ", ".join(map(str, shape))
        return e.report("DL2016", f"a list of shape [{sizes}] cannot be {type}", span, f"has shape [{sizes}]")
    scalars = flatten(value)
    problem = next((text for v in scalars if (text := _misfit(v, type.dtype))), "")
    if problem:
        return e.report("DL2003", problem, span, f"cannot be {type.dtype.value}")
    if not type.shape:
        return _scalar(e, value, type.dtype, span) if isinstance(value, bool | int | float) else Failed()
    total = count(type.shape)
    assert isinstance(total, int)
    filled = scalars * total if shape == () else scalars
    try:
        data = struct.pack(f"<{len(filled)}{_PACK[type.dtype]}", *filled)
    except (OverflowError, struct.error):
        return e.report("DL2016", f"a number in this list does not fit into {type.dtype.value}", span, "too large")
    return e.emit("constant", (), type, span, value=Data(data))


# ---------------------------------------------------------------------------------------------- application


def apply_op(
    e: Context,
    span: Span,
    op: str,
    operands: Sequence[TypedValue],
    attrs: Mapping[str, Attr],
    *,
    name: str = "",
    origins: tuple[Origin | None, ...] | None = None,
) -> TypedValue:
    """The value of an operator whose operands fit, with the origins of its sizes: those given, else found from its operands'.

    Raises:
        OpError: they do not fit.
    """
    opdef = OPS[op]
    types = tuple(operand.type for operand in operands)
    given = Attrs({option.name: option.default for option in opdef.options} | dict(attrs))
    if opdef.normalize is not None:
        given = opdef.normalize(types, given)
    result = opdef.infer(types, given)
    if (problem := extent_problem(result, f"the result {short(result)}")) is not None:
        code, text = problem
        raise OpError(text, code)
    known = _origins(op, result, operands) if origins is None else origins
    value = TypedValue(result, op, tuple(operands), given, span, name, known)
    e.body.values.append(value)
    return value


def _origins(op: str, result: TensorType, operands: Sequence[TypedValue]) -> tuple[Origin | None, ...]:
    """Where the sizes of a result came from: the operand's axis at the same place from the right, else an equal one."""
    return tuple(_origin(op, axis - result.rank, size, operands) for axis, size in enumerate(result.shape))


def _origin(op: str, axis: int, size: Dim, operands: Sequence[TypedValue]) -> Origin | None:
    if size == 1:
        return None
    order = operands[::-1] if op == "matmul" and axis == -1 else operands
    for operand in order:
        if -axis <= operand.type.rank and operand.type.shape[axis] == size and operand.origins[axis] is not None:
            return operand.origins[axis]
    for operand in operands:
        for other, origin in zip(operand.type.shape, operand.origins, strict=True):
            if other == size and origin is not None:
                return origin
    return None


# ---------------------------------------------------------------------------------------------- binary operators


def binary(e: Context, op: str, symbol: str, left: Operand, right: Operand, op_span: Span, span: Span) -> Value:
    """``left symbol right`` where at least one side is a tensor; the other may be a number or a list."""
    a, b = _same_dtype(e, left, right)
    if isinstance(a, Failed) or isinstance(b, Failed):
        return Failed()
    if symbol == "/" and e.true_division and not a.type.dtype.is_float and not b.type.dtype.is_float:
        a, b = (apply_op(e, span, "cast", (side,), {"dtype": DType.F64}) for side in (a, b))
    try:
        return apply_op(e, span, op, (a, b), {})
    except OpError as error:
        left, right = Operand(a, left.span), Operand(b, right.span)
        return _report_binary(e, error, symbol, left, right, a, b, op_span)


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
