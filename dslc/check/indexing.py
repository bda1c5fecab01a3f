"""NumPy indexing and slicing of tensors: ``x[:, -1]``, ``x[:, 1:3]``, ``x[..., 0]``, ``x[:, none]``.

Input: a tensor and evaluated indices. Output: a slice, with indexed axes taken out and new ones put in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from dslc.check.operators import apply_op
from dslc.check.scope import Context
from dslc.check.typed import TypedValue
from dslc.check.values import FAILED, Const, Failed, Value, describe
from dslc.diagnostics import Help, Label, Note
from dslc.ops.ir import Attr
from dslc.ops.opdef import OpError
from dslc.ops.slicing import index_bounds
from dslc.source import Span
from dslc.syntax import tree
from dslc.tensor_type import Size

#: An index, the three parts of a slice, or None for `...`.
Part: TypeAlias = "Value | tuple[Value, ...] | None"
_WHOLE: tuple[Attr, Attr, Attr] = (None, None, None)


def index_tensor(e: Context, x: TypedValue, parts: Sequence[Part], expr: tree.Index) -> Value:
    """The elements that indices choose."""
    flat = [item for part in parts for item in (part if isinstance(part, tuple) else (part,))]
    if any(isinstance(item, Failed) for item in flat):
        return FAILED
    places = [item.span for item in expr.items]
    spread = _spread(e, x, parts, places, expr)
    if spread is None:
        return FAILED
    rows: list[tuple[Attr, Attr, Attr]] = []
    taken: list[int] = []
    new: list[int] = []
    for part, span in spread:
        axis = len(rows)
        if _is_none(part):
            new.append(axis + len(new) - len(taken))
            continue
        try:
            row = _row(e, x, axis, part, span)
        except OpError as error:
            return _report(e, error, x, span, expr)
        if row is None:
            return FAILED
        if not isinstance(part, tuple):
            taken.append(axis)
        rows.append(row)
    return _apply(e, x, rows, taken, new, expr)


def _is_none(part: Part) -> bool:
    return isinstance(part, Const) and part.value is None


def _spread(
    e: Context, x: TypedValue, parts: Sequence[Part], places: Sequence[Span], expr: tree.Index
) -> list[tuple[Part, Span]] | None:
    """One part per axis, `...` replaced by whole axes."""
    used = sum(part is not None and not _is_none(part) for part in parts)
    dots = [place for part, place in zip(parts, places, strict=True) if part is None]
    if len(dots) > 1:
        e.report("DL2012", "`...` may stand once in an index", dots[1], "again here", Label(dots[0], "first here"))
        return None
    if used > x.type.rank:
        axes = "no axes" if x.type.rank == 0 else f"{x.type.rank} ax{'i' if x.type.rank == 1 else 'e'}s"
        text = f"{used} ind{'ex' if used == 1 else 'ices'} for a tensor with {axes}"
        e.report("DL2012", text, expr.items_span, "too many", Label(expr.value.span, str(x.type)))
        return None
    whole: Part = (Const(None), Const(None), Const(None))
    fill = x.type.rank - used
    spread: list[tuple[Part, Span]] = []
    for part, place in zip(parts, places, strict=True):
        spread += [(whole, place)] * fill if part is None else [(part, place)]
    return spread if dots else spread + [(whole, expr.items_span)] * fill


def _row(e: Context, x: TypedValue, axis: int, part: Part, span: Span) -> tuple[Attr, Attr, Attr] | None:
    """Start, stop and step on one axis; None after a report."""
    if isinstance(part, tuple):
        bounds = [_bound(e, item, span) for item in part]
        if any(isinstance(bound, Failed) for bound in bounds):
            return None
        start, stop, step = (None if isinstance(bound, Failed) else bound for bound in bounds)
        return start, stop, step
    if isinstance(part, TypedValue):
        mend = Help("`gather(table, ids)` looks rows up by a tensor of ids")
        e.report(
            "DL2012", "an index is known at compile time", span, f"{part.type}, known at run time only", footers=[mend]
        )
        return None
    bound = None if part is None else _bound(e, part, span)
    if bound is None or isinstance(bound, Failed):
        return None
    start, stop = index_bounds(x.type, axis, bound)
    return start, stop, 1


def _bound(e: Context, value: Value, span: Span) -> int | Size | None | Failed:
    scalar = value.value if isinstance(value, Const) else value
    if scalar is None:
        return None
    if isinstance(scalar, int) and not isinstance(scalar, bool):
        return scalar
    if isinstance(scalar, Size) and scalar.symbols():
        return scalar
    return e.report("DL2012", f"an index is a whole number, not {describe(value)}", span, "not a whole number")


def _report(e: Context, error: OpError, x: TypedValue, span: Span, expr: tree.Index) -> Failed:
    footers: list[Note | Help] = [Help(error.help)] if error.help else []
    if x.op == "param" and e.library_call(span) is not None:  # the user cannot see it otherwise
        footers.append(Note(f"{x.type} is the parameter `{x.attrs.str('key')}`"))
    return e.report(error.code, str(error), span, "", Label(expr.value.span, str(x.type)), footers=footers)


def _apply(
    e: Context,
    x: TypedValue,
    rows: Sequence[tuple[Attr, Attr, Attr]],
    taken: Sequence[int],
    new: Sequence[int],
    expr: tree.Index,
) -> Value:
    value = x
    try:
        if any(row != _WHOLE for row in rows):
            starts, stops, steps = zip(*rows, strict=True)
            value = apply_op(e, expr.span, "slice", (value,), {"starts": starts, "stops": stops, "steps": steps})
        if taken:
            value = apply_op(e, expr.span, "squeeze", (value,), {"axis": tuple(taken)})
        if new:
            value = apply_op(e, expr.span, "expand_dims", (value,), {"axis": tuple(new)})
    except OpError as error:
        return _report(e, error, x, expr.items_span, expr)
    return value
