"""Statements of a model's or block's body: each adds names to the scope and values to the body under construction.

Input: statements and a scope. Output: bindings, values, parameters. Inputs and dimensions are bound before, by `blocks`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dslc.check.assigning import assignment, output
from dslc.check.buffers import update
from dslc.check.cells import next_state, state
from dslc.check.expressions import branches, condition, evaluate
from dslc.check.messages import filled
from dslc.check.parameters import layer, new_name, parameter
from dslc.check.scope import Binding, Context, Scope, origin_notes
from dslc.check.typed import Origin, TypedValue
from dslc.check.values import FAILED, Const, Failed, Value, number_text
from dslc.check.walk import defined
from dslc.diagnostics import Edit, Help, Note
from dslc.record import record, replace
from dslc.source import Span
from dslc.syntax import tree

_WORDS: Mapping[type, str] = {
    tree.FieldStmt: "field", tree.UseStmt: "use", tree.StepStmt: "step", tree.SampleStmt: "sample",
    tree.TrainRef: "train", tree.GivenStmt: "given", tree.ExpectStmt: "expect", tree.ExpectErrorStmt: "expect error",
    tree.CallStmt: "a call", tree.InputStmt: "input", tree.DimStmt: "dim", tree.StateStmt: "state",
    tree.OutputStmt: "output",
}  # fmt: skip
#: Statements of a body itself: what they say holds whatever a condition inside decides.
_HEAD = (tree.InputStmt, tree.DimStmt, tree.StateStmt)


def run(e: Context, scope: Scope, statements: Sequence[tree.Stmt], *, nested: bool = False) -> None:
    """Elaborate statements in order."""
    for statement in statements:
        if scope.stopped or e.sink.full:
            return
        if not nested and isinstance(statement, tree.InputStmt | tree.DimStmt):
            continue
        rule = _RULES.get(type(statement))
        conditional = nested and _in_head(scope, statement)
        if rule is not None and not conditional:
            rule(e, scope, statement)
        else:
            _misplaced(e, statement, conditional)


def _in_head(scope: Scope, statement: tree.Stmt) -> bool:
    """Whether a statement says what holds whatever a condition decides. What a block gives may depend on one."""
    model = scope.definition is not None and scope.definition.kind == "model"
    return isinstance(statement, _HEAD) or (model and isinstance(statement, tree.OutputStmt))


def _misplaced(e: Context, statement: tree.Stmt, conditional: bool) -> None:
    word = _WORDS.get(type(statement), "this statement")
    inside = "inside an `if`" if conditional else "in a model, block or cell"
    e.report("DL1019", f"`{word}` cannot stand {inside}", statement.span, "not allowed here")


# ---------------------------------------------------------------------------------------------- compile time


def _let(e: Context, scope: Scope, stmt: tree.LetStmt) -> None:
    if not new_name(e, scope, stmt.name):
        return
    value = evaluate(e, scope, stmt.value)
    if isinstance(value, TypedValue):
        place = Span(stmt.span.source, stmt.span.start, stmt.name.span.start)
        footers = [Help("name a tensor without `let`:", (Edit(place, ""),))]
        text = f"`let` names a compile-time value, and this is {value.type}"
        value = e.report("DL2014", text, stmt.value.span, "a tensor", footers=footers)
    if isinstance(value, Const) and value.origin is None:
        origin = Origin(f"`{stmt.name.text} = {number_text(value.value)}`", stmt.span)
        value = replace(value, origin=origin)
    scope.define(stmt.name.text, value, stmt.name.span, "failed" if isinstance(value, Failed) else "let")


def _require(e: Context, scope: Scope, stmt: tree.RequireStmt) -> None:
    chosen = condition(e, scope, stmt.cond)
    if chosen is None or chosen.value is True:
        return
    scope.stopped = True
    text = f"`{' '.join(stmt.cond.span.text.split())}` does not hold"
    if stmt.message is not None:
        text = filled(e, scope, stmt.message)
    e.report_call("DL2040", text, stmt.cond.span, "this must hold", footers=_facts(e, scope, stmt.cond))


def _facts(e: Context, scope: Scope, cond: tree.Expr) -> list[Note]:
    """Where the sizes in a condition came from."""
    pairs: list[tuple[Any, Origin | None]] = []
    for name, binding in scope.names.items():
        mentioned = re.search(rf"\b{re.escape(name)}\b", cond.span.text)
        if mentioned and isinstance(binding.value, Const) and binding.value.origin is not None:
            pairs.append((number_text(binding.value.value), binding.value.origin))
    return origin_notes(e, pairs, e.calls[-1].span if e.calls else cond.span)


def _if(e: Context, scope: Scope, stmt: tree.IfStmt) -> None:
    chosen = condition(e, scope, stmt.cond)
    if chosen is None:
        for ident in (*_names(stmt.then), *_names(stmt.orelse)):
            if ident.text not in scope.names:
                scope.define(ident.text, FAILED, ident.span, "failed")
        return
    taken = chosen.value is True
    before = _Branch.of(scope)

    def branch(statements: Sequence[tree.Stmt]) -> _Branch:
        before.into(scope)
        run(e, scope, statements, nested=True)
        return _Branch.of(scope)

    found: _Branch = branches(e, taken, chosen.by_mode, lambda: branch(stmt.then), lambda: branch(stmt.orelse))
    found.into(scope)
    everywhere = {ident.text for ident in defined(stmt)}
    if not chosen.by_mode:  # a hyper-parameter may decide whether there is an output
        everywhere |= found.declared.keys() - before.declared.keys()
    for ident in (*_names(stmt.then), *_names(stmt.orelse)):
        if ident.text not in everywhere and ident.text not in before.names:
            scope.names.pop(ident.text, None)
            scope.partial[ident.text] = ident.span


@record
class _Branch:
    """What a branch of an `if` says of its body."""

    names: Mapping[str, Binding]
    labels: Mapping[str, Span]
    updated: Mapping[str, Span]
    after: Mapping[str, tuple[Value, Span]]
    declared: Mapping[str, tree.OutputStmt]

    @staticmethod
    def of(scope: Scope) -> _Branch:
        """What is known now."""
        after = dict(scope.steps.after) if scope.steps is not None else {}
        return _Branch(dict(scope.names), dict(scope.labels), dict(scope.updated), after, dict(scope.declared))

    def into(self, scope: Scope) -> None:
        """Make it what is known."""
        scope.names, scope.labels, scope.updated = dict(self.names), dict(self.labels), dict(self.updated)
        scope.declared = dict(self.declared)
        if scope.steps is not None:
            scope.steps.after = dict(self.after)


def _names(statements: Sequence[tree.Stmt]) -> list[tree.Ident]:
    return [ident for statement in statements for ident in defined(statement)]


_RULES: Mapping[type, Callable[[Context, Scope, Any], None]] = {
    tree.AssignStmt: assignment,
    tree.OutputStmt: output,
    tree.ParamStmt: parameter,
    tree.BufferStmt: parameter,
    tree.UpdateStmt: update,
    tree.StateStmt: state,
    tree.NextStmt: next_state,
    tree.LayerStmt: layer,
    tree.LetStmt: _let,
    tree.RequireStmt: _require,
    tree.IfStmt: _if,
}
