"""The text of ``require cond, "heads ({heads}) must divide {4 * n}"``: what stands in braces is worked out.

Input: the string and the scope of the requirement that does not hold. Output: the text as the caller reads it.
"""

from __future__ import annotations

import re

from dslc.check.scope import Context, Scope
from dslc.check.values import Const, Failed, Value, describe, number_text
from dslc.diagnostics import Note, Sink
from dslc.source import Source, Span
from dslc.syntax import tree
from dslc.syntax.parse import parse

_BRACES = re.compile(r"\{([^{}]*)\}")
_OPEN, _CLOSE = "model M {\nlet value = ", "\n}\n"


def filled(e: Context, scope: Scope, message: tree.String) -> str:
    """A message with the values of the expressions in braces."""
    return _BRACES.sub(lambda found: _shown(e, scope, message.span, found), message.value)


def _shown(e: Context, scope: Scope, place: Span, found: re.Match[str]) -> str:
    expr = _expression(found[1])
    value = None if expr is None else _value(e, scope, expr)
    if value is None:
        note = Note("braces hold the name of a compile-time value, or an expression of such")
        text = f"there is no `{found[1]}` to put into this message"
        e.report("DL1001", text, place, f"`{found[0]}`", footers=[note])
        return found[0]
    return number_text(value.value) if isinstance(value, Const) else describe(value)


def _expression(text: str) -> tree.Expr | None:
    """A text as one expression, or None."""
    sink = Sink()
    match parse(Source("message", f"{_OPEN}{text}{_CLOSE}"), sink).decls:
        case (tree.Definition(body=(tree.LetStmt(value=value),)),) if not sink.failed:
            return value
        case _:
            return None


def _value(e: Context, scope: Scope, expr: tree.Expr) -> Value | None:
    """The value of an expression, or None where it has none; what is wrong with it is told at the message."""
    shown, e.sink = e.sink, Sink()
    try:
        value = e.evaluate(e, scope, expr)
    finally:
        e.sink = shown
    return None if isinstance(value, Failed) else value
