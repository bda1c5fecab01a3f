"""Expressions: a syntax tree and a scope -> a value. Compile-time values are folded, tensors become values of the body.

Reports what has no meaning and then gives `FAILED`, which silences everything that uses it. Operators that do not fit are
`operators`' messages; calls, members and pipes have their own modules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dslc.check import constants
from dslc.check.applying import call
from dslc.check.binary import binary
from dslc.check.members import attribute, index
from dslc.check.names import lookup
from dslc.check.operators import Operand, apply_op, as_tensor
from dslc.check.pipes import pipe
from dslc.check.scope import BRANCH_DEPTH, EXPRESSION_DEPTH, MAX_DEPTH, Context, Scope
from dslc.check.typed import TypedValue
from dslc.check.unrolling import spend
from dslc.check.values import FAILED, Const, Failed, ListValue, RecordValue, Value, describe, is_none
from dslc.diagnostics import Help
from dslc.ops import OPS
from dslc.ops.opdef import OpError
from dslc.syntax import tree
from dslc.tensor_type import SizeError

_BINARY = {opdef.symbol: name for name, opdef in OPS.items() if opdef.symbol and len(opdef.operands) == 2}
_UNARY = {opdef.symbol: name for name, opdef in OPS.items() if opdef.symbol and len(opdef.operands) == 1}


def evaluate(e: Context, scope: Scope, expr: tree.Expr) -> Value:
    """The value of an expression."""
    if not spend(e):
        return FAILED
    if e.depth >= MAX_DEPTH:
        return e.report("DL1091", "expressions and blocks are nested too deeply", expr.span, "too deep")
    e.depth += EXPRESSION_DEPTH
    try:
        return _RULES[type(expr)](e, scope, expr)
    except SizeError as error:
        return e.report("DL0072", str(error), expr.span, "too long to work with")
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
    if taken:
        chosen = then()
        with e.throwing_away():
            orelse()
        return chosen
    with e.throwing_away():
        then()
    return orelse()


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
    if expr.op in ("==", "!=") and (is_none(left) or is_none(right)):  # a tensor is there, or is left out
        return Const(expr.op == "!=")
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
    tree.Attribute: attribute,
    tree.Index: index,
    tree.Call: call,
    tree.IfExpr: _if,
    tree.Pipe: pipe,
}
