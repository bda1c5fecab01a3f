"""Operators applied to tensors: literals become constants, types are inferred, what does not fit is explained.

Input: an operator's name, operands and attributes. Output: a `TypedValue` appended to the body, or a report.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Mapping, Sequence

from dslc.check.extent import extent_problem, short
from dslc.check.scope import Context, source_text
from dslc.check.typed import Literal, Origin, TypedValue
from dslc.check.values import Const, Failed, ListValue, Value, describe, fraction, is_none, literal, number_text
from dslc.diagnostics import Edit, Help, Label, Note
from dslc.ops import OPS
from dslc.ops.ir import Attr, Attrs, Data
from dslc.ops.opdef import OpError
from dslc.record import record
from dslc.source import Span
from dslc.tensor_type import Dim, DType, Size, TensorType, count

_LONGEST = 40  # of an expression quoted in a note
_PACK = {
    DType.F16: "e", DType.F32: "f", DType.F64: "d", DType.I8: "b", DType.U8: "B", DType.I32: "i", DType.I64: "q", DType.BOOL: "?"
}  # fmt: skip
_RANGES = {
    DType.I8: (-128, 127),
    DType.U8: (0, 255),
    DType.I32: (-(2**31), 2**31 - 1),
    DType.I64: (-(2**63), 2**63 - 1),
}
_LARGEST = {DType.F16: 65_504.0, DType.F32: (2 - 2**-23) * 2.0**127, DType.F64: sys.float_info.max}


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
    left_out = Note("an input that a call leaves out is `none`; `if ... == none` chooses what stands for it")
    footers = [left_out] if is_none(value) else []
    return e.report("DL2015", f"a tensor is needed here, not {describe(value)}", span, "not a tensor", footers=footers)


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
    dtype = beside.value.type.dtype
    if dtype.is_float or (dtype.is_integer and isinstance(value, int)):
        return []
    return [Help("convert the tensor:", (Edit(beside.span, f"cast({beside.span.text}, f32)"),))]


def _misfit(value: Literal | Size, dtype: DType) -> str:
    """Why a scalar cannot have an element type, or ""."""
    if dtype is DType.BOOL or isinstance(value, bool):
        same = isinstance(value, bool) and dtype is DType.BOOL
        return "" if same else f"numbers and truth values do not mix: {_text(value)} cannot be {dtype.value}"
    if dtype.is_float:
        if not isinstance(value, int | float | Size):
            return f"{_text(value)} is not a number"
        return _range_problem(value, -_LARGEST[dtype], _LARGEST[dtype], dtype)
    if isinstance(value, float) or (isinstance(value, Size) and not value.symbols()):
        return f"{_text(value)} is not a whole number, and the other side holds {dtype.value} values"
    if not isinstance(value, int | Size):
        return f"{_text(value)} is not a number"
    return _range_problem(value, *_RANGES[dtype], dtype)


def _range_problem(value: float | Size, low: float, high: float, dtype: DType) -> str:
    number = fraction(value) if isinstance(value, Size) else value
    if number is None or low <= number <= high:
        return ""
    what = str(number) if abs(number) < 10**20 else "this number"
    ends = f"{low:.4g} to {high:.4g}" if dtype.is_float else f"{low} to {high}"
    return f"{what} does not fit into {dtype.value}, which holds {ends}"


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
    given, result = inferred(op, [operand.type for operand in operands], attrs)
    if (problem := extent_problem(result, f"the result {short(result)}")) is not None:
        code, text = problem
        raise OpError(text, code)
    known = _origins(op, result, operands, e.seen_at(span)) if origins is None else origins
    value = TypedValue(result, op, tuple(operands), given, span, name, known)
    e.body.values.append(value)
    return value


def inferred(op: str, types: Sequence[TensorType], attrs: Mapping[str, Attr]) -> tuple[Attrs, TensorType]:
    """All attributes of an operator, those left out with their defaults, and the type of its result.

    Raises:
        OpError: the operands do not fit.
    """
    opdef = OPS[op]
    given = Attrs({option.name: option.default for option in opdef.options} | dict(attrs))
    if opdef.normalize is not None:
        given = opdef.normalize(tuple(types), given)
    return given, opdef.infer(tuple(types), given)


def _origins(op: str, result: TensorType, operands: Sequence[TypedValue], span: Span) -> tuple[Origin | None, ...]:
    """Where the sizes of a result came from: the operand's axis at the same place from the right, else an equal one.

    A size that no operand has was made here.
    """
    found = [_origin(op, axis - result.rank, size, operands) for axis, size in enumerate(result.shape)]
    made = [origin is None and size != 1 for origin, size in zip(found, result.shape, strict=True)]
    here = Origin(source_text(span, _LONGEST), span) if any(made) else None
    return tuple(here if new else origin for new, origin in zip(made, found, strict=True))


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
