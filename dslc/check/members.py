"""What is read from a value: ``value.name`` and ``value[index]``.

Input: the syntax tree of the read and a scope. Output: a value. Indexing of tensors is `indexing`'s.
"""

from __future__ import annotations

import re

from dslc.check.calls import is_function
from dslc.check.foreign import function_meant
from dslc.check.indexing import index_tensor
from dslc.check.layers import read, unknown_name
from dslc.check.scope import Context, Scope
from dslc.check.typed import TypedValue
from dslc.check.values import (
    FAILED,
    Const,
    Failed,
    Instance,
    ListValue,
    Namespace,
    RecordValue,
    SourceColumns,
    Value,
    describe,
)  # fmt: skip
from dslc.diagnostics import Edit, Help, Note
from dslc.record import replace
from dslc.source import Span
from dslc.syntax import tree
from dslc.syntax.methods import METHODS

_CALLED = re.compile(r"[ \t]*\([ \t]*")
#: Sizes or axes one by one, up to the end of the arguments.
_LISTED = re.compile(r"-?\w+(?:[ \t]*,[ \t]*-?\w+)*(?=[ \t]*\))")
_TAKES_LIST = frozenset({"reshape", "expand", "transpose"})


def attribute(e: Context, scope: Scope, expr: tree.Attribute) -> Value:
    value = e.evaluate(e, scope, expr.value)
    name = expr.name.text
    if isinstance(value, Instance):
        return read(e, value, name, expr.span)
    if isinstance(value, Namespace):
        return member(e, value, name, expr.name.span)
    if isinstance(value, RecordValue):
        return (
            value.items[name] if name in value.items else unknown_name(e, "the record", name, [*value.items], expr.span)
        )
    if isinstance(value, Failed):
        return FAILED
    footers: list[Note | Help] = []
    meant = name if is_function(name) else "transpose" if name == "T" else function_meant(name)
    if isinstance(value, TypedValue) and meant:
        footers.append(_as_function(expr, meant))
    elif name in METHODS:
        footers.append(Help(METHODS[name]))
    return e.report(
        "DL1005", f"{describe(value)} has nothing named `{name}`", expr.name.span, "not found", footers=footers
    )


def _as_function(expr: tree.Attribute, function: str) -> Help:
    """``x.mean`` and ``x.mean(axis = 1)`` as calls of a function: ``mean(x)``, ``mean(x, axis = 1)``.

    Sizes and axes given one by one become a list. Other arguments of another library's method may mean something else here.
    """
    text = "it is a function:" if function == expr.name.text else f"it is the function `{function}` here:"
    operand, source = expr.value.span.text, expr.span.source
    called = _CALLED.match(source.text, expr.span.end)
    if called is None:
        return Help(text, (Edit(expr.span, f"{function}({operand})"),))
    head = Edit(Span(source, expr.span.start, called.end()), f"{function}({operand}, ")
    follows = source.text[called.end() : called.end() + 1]
    if follows == ")":
        return Help(text, (replace(head, text=f"{function}({operand}"),))
    swaps = expr.name.text in ("transpose", "swapaxes") and follows != "["
    listed = _LISTED.match(source.text, called.end())
    if function in _TAKES_LIST and listed is not None and not swaps:
        items = Edit(Span(source, called.end(), listed.end()), f"[{listed[0].strip()}]")
        return Help(text, (head, items))
    certain = follows == "[" or (function == expr.name.text and function not in _TAKES_LIST)
    return Help(text, (head,), applicable=certain)


def member(e: Context, value: Namespace, name: str, span: Span) -> Value:
    """A name read from a group of names."""
    if name not in value.names and value.names:
        return unknown_name(e, value.title, name, value.names, span)
    return value.read(name, span)


def index(e: Context, scope: Scope, expr: tree.Index) -> Value:
    value = e.evaluate(e, scope, expr.value)
    if isinstance(value, Failed):
        return FAILED
    if isinstance(value, SourceColumns):
        return value.read(expr)
    if isinstance(value, TypedValue):
        parts = [_index_part(e, scope, item) for item in expr.items]
        return index_tensor(e, value, parts, expr)
    keys = [e.evaluate(e, scope, item) for item in expr.items if not isinstance(item, tree.Slice | tree.Ellipsis_)]
    key = keys[0].value if len(keys) == len(expr.items) == 1 and isinstance(keys[0], Const) else None
    if any(isinstance(found, Failed) for found in keys):
        return FAILED
    if isinstance(value, Namespace | RecordValue) and isinstance(key, str):
        names = value.names if isinstance(value, Namespace) else tuple(value.items)
        group = value if isinstance(value, Namespace) else Namespace("the record", names, lambda n, _: value.items[n])
        return member(e, group, key, expr.items_span)
    if isinstance(value, ListValue) and isinstance(key, int) and not isinstance(key, bool):
        if -len(value.items) <= key < len(value.items):
            return value.items[key]
        text = f"index {key} is outside a list of {len(value.items)}"
        return e.report("DL2013", text, expr.items_span, f"must be less than {len(value.items)}")
    return e.report("DL2012", f"{describe(value)} cannot be indexed like this", expr.items_span, "not an index of it")


def _index_part(
    e: Context, scope: Scope, item: tree.Expr | tree.Slice | tree.Ellipsis_
) -> Value | tuple[Value, ...] | None:
    """An index, the three parts of a slice, or None for `...`."""
    if isinstance(item, tree.Ellipsis_):
        return None
    if isinstance(item, tree.Slice):
        parts = (item.start, item.stop, item.step)
        return tuple(Const(None) if part is None else e.evaluate(e, scope, part) for part in parts)
    return e.evaluate(e, scope, item)
