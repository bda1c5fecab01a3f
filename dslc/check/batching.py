"""A computation on one sample -> the same computation on many: every value that depends on a column gains the axis `rows`.

Input: a body whose inputs are single rows. Output: a new body whose inputs have the run-time size `rows` in front. Operators for
which no rule is known are reported; every new type is compared with the one expected, so a rule cannot be silently wrong about
shapes.
"""

from __future__ import annotations

from collections.abc import Mapping

from dslc.check.elaborate import context as new_context
from dslc.check.operators import apply_op
from dslc.check.scope import Context
from dslc.check.typed import Body, TypedValue
from dslc.ops import OPS
from dslc.ops.ir import Attr, Attrs
from dslc.ops.opdef import OpError
from dslc.source import Span
from dslc.tensor_type import Shape, TensorType, broadcast, symbol

ROWS = symbol("rows")


def batched(context: Context, result: TypedValue) -> tuple[Body, TypedValue] | None:
    """What `result` is computed from in the body of `context`, over many rows, and what it has become; None after a report."""
    new = new_context(context.sink, training=False)
    found: dict[int, TypedValue] = {}
    with_rows: set[int] = set()
    needed = _ancestors(result)
    for value in context.body.values:
        if value not in needed:
            continue
        if value.op == "input":
            found[id(value)] = _input(new, value)
            with_rows.add(id(value))
            continue
        if not any(id(operand) in with_rows for operand in value.inputs):
            found[id(value)] = _unchanged(new, value, found)
            continue
        with_rows.add(id(value))
        operands = [(found[id(operand)], id(operand) in with_rows) for operand in value.inputs]
        made = _apply(new, value, operands)
        if made is None or made.type != _typed(value):
            _report(context, value.op, value.span)
            return None
        found[id(value)] = made
    return new.body, found[id(result)]


def _ancestors(value: TypedValue) -> set[TypedValue]:
    """A value and all it is computed from."""
    found: set[TypedValue] = set()
    stack = [value]
    while stack:
        value = stack.pop()
        if value not in found:
            found.add(value)
            stack += value.inputs
    return found


def _report(context: Context, op: str, span: Span) -> None:
    message = f"`{op}` in a data field is not supported by this version yet"
    context.report("DL3090", message, span, "not supported here yet")


def _typed(value: TypedValue) -> TensorType:
    return TensorType(value.type.dtype, (ROWS, *value.type.shape))


def _input(new: Context, value: TypedValue) -> TypedValue:
    name = value.attrs.str("name")
    made = TypedValue(_typed(value), "input", (), value.attrs, value.span, name, (None, *value.origins))
    new.body.inputs[name] = made
    new.body.values.append(made)
    return made


def _unchanged(new: Context, value: TypedValue, found: Mapping[int, TypedValue]) -> TypedValue:
    inputs = tuple(found[id(operand)] for operand in value.inputs)
    made = TypedValue(value.type, value.op, inputs, value.attrs, value.span, value.name, value.origins)
    new.body.values.append(made)
    return made


def _apply(new: Context, value: TypedValue, operands: list[tuple[TypedValue, bool]]) -> TypedValue | None:
    """The operator on operands with rows; None where there is no rule."""
    if OPS[value.op].random:
        return None
    attrs = _shifted(value)
    if attrs is None:
        return None
    if value.op == "expand":
        inputs = [_aligned(new, *operands[0], value.type.rank)]
    elif _is_elementwise(value):
        inputs = [_aligned(new, operand, has_rows, value.type.rank) for operand, has_rows in operands]
    elif _may_keep(value, operands):
        inputs = [operand for operand, _ in operands]
    else:
        return None
    try:
        return apply_op(new, value.span, value.op, inputs, attrs, name=value.name)
    except OpError:
        return None


def _is_elementwise(value: TypedValue) -> bool:
    shapes: list[Shape] = [operand.type.shape for operand in value.inputs]
    return not _axes_in(value.attrs) and broadcast(*shapes) == value.type.shape


def _axes_in(attrs: Attrs) -> bool:
    return any(name in attrs for name in ("axis", "axes", "sizes", "start", "starts"))


def _may_keep(value: TypedValue, operands: list[tuple[TypedValue, bool]]) -> bool:
    """Whether an operator that looks at axes works with rows in front of the operands as they are."""
    if len(operands) == 1:
        return _axes_in(value.attrs) or value.op == "one_hot"
    if value.op == "matmul":
        (_, left), (right, right_has_rows) = operands
        return left and not right_has_rows and right.type.rank <= 2
    return value.op in ("concat", "stack") and all(has_rows for _, has_rows in operands)


def _aligned(new: Context, operand: TypedValue, has_rows: bool, rank: int) -> TypedValue:
    """An operand whose axes meet those of a result of `rank` axes: `[rows, 3]` beside `[rows, 2, 3]` becomes `[rows, 1, 3]`."""
    lacking = rank + 1 - operand.type.rank
    if not has_rows or lacking <= 0:
        return operand
    sizes = (ROWS, *(1 for _ in range(lacking)), *operand.type.shape[1:])
    return apply_op(new, operand.span, "reshape", (operand,), {"sizes": sizes})


def _shifted(value: TypedValue) -> dict[str, Attr] | None:
    """Attributes with every axis one further; None where one cannot be moved."""
    attrs: dict[str, Attr] = dict(value.attrs)
    for name in ("axis", "axes", "start"):
        if name not in attrs:
            continue
        moved = _moved(attrs[name])
        if moved is None:
            return None
        attrs[name] = moved
    if value.op == "transpose":
        attrs["axes"] = (0, *(axis + 1 for axis in value.attrs.ints("axes")))
    if value.op in ("reshape", "expand"):
        attrs["sizes"] = (ROWS, *value.attrs.shape("sizes"))
    if value.op == "slice":
        for name, first in (("starts", 0), ("stops", ROWS), ("steps", 1)):
            attrs[name] = (first, *value.attrs.shape(name))
    return attrs


def _moved(axes: Attr) -> Attr:
    """Axes one further to the right; they are in canonical form, counted from 0."""
    if isinstance(axes, tuple):
        return tuple(axis + 1 for axis in axes if isinstance(axis, int))
    return axes + 1 if isinstance(axes, int) else None
