"""Arrays written out: `[[0, 1], [1, 0]]` -> nested tuples with a shape and a kind, or a report of what does not fit.

Used for inline data, givens and expectations. Numbers may have a sign; nothing is computed here.
"""

from __future__ import annotations

from dslc.check.settings import literal_number
from dslc.check.typed import Literal
from dslc.diagnostics import Help, Label, Sink
from dslc.record import record
from dslc.source import Span
from dslc.syntax import tree
from dslc.tensor_type import DType

_DTYPES = {"int": DType.I64, "float": DType.F64, "bool": DType.BOOL}
_WORDS = {"int": "a number", "float": "a number", "bool": "true or false", "string": "a string", "": "nothing"}


@record
class Array:
    """A literal array. `kind` is "int", "float" (some element is), "bool", "string", or "" where there is no element."""

    value: Literal
    shape: tuple[int, ...]
    kind: str
    span: Span

    @property
    def dtype(self) -> DType | None:
        """The element type that holds it exactly; None for strings."""
        return _DTYPES.get(self.kind, DType.F64 if not self.kind else None)


def is_literal(expr: tree.Expr) -> bool:
    """Whether an expression is written like an array: a list, a number, a string, `true` or `false`."""
    match expr:
        case tree.List() | tree.String() | tree.Constant(value=bool()):
            return True
        case _:
            return literal_number(expr) is not None


def array(expr: tree.Expr, sink: Sink) -> Array | None:
    """The array an expression writes out, or None after a report."""
    match expr:
        case tree.List(items=items):
            return _rows(items, expr.span, sink)
        case tree.String(value=text):
            return Array(text, (), "string", expr.span)
        case tree.Constant(value=bool() as value):
            return Array(value, (), "bool", expr.span)
        case _:
            pass
    value = literal_number(expr)
    if value is None:
        sink.report(
            "DL3013",
            "an element here must be written out: a number, a string, `true` or `false`",
            expr.span,
            "this would have to be computed",
        )
        return None
    return Array(value, (), "int" if isinstance(value, int) else "float", expr.span)


def _rows(items: tuple[tree.Expr, ...], span: Span, sink: Sink) -> Array | None:
    rows: list[Array] = []
    for item in items:
        row = array(item, sink)
        if row is None or (rows and not _alike(rows[0], row, sink)):
            return None
        rows.append(row)
    if not rows:
        return Array((), (0,), "", span)
    kinds = {row.kind for row in rows}
    kind = "float" if kinds == {"int", "float"} else rows[0].kind
    return Array(tuple(row.value for row in rows), (len(rows), *rows[0].shape), kind, span)


def _alike(first: Array, row: Array, sink: Sink) -> bool:
    """Whether a row has the shape of the first one and holds the same kind of thing."""
    if first.shape != row.shape:
        sink.report(
            "DL3012",
            "the rows of a list differ in length",
            row.span,
            f"this is {_describe(row)}",
            Label(first.span, f"the first is {_describe(first)}"),
            footers=[Help("give every row as many values as the first")],
        )
        return False
    if _WORDS[first.kind] != _WORDS[row.kind]:
        sink.report(
            "DL3013",
            "a list mixes kinds of values",
            row.span,
            f"this holds {_WORDS[row.kind]}",
            Label(first.span, f"the first holds {_WORDS[first.kind]}"),
        )
        return False
    return True


def _describe(array: Array) -> str:
    if not array.shape:
        return "one value"
    if len(array.shape) == 1:
        return f"a row of {array.shape[0]}"
    return f"of shape [{', '.join(map(str, array.shape))}]"
