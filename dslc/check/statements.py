"""Statements of a model's or block's body: each adds names to the scope and values to the body under construction.

Input: statements and a scope. Output: bindings, values, parameters. Inputs and dimensions are bound before, by `blocks`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

from dslc.check.expressions import branches, condition, evaluate
from dslc.check.files import defined_twice, unsupported
from dslc.check.labels import check_labels
from dslc.check.operators import as_tensor, literal_tensor
from dslc.check.parameters import layer, new_name, parameter
from dslc.check.scope import Context, Scope, Statement, origin_notes
from dslc.check.typed import Origin, TypedValue
from dslc.check.types import Written, written_type
from dslc.check.values import (
    FAILED,
    Const,
    Failed,
    FunctionRef,
    LayerRef,
    ListValue,
    Value,
    describe,
    literal,
    number_text,
)
from dslc.check.walk import defined
from dslc.diagnostics import Edit, Help, Label, Note
from dslc.record import replace
from dslc.source import Span
from dslc.syntax import tree
from dslc.tensor_type import TensorType, symbols

_WORDS: Mapping[type, str] = {
    tree.FieldStmt: "field", tree.UseStmt: "use", tree.StepStmt: "step", tree.SampleStmt: "sample",
    tree.TrainRef: "train", tree.GivenStmt: "given", tree.ExpectStmt: "expect", tree.ExpectErrorStmt: "expect error",
    tree.CallStmt: "a call", tree.InputStmt: "input", tree.DimStmt: "dim",
}  # fmt: skip
_LATER: Mapping[type, str] = {
    tree.BufferStmt: "`buffer`", tree.StateStmt: "`state`", tree.NextStmt: "`next`", tree.UpdateStmt: "`update`"
}  # fmt: skip


def run(e: Context, scope: Scope, statements: Sequence[tree.Stmt], *, nested: bool = False) -> None:
    """Elaborate statements in order."""
    for statement in statements:
        if scope.stopped:
            return
        if not nested and isinstance(statement, tree.InputStmt | tree.DimStmt):
            continue
        rule = _RULES.get(type(statement))
        if rule is not None:
            rule(e, scope, statement)
        elif type(statement) in _LATER:
            unsupported(e.sink, _LATER[type(statement)], statement.span)
        else:
            _misplaced(e, statement, nested)


def _misplaced(e: Context, statement: tree.Stmt, nested: bool) -> None:
    word = _WORDS.get(type(statement), "this statement")
    inside = (
        "inside an `if`" if nested and isinstance(statement, tree.InputStmt | tree.DimStmt) else "in a model or block"
    )
    e.report("DL1019", f"`{word}` cannot stand {inside}", statement.span, "not allowed here")


# ---------------------------------------------------------------------------------------------- values


def _assign(e: Context, scope: Scope, stmt: tree.AssignStmt) -> None:
    if len(stmt.targets) != 1:
        _unpack(e, scope, stmt)
        return
    (target,) = stmt.targets
    value = statement_value(e, scope, target.text, stmt.value, stmt.span)
    if stmt.type is not None:
        value = _checked(e, scope, stmt.type, value, target, stmt.value, stmt.type.span)
    assign(e, scope, target, value, stmt.value)


def statement_value(e: Context, scope: Scope, name: str, expr: tree.Expr, span: Span) -> Value:
    """The value of an expression as a statement of its own, which names the layers in it."""
    outer = scope.statement
    scope.statement = Statement(name, span)
    scope.start = len(e.body.values), len(e.readable)
    try:
        value = evaluate(e, scope, expr)
        check_labels(e, scope.statement)
    finally:
        statement, scope.statement = scope.statement, outer
    if statement.layers:
        scope.made[name] = statement.layers
    return value


def assign(e: Context, scope: Scope, target: tree.Ident, value: Value, expr: tree.Expr) -> None:
    """Bind a value to a name; for an output the declared type is checked."""
    name = target.text
    output = scope.declared.get(name)
    if output is not None:
        value = _checked(e, scope, output.type, value, target, expr, output.type.span)
    if isinstance(value, LayerRef | FunctionRef):
        value = _not_applied(e, target, value, expr)
    if not new_name(e, scope, target, value=True):
        return
    if isinstance(value, TypedValue):
        value = named(e, scope, scope.key(name), value)
        e.readable[scope.key(name)] = value
    scope.define(name, value, target.span, "failed" if isinstance(value, Failed) else "value")


def named(e: Context, scope: Scope, name: str, value: TypedValue) -> TypedValue:
    """The value with the user's name for it, if it is the newest and was made in this statement.

    An inner name (`fc.y`) gives way to the outer one; what reads the value by the inner name gets the renamed value.
    """
    values, read = scope.start
    if len(e.body.values) == values or e.body.values[-1] is not value or value.op in ("param", "input"):
        return value
    renamed = replace(value, name=name)
    e.body.values[-1] = renamed
    for key in islice(reversed(e.readable), len(e.readable) - read):
        if e.readable[key] is value:
            e.readable[key] = renamed
    return renamed


def _not_applied(e: Context, target: tree.Ident, value: LayerRef | FunctionRef, expr: tree.Expr) -> Failed:
    if isinstance(value, LayerRef):
        start = Span(target.span.source, target.span.start, target.span.start)
        footers = [Help("name a layer to use it later:", (Edit(start, "layer "),))]
        return e.report("DL2015", f"this is {describe(value)}", expr.span, "a layer, not a tensor", footers=footers)
    footers = [Help(f"apply it: `{value.name}(x)`, or `x |> {value.name}`")]
    return e.report(
        "DL2015", f"this is {describe(value)}, not applied to anything", expr.span, "a function", footers=footers
    )


def _unpack(e: Context, scope: Scope, stmt: tree.AssignStmt) -> None:
    value = statement_value(e, scope, "", stmt.value, stmt.span)
    items: Sequence[Value] = [FAILED] * len(stmt.targets)
    if isinstance(value, ListValue) and len(value.items) == len(stmt.targets):
        items = value.items
    elif isinstance(value, ListValue):
        text = f"{len(stmt.targets)} names for {len(value.items)} values"
        first, *_, last = (target.span for target in stmt.targets)
        place = first.to(last)
        e.report(
            "DL2018", text, place, f"{len(stmt.targets)} names", Label(stmt.value.span, f"{len(value.items)} values")
        )
    elif not isinstance(value, Failed):
        text = f"{len(stmt.targets)} names need as many values, and this is {describe(value)}"
        e.report("DL2018", text, stmt.value.span, "one value")
    if stmt.type is not None:
        e.report("DL1019", "a type is given to one name at a time", stmt.type.span, "not allowed here")
    for target, item in zip(stmt.targets, items, strict=True):
        assign(e, scope, target, item, stmt.value)


def _checked(
    e: Context, scope: Scope, type: tree.TypeExpr, value: Value, target: tree.Ident, expr: tree.Expr, declared: Span
) -> Value:
    """The value if it has the type written, as a tensor; else a report."""
    if isinstance(value, Failed):
        return FAILED
    wanted = written_type(e, scope, type, f"`{target.text}`")
    if wanted is None:
        return FAILED
    if not isinstance(value, TypedValue):
        return _literal_of(e, value, wanted.type, expr)
    if value.type != wanted.type:
        return _mismatch(e, value, wanted, target, expr, declared)
    return value


def _literal_of(e: Context, value: Value, type: TensorType, expr: tree.Expr) -> Value:
    numbers = literal(value)
    static = not any(symbols(size) for size in type.shape)
    if numbers is not None and static and not isinstance(numbers, str):
        return literal_tensor(e, numbers, type, expr.span)
    tensor = as_tensor(e, value, type.dtype, expr.span)
    if isinstance(tensor, TypedValue) and tensor.type != type:
        text = f"{describe(value)} has no shape, and {type} is wanted"
        return e.report("DL2005", text, expr.span, str(tensor.type), footers=[Help("fill a tensor: `x * 0 + 1`")])
    return tensor


def _mismatch(
    e: Context, value: TypedValue, wanted: Written, target: tree.Ident, expr: tree.Expr, declared: Span
) -> Failed:
    have, want = value.type, wanted.type
    label = f"this is {have}"
    sizes: list[tuple[Any, Origin | None]] = []
    if have.rank == want.rank:
        for axis, (a, b) in enumerate(zip(have.shape, want.shape, strict=True)):
            if a != b:
                sizes += [(a, value.origins[axis]), (b, wanted.origins[axis])]
    sizes = [(size, origin) for size, origin in sizes if origin and origin.text != f"`{target.text}`"]
    footers: list[Note | Help] = list(origin_notes(e, sizes, target.span))
    if (
        have.dtype is want.dtype
        and have.rank == want.rank + 1
        and have.shape[-1] == 1
        and have.shape[:-1] == want.shape
    ):
        footers.append(Help("take out the last axis: `|> squeeze(axis = -1)`"))
    if have.dtype is not want.dtype and have.shape == want.shape:
        footers.append(Help(f"convert it: `cast(..., {want.dtype.value})`"))
    return e.report(
        "DL2005",
        f"`{target.text}` is declared {want}, but its value is {have}",
        expr.span,
        label,
        Label(declared, f"declared {want} here"),
        footers=footers,
    )


def _output(e: Context, scope: Scope, stmt: tree.OutputStmt) -> None:
    first = scope.declared.get(stmt.name.text)
    if first is not None and first is not stmt:
        defined_twice(e.sink, stmt.name, first.name.span, "output")
        return
    if stmt.value is not None:
        value = statement_value(e, scope, stmt.name.text, stmt.value, stmt.span)
        assign(e, scope, stmt.name, value, stmt.value)


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
        text = _filled(e, scope, stmt.message)
    e.report_call("DL2040", text, stmt.cond.span, "this must hold", footers=_facts(e, scope, stmt.cond))


def _filled(e: Context, scope: Scope, message: tree.String) -> str:
    """A message with the values of the names in braces."""

    def value_of(found: re.Match[str]) -> str:
        binding = scope.names.get(found[1])
        if binding is None:
            e.report("DL1001", f"there is no `{found[1]}` to put into this message", message.span, f"`{{{found[1]}}}`")
            return found[0]
        return number_text(binding.value.value) if isinstance(binding.value, Const) else describe(binding.value)

    return re.sub(r"\{(\w+)\}", value_of, message.value)


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
    before, labels = dict(scope.names), dict(scope.labels)

    def branch(statements: Sequence[tree.Stmt]) -> tuple[dict[str, Any], dict[str, Span]]:
        scope.names, scope.labels = dict(before), dict(labels)
        run(e, scope, statements, nested=True)
        return scope.names, scope.labels

    scope.names, scope.labels = branches(
        e, taken, chosen.by_mode, lambda: branch(stmt.then), lambda: branch(stmt.orelse)
    )
    everywhere = {ident.text for ident in defined(stmt)}
    for ident in _names(stmt.then if taken else stmt.orelse):
        if ident.text not in everywhere and ident.text not in before:
            scope.names.pop(ident.text, None)
            scope.partial[ident.text] = ident.span


def _names(statements: Sequence[tree.Stmt]) -> list[tree.Ident]:
    return [ident for statement in statements for ident in defined(statement)]


_RULES: Mapping[type, Callable[[Context, Scope, Any], None]] = {
    tree.AssignStmt: _assign,
    tree.OutputStmt: _output,
    tree.ParamStmt: parameter,
    tree.LayerStmt: layer,
    tree.LetStmt: _let,
    tree.RequireStmt: _require,
    tree.IfStmt: _if,
}
