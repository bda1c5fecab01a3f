"""``update m = expr``: the value that a buffer has after a step of training.

Input: the statement and a scope in which the buffer was declared. Output: an entry of the body's `updates`, in training.
Reads of the buffer give the value it had before. How buffers are made is `parameters`' business.
"""

from __future__ import annotations

from contextlib import nullcontext

from dslc.check.assigning import statement_value
from dslc.check.near import near, proposed, quoted
from dslc.check.operators import apply_op, as_tensor
from dslc.check.scope import Context, Scope
from dslc.check.typed import TypedValue
from dslc.check.values import FAILED, Const, Failed, Value, describe, is_number
from dslc.diagnostics import Help, Label, Note
from dslc.syntax import tree


def update(e: Context, scope: Scope, stmt: tree.UpdateStmt) -> None:
    """``update name = value``. The value is checked in both modes and kept in training."""
    name, expr = stmt.names[0], stmt.value
    if expr is None:
        mend = Help("say what the buffer becomes:", code=(f"update {name.text} = ...",))
        e.report("DL1061", f"`update {name.text}` has no new value", stmt.span, "becomes what?", footers=[mend])
        return
    if any(call.definition.kind == "cell" for call in e.calls):
        note = Note("a cell runs once per time step; update the buffer in the block around the `scan`")
        e.report("DL1060", "a buffer cannot be updated inside a cell", stmt.span, "runs at every step", footers=[note])
        return
    e.mode_read = True
    with nullcontext() if e.training else e.throwing_away():
        value = statement_value(e, scope, name.text, expr, stmt.span)
    key = scope.buffers.get(name.text)
    if key is None:
        _no_buffer(e, scope, name)
        return
    if name.text in scope.updated:
        first = Label(scope.updated[name.text], "first here")
        text = f"buffer `{name.text}` is updated twice"
        note = Note("a buffer has one value after a step of training")
        e.report("DL1062", text, name.span, "updated again", first, footers=[note])
        return
    scope.updated[name.text] = stmt.span
    if key not in e.params:  # its declaration was refused, and reported
        return
    new = _fitted(e, e.params[key][0], value, name, expr)
    if e.training and e.undo is None and isinstance(new, TypedValue):
        e.body.updates[key] = new


def _fitted(e: Context, buffer: TypedValue, value: Value, name: tree.Ident, expr: tree.Expr) -> Value:
    """The new value, which has the buffer's type; a number fills it."""
    if isinstance(value, Const) and is_number(value.value):
        number = as_tensor(e, value, buffer.type.dtype, expr.span)
        if isinstance(number, Failed) or not e.training:
            return FAILED
        return apply_op(e, expr.span, "expand", (number,), {"sizes": buffer.type.shape})
    if isinstance(value, Failed) or (isinstance(value, TypedValue) and value.type == buffer.type):
        return value
    have = str(value.type) if isinstance(value, TypedValue) else describe(value)
    declared = Label(buffer.span, f"declared {buffer.type} here")
    text = f"buffer `{name.text}` is {buffer.type}, and its new value is {have}"
    return e.report("DL2084", text, expr.span, f"this is {have}", declared)


def _no_buffer(e: Context, scope: Scope, name: tree.Ident) -> None:
    binding = scope.names.get(name.text)
    if binding is not None and isinstance(binding.value, Failed):
        return
    footers = proposed(near(name.text, scope.buffers), name.span)
    if binding is not None and binding.kind == "param":
        footers.append(Note("parameters are learned by the optimizer; what the program updates itself is a `buffer`"))
    elif scope.buffers:
        footers.append(Note(f"the buffers are {quoted(scope.buffers, 'and')}"))
    what = "not declared" if binding is None else "not a buffer"
    e.report("DL1061", f"`update` of `{name.text}`, which is no buffer", name.span, what, footers=footers)
