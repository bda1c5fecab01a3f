"""Mends for tensors of another rank than a standard layer takes: images that are flat, steps without features, masks.

Input: an input of a layer and the tensor given for it. Output: helps. That they do not fit is `types`' business.
"""

from __future__ import annotations

import re
from math import isqrt

from dslc.check.scope import Argument, Context, Scope
from dslc.check.typed import TypedValue
from dslc.diagnostics import Edit, Help
from dslc.source import Span
from dslc.syntax import tree
from dslc.tensor_type import Dim


def other_rank(e: Context, scope: Scope, stmt: tree.InputStmt, arg: Argument, value: TypedValue) -> list[Help]:
    """A mend where a standard layer gets a tensor of another rank."""
    if not e.calls[-1].library:
        return []
    by_name = _input_meant(scope, stmt, arg, value)
    if by_name:
        text = f"`{by_name}` is an input of its own, given by name:"
        return [Help(text, (Edit(arg.span, f"{by_name} = {arg.span.text}"),))]
    if stmt.default is not None and (left_out := _left_out(arg)) is not None:
        return [Help(f"`{stmt.name.text}` may be left out:", (left_out,))]
    if stmt.type.dtype.text == value.type.dtype.value == "bool" and value.type.rank == len(stmt.type.dims) + 1:
        return [
            Help("it says which steps of a sequence are real; a mask of pairs of steps is for the function `attention`")
        ]
    wanted = [dim.id if isinstance(dim, tree.Name) else "" for dim in stmt.type.dims]
    shape = value.type.shape
    if wanted[1:] == ["T", "D"] and len(shape) == 2:
        text = "it runs along the steps of [batch, steps, features]; for one number at each step, give them their axis:"
        return [Help(text, code=("|> expand_dims(axis = 2)",))]
    if wanted[1:2] != ["C"] or len(shape) >= len(wanted) or len(shape) < 2:
        return []
    known = shape[1] if len(shape) == 3 and len(wanted) == 4 else 0
    flat = shape[-1] if len(shape) == 2 or known == 1 else 0
    if len(wanted) == 4 and flat:
        places = ", ".join(map(str, _image(flat))) or "channels, rows, columns"
        return [Help("say which channels, rows and columns the numbers are:", code=(f"|> reshape([-1, {places}])",))]
    if len(shape) == len(wanted) - 1:
        return [Help("one channel has its axis all the same: `|> expand_dims(axis = 1)`")]
    return []


def _left_out(arg: Argument) -> Edit | None:
    """The edit that takes out an operand which is given a second time: ``att(x, x, x)``."""
    text, start = arg.span.source.text, arg.span.start
    again = re.search(rf"[(,]\s*{re.escape(arg.span.text)}(\s*,\s*)\Z", text[max(0, start - 80) : start])
    return None if again is None else Edit(Span(arg.span.source, start - len(again[1]), arg.span.end), "")


def _image(numbers: Dim) -> tuple[int, ...]:
    """Channels, rows and columns of a square image of so many numbers, grey or in colours; () where it is none."""
    if not isinstance(numbers, int):
        return ()
    sides = ((channels, isqrt(numbers // channels)) for channels in (1, 3))
    return next(((channels, side, side) for channels, side in sides if channels * side * side == numbers), ())


def _input_meant(scope: Scope, stmt: tree.InputStmt, arg: Argument, value: TypedValue) -> str:
    """The other input that may be left out and takes such a tensor, where this one is given by its place; or ""."""
    if arg.name is not None or stmt.default is None or scope.definition is None:
        return ""
    others = [other for other in scope.definition.body if isinstance(other, tree.InputStmt) and other is not stmt]
    return next(
        (
            other.name.text
            for other in others
            if other.default is not None
            and other.type.dtype.text == value.type.dtype.value
            and len(other.type.dims) == value.type.rank
        ),
        "",
    )
