"""Statements of cells: ``state h: f32[B, n] = zeros()``, the value before a step, and ``next h = ...``, the one after it.

Input: the statements and the scope of a cell's body. Output: inputs of that body, and `Steps` filled.
"""

from __future__ import annotations

from collections.abc import Sequence

from dslc.check.assigning import statement_value
from dslc.check.near import near, proposed, quoted
from dslc.check.operators import apply_op, as_tensor
from dslc.check.parameters import new_name
from dslc.check.places import Steps
from dslc.check.scope import Context, Scope, Statement
from dslc.check.typed import TypedValue
from dslc.check.types import written_type
from dslc.check.values import FAILED, Const, Failed, Value, describe, is_number
from dslc.check.walk import names
from dslc.diagnostics import Edit, Help, Label, Note
from dslc.ops.ir import Attrs
from dslc.record import replace
from dslc.source import Span
from dslc.syntax import tree
from dslc.tensor_type import TensorType, broadcast

#: What a state may start as without its sizes being written.
_FILLS = {"zeros": 0, "ones": 1}


def state(e: Context, scope: Scope, stmt: tree.StateStmt) -> None:
    """``state name: type = first``: an input of the step, with its value before the first step."""
    if not new_name(e, scope, stmt.name, value=True):
        return
    output = scope.declared.get(stmt.name.text)
    if output is not None:
        mend = Help("name the output after the step's value:", code=(f"output y: {output.type.span.text}",))
        first = Label(output.name.span, "an output here")
        e.report(
            "DL1006", f"`{stmt.name.text}` is an output and a state", stmt.name.span, "a state", first, footers=[mend]
        )
    value = _state(e, scope, stmt) if scope.steps is not None else _outside(e, scope, "state", stmt.span)
    scope.define(stmt.name.text, value, stmt.name.span, "failed" if isinstance(value, Failed) else "state")


def _outside(e: Context, scope: Scope, word: str, span: Span) -> Failed:
    kind = scope.definition.kind if scope.definition is not None else "block"
    head = scope.definition.head if scope.definition is not None else span
    keyword = Span(head.source, head.start, head.start + len(kind))
    edits = (Edit(keyword, "cell"),) if kind == "block" else ()
    return e.report(
        "DL1052",
        f"`{word}` stands in a cell, and this is a {kind}",
        span,
        "nothing comes before or after here",
        footers=[
            Help(f"a cell is one time step, and `scan` runs it{':' * bool(edits)}", edits),
            Note("to keep a tensor that training changes, declare a `buffer`"),
        ],
    )


def _state(e: Context, scope: Scope, stmt: tree.StateStmt) -> TypedValue | Failed:
    steps, name = scope.steps, stmt.name.text
    assert steps is not None
    found = written_type(e, scope, stmt.type, f"state `{name}`")
    if found is None:
        return FAILED
    inside = e.switch(steps.outside)
    try:
        first = _first(e, scope, steps, stmt, found.type)
    finally:
        e.switch(inside)
    if isinstance(first, Failed):
        return FAILED
    value = TypedValue(found.type, "input", (), Attrs({"name": name}), stmt.name.span, name, found.origins)
    e.body.values.append(value)
    e.body.inputs[name] = value
    steps.states[name] = value, first
    return value


def _first(e: Context, scope: Scope, steps: Steps, stmt: tree.StateStmt, type: TensorType) -> TypedValue | Failed:
    """The value before the first step, made where the scan stands."""
    name, expr = stmt.name.text, stmt.init
    if name in steps.init:
        value, span = steps.init[name]
        return _fitted(e, value, type, name, span, stmt)
    if expr is None:
        end = Span(stmt.span.source, stmt.type.span.end, stmt.type.span.end)
        mend = Help("say what comes before the first step:", (Edit(end, " = zeros()"),))
        return e.report(
            "DL2017", f"state `{name}` has no initial value", stmt.span, "how does it start?", footers=[mend]
        )
    filled = _fill(e, scope, expr)
    if filled is not None:
        return _fitted(e, filled, type, name, expr.span, stmt)
    outer = _before_steps(e, scope, stmt, expr)
    if outer is None:
        return FAILED
    return _fitted(e, e.evaluate(e, outer, expr), type, name, expr.span, stmt)


def _fill(e: Context, scope: Scope, expr: tree.Expr) -> Value | None:
    """The number that fills a state: of ``zeros()``, ``ones()``, ``full(v)`` and ``constant(v)``, whose sizes are the state's."""
    if not isinstance(expr, tree.Call) or not isinstance(expr.callee, tree.Name) or expr.callee.id in scope.names:
        return None
    if expr.callee.id in _FILLS and not expr.args:
        return Const(_FILLS[expr.callee.id])
    if expr.callee.id in ("full", "constant") and len(expr.args) == 1:
        return e.evaluate(e, scope, expr.args[0].value)
    return None


def _before_steps(e: Context, scope: Scope, stmt: tree.StateStmt, expr: tree.Expr) -> Scope | None:
    """The scope of an initial value: what is known before the first step, which are compile-time values and parameters."""
    known = dict(scope.names)
    for name, binding in scope.names.items():
        if isinstance(binding.value, TypedValue):
            del known[name]
            if binding.value.op == "param":
                known[name] = replace(binding, value=e.leaf(binding.value.attrs.str("key")))
    for name in names(expr):
        if name.id == stmt.name.text or (name.id in scope.names and name.id not in known):
            what = "its own value" if name.id == stmt.name.text else f"`{name.id}`"
            e.report(
                "DL1056",
                f"state `{stmt.name.text}` starts from {what}, which is not known before the first step",
                name.span,
                "known step by step only",
                footers=[
                    Note("an initial value is made of numbers and parameters; `init` of `scan` gives it a tensor")
                ],
            )
            return None
    return replace(scope, names=known, statement=Statement("", stmt.span), later={}, steps=None)


def _fitted(
    e: Context, value: Value, type: TensorType, name: str, span: Span, stmt: tree.StateStmt
) -> TypedValue | Failed:
    """An initial value with the type of its state; numbers and missing axes are filled."""
    if isinstance(value, Const) and is_number(value.value):
        value = as_tensor(e, value, type.dtype, span)
    tensor = as_tensor(e, value, type.dtype, span)
    if isinstance(tensor, Failed) or tensor.type == type:
        return tensor
    if tensor.type.dtype is type.dtype and broadcast(tensor.type.shape, type.shape) == type.shape:
        return apply_op(e, span, "expand", (tensor,), {"sizes": type.shape})
    declared = Label(stmt.type.span, f"declared {type} here")
    text = f"state `{name}` is {type}, and its initial value is {tensor.type}"
    return e.report("DL2081", text, span, f"this is {tensor.type}", declared)


def next_state(e: Context, scope: Scope, stmt: tree.NextStmt) -> None:
    """``next name = value``: the state after this step."""
    steps, name = scope.steps, stmt.name.text
    if steps is None:
        _outside(e, scope, "next", stmt.span)
        return
    value = statement_value(e, scope, name, stmt.value, stmt.span)
    if name not in steps.states:
        _no_state(e, scope, steps, stmt)
        return
    if name in steps.after:
        first = Label(steps.after[name][1], "first here")
        text = f"`next {name}` is given twice"
        mend = Note("a state has one value after a step; give the other a name of its own")
        e.report("DL1054", text, stmt.name.span, "given again", first, footers=[mend])
        return
    steps.after[name] = _stepped(e, steps.states[name][0], value, stmt), stmt.span


def _no_state(e: Context, scope: Scope, steps: Steps, stmt: tree.NextStmt) -> None:
    name = stmt.name.text
    binding = scope.names.get(name)
    if binding is not None and isinstance(binding.value, Failed):
        return
    close = near(name, steps.states)
    footers: list[Note | Help] = []
    steps.meant.update(close)
    if close:
        footers += proposed(close, stmt.name.span)
    elif binding is None:
        footers.append(Help("declare it:", code=(f"state {name}: f32[...] = zeros()",)))
    if steps.states:
        footers.append(Note(f"the states are {quoted(steps.states, 'and')}"))
    what = "not declared" if binding is None else f"declared as {_KINDS.get(binding.kind, 'a value')}"
    e.report("DL1055", f"`next` of `{name}`, which is no state", stmt.name.span, what, footers=footers)


_KINDS = {"input": "an input", "param": "a parameter", "layer": "a layer", "hyper": "a hyper-parameter"}


def _stepped(e: Context, state: TypedValue, value: Value, stmt: tree.NextStmt) -> Value:
    """The state after a step, which has the type of the one before it."""
    if isinstance(value, Const) and is_number(value.value):
        number = as_tensor(e, value, state.type.dtype, stmt.value.span)
        if isinstance(number, Failed):
            return FAILED
        return apply_op(e, stmt.value.span, "expand", (number,), {"sizes": state.type.shape})
    if isinstance(value, Failed):
        return FAILED
    if isinstance(value, TypedValue) and value.type == state.type:
        return value
    have = str(value.type) if isinstance(value, TypedValue) else describe(value)
    footers: list[Note | Help] = []
    if isinstance(value, TypedValue) and value.type.dtype is not state.type.dtype:
        footers.append(Help(f"convert it: `cast(..., {state.type.dtype.value})`"))
    declared = Label(state.span, f"`{stmt.name.text}` is {state.type}")
    text = f"state `{stmt.name.text}` is {state.type} before a step, and {have} after it"
    return e.report("DL2080", text, stmt.value.span, f"this is {have}", declared, footers=footers)


def after_step(e: Context, scope: Scope) -> Sequence[TypedValue] | None:
    """The states after a step, in the order of declaration; None after a report."""
    steps = scope.steps
    assert steps is not None
    found: list[TypedValue] = []
    for name, (before, _) in steps.states.items():
        value, _ = steps.after.get(name, (None, None))
        if value is None and name not in steps.meant:
            mend = Help("say what it is after a step:", code=(f"next {name} = ...",))
            e.report("DL1053", f"state `{name}` has no `next`", before.span, "stays as it starts", footers=[mend])
        elif isinstance(value, TypedValue):
            found.append(value)
    return found if len(found) == len(steps.states) else None
