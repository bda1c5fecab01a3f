"""Values get names: ``h = expr``, ``h: f32[B, 8] = expr``, ``a, b = split(...)``, ``output y: f32[B] = expr``.

Input: a statement and a scope. Output: bindings, values with the user's names, reports of types that do not fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

from dslc.check.claims import claimed, may_equal
from dslc.check.expressions import evaluate
from dslc.check.files import defined_twice
from dslc.check.keeping import keyword_missing
from dslc.check.labels import check_labels
from dslc.check.last_states import last_states_help
from dslc.check.operators import as_tensor, literal_tensor
from dslc.check.parameters import new_name
from dslc.check.scope import Context, Scope, Statement, origin_notes
from dslc.check.typed import Origin, TypedValue
from dslc.check.types import Written, written_type
from dslc.check.values import FAILED, Failed, FunctionRef, LayerRef, ListValue, Scanned, Value, describe, literal
from dslc.diagnostics import Edit, Help, Label, Note
from dslc.record import replace
from dslc.source import Span
from dslc.syntax import tree
from dslc.tensor_type import TensorType, symbols


def assignment(e: Context, scope: Scope, stmt: tree.AssignStmt) -> None:
    if len(stmt.targets) != 1:
        _unpack(e, scope, stmt)
        return
    (target,) = stmt.targets
    value = statement_value(e, scope, target.text, stmt.value, stmt.span)
    if keyword_missing(e, scope, target):
        return
    if stmt.type is not None:
        value = checked(e, scope, stmt.type, value, target, stmt.value, stmt.type.span)
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
        value = checked(e, scope, output.type, value, target, expr, output.type.span)
    if isinstance(value, LayerRef | FunctionRef | Scanned):
        value = _not_applied(e, target, value, expr)
    if not new_name(e, scope, target, value=True):
        return
    if isinstance(value, TypedValue):
        value = named(e, scope, scope.key(name), value)
        e.publish(scope.key(name), value)
    scope.define(name, value, target.span, "failed" if isinstance(value, Failed) else "value")


def named(e: Context, scope: Scope, name: str, value: TypedValue) -> TypedValue:
    """The value with the user's name for it, if it was made in this statement and nothing has read it.

    An inner name (`fc.y`) gives way to the outer one; what reads the value by the inner name gets the renamed value.
    """
    values, read = scope.start
    made = range(len(e.body.values) - 1, values - 1, -1)
    place = next((i for i in made if e.body.values[i] is value or _reads(e.body.values[i], value)), None)
    if place is None or e.body.values[place] is not value or value.op in ("param", "input"):
        return value
    renamed = replace(value, name=name)
    e.body.values[place] = renamed
    for key in islice(reversed(e.readable), len(e.readable) - read):
        if e.readable[key] is value:
            e.publish(key, renamed)
    return renamed


def _reads(reader: TypedValue, value: TypedValue) -> bool:
    return any(operand is value for operand in reader.inputs)


def _not_applied(e: Context, target: tree.Ident, value: LayerRef | FunctionRef | Scanned, expr: tree.Expr) -> Failed:
    if isinstance(value, LayerRef | Scanned):
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
        e.report("DL2018", text, stmt.value.span, "one value", footers=last_states_help(scope, stmt.value))
    if stmt.type is not None:
        e.report("DL1019", "a type is given to one name at a time", stmt.type.span, "not allowed here")
    for target, item in zip(stmt.targets, items, strict=True):
        assign(e, scope, target, item, stmt.value)


def checked(
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
    if value.type != wanted.type and may_equal(value.type, wanted.type):
        text = f"`{target.text}` is declared {wanted.type}, but its value is {value.type}"
        place = Label(declared, f"declared {wanted.type} here")
        return claimed(e, value, wanted.type.shape, wanted.origins, text, expr.span, place)
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


def _reshape_help(have: TensorType, want: TensorType) -> list[Help]:
    """A mend where two types differ in a way that one stage takes away."""
    if have.dtype is not want.dtype:
        return [Help(f"convert it: `cast(..., {want.dtype.value})`")] if have.shape == want.shape else []
    if have.shape == (*want.shape, 1):
        return [Help("take out the last axis: `|> squeeze(axis = -1)`")]
    if have.rank > want.rank == 2 and (have.shape[0], have.shape[-1]) == want.shape:
        if any(symbols(size) for size in have.shape[1:-1]):
            text = "every step has its own: take `mean(axis = 1)` over them, or of a recurrent layer the last one,"
            return [Help(f"{text} `return_sequences = false`")]
        return [Help("`Dense` works on the last axis and keeps the others; join them before it: `|> flatten`")]
    return []


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
    footers += _reshape_help(have, want)
    return e.report(
        "DL2005",
        f"`{target.text}` is declared {want}, but its value is {have}",
        expr.span,
        label,
        Label(declared, f"declared {want} here"),
        footers=footers,
    )


def output(e: Context, scope: Scope, stmt: tree.OutputStmt) -> None:
    first = scope.declared.setdefault(stmt.name.text, stmt)
    if first is not stmt:
        defined_twice(e.sink, stmt.name, first.name.span, "output")
        return
    if stmt.value is not None:
        value = statement_value(e, scope, stmt.name.text, stmt.value, stmt.span)
        assign(e, scope, stmt.name, value, stmt.value)
