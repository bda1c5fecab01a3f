"""Expressions: a syntax tree and a scope -> a value. Compile-time values are folded, tensors become values of the body.

Reports what has no meaning and then gives `FAILED`, which silences everything that uses it. Operators that do not fit are
`operators`' messages, calls are `calls`' and `layers`'.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dslc.check import constants
from dslc.check.calls import call_function, is_function
from dslc.check.indexing import index_tensor
from dslc.check.labels import check_labels
from dslc.check.layers import call_instance, call_layer, elements, make_layer, read, unknown_name
from dslc.check.names import definition, lookup, needs_call, unknown_function, unknown_layer
from dslc.check.operators import Operand, apply_op, as_tensor, binary
from dslc.check.scope import (
    BRANCH_DEPTH,
    EXPRESSION_DEPTH,
    MAX_DEPTH,
    Argument,
    CallSite,
    Context,
    Made,
    Scope,
    Statement,
)
from dslc.check.typed import TypedValue
from dslc.check.values import (
    FAILED,
    Const,
    Failed,
    FunctionRef,
    Instance,
    LayerRef,
    ListValue,
    Namespace,
    RecordValue,
    Value,
    describe,
)  # fmt: skip
from dslc.diagnostics import Edit, Help, Note
from dslc.ops import OPS
from dslc.ops.opdef import OpError
from dslc.source import Span
from dslc.syntax import tree

#: Functions of the language that this version does not serve.
LATER = frozenset({"scan", "einsum", "rearrange"})
_BINARY = {opdef.symbol: name for name, opdef in OPS.items() if opdef.symbol and len(opdef.operands) == 2}
_UNARY = {opdef.symbol: name for name, opdef in OPS.items() if opdef.symbol and len(opdef.operands) == 1}


def evaluate(e: Context, scope: Scope, expr: tree.Expr) -> Value:
    """The value of an expression."""
    if e.depth >= MAX_DEPTH:
        return e.report("DL1091", "expressions and blocks are nested too deeply", expr.span, "too deep")
    e.depth += EXPRESSION_DEPTH
    try:
        return _RULES[type(expr)](e, scope, expr)
    finally:
        e.depth -= EXPRESSION_DEPTH


def condition(e: Context, scope: Scope, expr: tree.Expr) -> Const | None:
    """The value of a compile-time condition, true or false; None after a report."""
    value = evaluate(e, scope, expr)
    if isinstance(value, Failed):
        return None
    if isinstance(value, Const) and isinstance(value.value, bool):
        return value
    if isinstance(value, TypedValue):
        footers = [Help("`where(c, a, b)` chooses per element at run time")]
        label = f"{value.type}, known at run time only"
        e.report("DL2014", "a condition of `if` is decided at compile time", expr.span, label, footers=footers)
        return None
    e.report("DL2004", f"a condition is true or false, not {describe(value)}", expr.span, "not a condition")
    return None


def branches(e: Context, taken: bool, by_mode: bool, then: Callable[[], Any], orelse: Callable[[], Any]) -> Any:
    """Elaborate the branch taken; where the mode decides, both, and keep only the parameters of the other.

    The order is that of the text, so that parameters come in the same order in both modes.
    """
    e.depth += BRANCH_DEPTH
    try:
        if by_mode:
            return _both(e, taken, then, orelse)
        return then() if taken else orelse()
    finally:
        e.depth -= BRANCH_DEPTH


def _both(e: Context, taken: bool, then: Callable[[], Any], orelse: Callable[[], Any]) -> Any:
    results: list[Any] = []
    for chosen, branch in ((taken, then), (not taken, orelse)):
        start = len(e.body.values)
        results.append(branch())
        if not chosen:
            e.body.values[start:] = [value for value in e.body.values[start:] if value.op in ("param", "input")]
    return results[0] if taken else results[1]


# ---------------------------------------------------------------------------------------------- atoms


def _scalar(_: Context, __: Scope, expr: tree.Number | tree.String | tree.Constant) -> Value:
    return Const(expr.value)


def _quantity(e: Context, _: Scope, expr: tree.Quantity) -> Value:
    text = f"`{expr.unit.text}` is not a unit that means something here"
    return e.report("DL2004", text, expr.unit.span, "no unit is expected", footers=[Help("write the number alone")])


def _name(e: Context, scope: Scope, expr: tree.Name) -> Value:
    return lookup(e, scope, expr.id, expr.span)


def _list(e: Context, scope: Scope, expr: tree.List) -> Value:
    items = tuple(evaluate(e, scope, item) for item in expr.items)
    return FAILED if any(isinstance(item, Failed) for item in items) else ListValue(items, expr.span)


def _record(e: Context, scope: Scope, expr: tree.Record) -> Value:
    items: dict[str, Value] = {}
    for entry in expr.entries:
        if entry.key.text in items:
            e.report("DL1006", f"the key `{entry.key.text}` is given twice", entry.key.span, "given again")
        items[entry.key.text] = evaluate(e, scope, entry.value)
    return RecordValue(items, expr.span)


# ---------------------------------------------------------------------------------------------- operators


def _unary(e: Context, scope: Scope, expr: tree.Unary) -> Value:
    value = evaluate(e, scope, expr.operand)
    if isinstance(value, Const):
        try:
            rule = constants.negate if expr.op == "-" else constants.invert
            return Const(rule(value.value), by_mode=value.by_mode)
        except constants.FoldError as error:
            return e.report(error.code, str(error), expr.span)
    tensor = as_tensor(e, value, None, expr.operand.span)
    if isinstance(tensor, Failed):
        return FAILED
    try:
        return apply_op(e, expr.span, _UNARY[expr.op], (tensor,), {})
    except OpError as error:
        return e.report(error.code, str(error), expr.span, str(tensor.type))


def _binary(e: Context, scope: Scope, expr: tree.Binary) -> Value:
    """Left-deep chains are walked in a loop: a sum may have many terms."""
    chain: list[tree.Binary] = []
    node: tree.Expr = expr
    while isinstance(node, tree.Binary):
        chain.append(node)
        node = node.left
    value = evaluate(e, scope, node)
    for step in reversed(chain):
        value = _combine(e, scope, step, value)
    return value


def _combine(e: Context, scope: Scope, expr: tree.Binary, left: Value) -> Value:
    if (
        isinstance(left, Const)
        and isinstance(left.value, bool)
        and expr.op in ("and", "or")
        and left.value == (expr.op == "or")
    ):
        return left
    right = evaluate(e, scope, expr.right)
    if isinstance(left, Failed) or isinstance(right, Failed):
        return FAILED
    if isinstance(left, Const) and isinstance(right, Const):
        try:
            return Const(constants.fold(expr.op, left.value, right.value), by_mode=left.by_mode or right.by_mode)
        except constants.FoldError as error:
            return e.report(
                error.code, str(error), expr.span, "known only at run time" if error.code == "DL2014" else ""
            )
        except constants.NotConstantError:
            pass
    a, b = Operand(left, expr.left.span), Operand(right, expr.right.span)
    return binary(e, _BINARY[expr.op], expr.op, a, b, expr.op_span, expr.span)


def _if(e: Context, scope: Scope, expr: tree.IfExpr) -> Value:
    chosen = condition(e, scope, expr.cond)
    if chosen is None:
        return FAILED
    return branches(
        e,
        chosen.value is True,
        chosen.by_mode,
        lambda: evaluate(e, scope, expr.then),
        lambda: evaluate(e, scope, expr.orelse),
    )


# ---------------------------------------------------------------------------------------------- members


def _attribute(e: Context, scope: Scope, expr: tree.Attribute) -> Value:
    value = evaluate(e, scope, expr.value)
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
    if isinstance(value, TypedValue) and name == "shape":
        footers.append(Help("a function tells it:", (Edit(expr.span, f"shape({expr.value.span.text})"),)))
    elif isinstance(value, TypedValue) and is_function(name):
        footers.append(Help("it is a function:", (Edit(expr.span, f"{name}({expr.value.span.text})"),)))
    return e.report(
        "DL1005", f"{describe(value)} has nothing named `{name}`", expr.name.span, "not found", footers=footers
    )


def member(e: Context, value: Namespace, name: str, span: Span) -> Value:
    """A name read from a group of names."""
    if name not in value.names and value.names:
        return unknown_name(e, value.title, name, value.names, span)
    return value.read(name, span)


def _index(e: Context, scope: Scope, expr: tree.Index) -> Value:
    value = evaluate(e, scope, expr.value)
    if isinstance(value, Failed):
        return FAILED
    if isinstance(value, TypedValue):
        parts = [_index_part(e, scope, item) for item in expr.items]
        return index_tensor(e, value, parts, expr)
    keys = [evaluate(e, scope, item) for item in expr.items if not isinstance(item, tree.Slice | tree.Ellipsis_)]
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
        return tuple(Const(None) if part is None else evaluate(e, scope, part) for part in parts)
    return evaluate(e, scope, item)


# ---------------------------------------------------------------------------------------------- calls


def _call(e: Context, scope: Scope, expr: tree.Call) -> Value:
    callee = _callee(e, scope, expr)
    if isinstance(callee, LayerRef) and callee.span is expr.span:
        return callee
    return apply(e, scope, callee, arguments(e, scope, expr.args), CallSite(expr.callee.span, expr.span))


def arguments(e: Context, scope: Scope, args: Sequence[tree.Arg]) -> list[Argument]:
    """Arguments evaluated in order."""
    return [Argument(arg.name, evaluate(e, scope, arg.value), arg.value.span) for arg in args]


def _callee(e: Context, scope: Scope, expr: tree.Call) -> Value:
    """What a call calls. Calling a definition makes a layer, so that the value is a `LayerRef` with this call's span."""
    if not isinstance(expr.callee, tree.Name):
        return evaluate(e, scope, expr.callee)
    name, span = expr.callee.id, expr.callee.span
    if name in scope.names:
        return lookup(e, scope, name, span)
    if name in LATER:
        return e.report("DL1090", f"`{name}` is not supported by this version yet", span, "not supported yet")
    made = definition(scope, name)
    if made is not None:
        return make_layer(e, *made, arguments(e, scope, expr.args), CallSite(span, expr.span))
    if is_function(name):
        return FunctionRef(name)
    if name[:1].isupper():
        return unknown_layer(e, scope, name, span)
    return unknown_function(e, scope, name, span)


def apply(
    e: Context,
    scope: Scope,
    callee: Value,
    args: Sequence[Argument],
    site: CallSite,
    label: tree.Ident | None = None,
) -> Value:
    """Apply a function, a layer being made, or an instance to arguments."""
    if isinstance(callee, FunctionRef):
        return call_function(e, scope, callee, args, site)
    if isinstance(callee, LayerRef):
        return call_layer(e, scope, callee, args, site, label)
    if isinstance(callee, Instance):
        return call_instance(e, callee, args, site)
    if isinstance(callee, Failed):
        return FAILED
    return e.report("DL1016", f"{describe(callee)} cannot be called", site.callee, "not a function or a layer")


# ---------------------------------------------------------------------------------------------- pipes


def _pipe(e: Context, scope: Scope, expr: tree.Pipe) -> Value:
    value, span = evaluate(e, scope, expr.head), expr.head.span
    for stage in expr.stages:
        value = _stage(e, scope, stage, Argument(None, value, span, piped=True))
        span = stage.span
    return value


def _stage(e: Context, scope: Scope, stage: tree.Stage, piped: Argument) -> Value:
    body, label = stage.body, stage.label
    if isinstance(body, tree.Repeat):
        return _repeat(e, scope, stage, body, piped)
    callee, args, site = _stage_callee(e, scope, body)
    value = apply(e, scope, callee, [piped, *args], site, label)
    if label is not None and isinstance(value, TypedValue) and not isinstance(callee, LayerRef):
        e.readable[scope.key(label.text)] = value
    return value


def _stage_callee(e: Context, scope: Scope, body: tree.Expr) -> tuple[Value, list[Argument], CallSite]:
    """What a stage applies, its arguments beside the piped one, and its place."""
    site = CallSite(body.span, body.span)
    if isinstance(body, tree.Name) and body.id not in scope.names:
        made = definition(scope, body.id)
        if made is not None:
            return needs_call(e, made[1], body.span), [], site
        if body.id[:1].isupper():
            return unknown_layer(e, scope, body.id, body.span), [], site
        if body.id not in scope.later and not is_function(body.id):
            return unknown_function(e, scope, body.id, body.span), [], site
    if not isinstance(body, tree.Call):
        return evaluate(e, scope, body), [], site
    callee = _callee(e, scope, body)
    site = CallSite(body.callee.span, body.span)
    made_here = isinstance(callee, LayerRef) and callee.span is body.span
    return callee, [] if made_here else arguments(e, scope, body.args), site


def _repeat(e: Context, scope: Scope, stage: tree.Stage, repeat: tree.Repeat, piped: Argument) -> Value:
    """Unroll ``label: repeat(n) as i { stages }``; a layer inside has the path ``label.i`` and then its own label."""
    count = evaluate(e, scope, repeat.count)
    if isinstance(count, Failed):
        return FAILED
    times = count.value if isinstance(count, Const) else None
    if not isinstance(times, int) or isinstance(times, bool) or times < 0:
        text = f"`repeat` needs a whole number of times, not {describe(count)}"
        return e.report("DL2004", text, repeat.count.span, "must be a whole number, 0 or more")
    outer = scope.statement
    name = stage.label.text if stage.label is not None else (outer.name if outer is not None else "")
    before = len(e.keys)
    value = piped.value
    for turn in range(times):
        value = _turn(e, scope, repeat, f"{name}.{turn}", turn, Argument(None, value, piped.span, piped=True))
    if len(e.keys) > before and outer is not None:
        outer.layers.append(Made(stage.span, "repeat", stage.label is not None, elements(e, before)))
    return value


def _turn(e: Context, scope: Scope, repeat: tree.Repeat, path: str, turn: int, piped: Argument) -> Value:
    inner = Scope(
        scope.file, scope.definition, scope.key(path), f"{scope.site}/{path}", scope.instance, dict(scope.names),
        scope.dtypes, scope.leading, Statement("", repeat.span), scope.later
    )  # fmt: skip
    if repeat.var is not None:
        inner.define(repeat.var.text, Const(turn), repeat.var.span, "let")
    value, span = piped.value, piped.span
    for stage in repeat.stages:
        value = _stage(e, inner, stage, Argument(None, value, span, piped=True))
        span = stage.span
    assert inner.statement is not None
    check_labels(e, inner.statement, alone=True)
    return value


_RULES: Mapping[type, Callable[[Context, Scope, Any], Value]] = {
    tree.Number: _scalar,
    tree.String: _scalar,
    tree.Constant: _scalar,
    tree.Quantity: _quantity,
    tree.Name: _name,
    tree.List: _list,
    tree.Record: _record,
    tree.Unary: _unary,
    tree.Binary: _binary,
    tree.Attribute: _attribute,
    tree.Index: _index,
    tree.Call: _call,
    tree.IfExpr: _if,
    tree.Pipe: _pipe,
}
