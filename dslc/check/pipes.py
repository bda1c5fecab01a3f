"""Pipes: a value goes through stages, each a function, a layer or a `repeat`.

Input: the syntax tree of a pipe and a scope. Output: the value of its last stage; labels name the layers on the way.
"""

from __future__ import annotations

from dslc.check.applying import apply, arguments, callee_of
from dslc.check.calls import is_function
from dslc.check.labels import check_labels
from dslc.check.layers import elements
from dslc.check.names import definition, needs_call, unknown_function, unknown_layer
from dslc.check.scope import Argument, CallSite, Context, Made, Scope, Statement
from dslc.check.typed import TypedValue
from dslc.check.unrolling import can_go_on, spend, unrolling
from dslc.check.values import FAILED, Const, Failed, LayerRef, ListValue, Scanned, Value, describe
from dslc.diagnostics import Help
from dslc.syntax import tree


def pipe(e: Context, scope: Scope, expr: tree.Pipe) -> Value:
    value, span = e.evaluate(e, scope, expr.head), expr.head.span
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
        e.publish(scope.key(label.text), value)
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
        return e.evaluate(e, scope, body), [], site
    callee = callee_of(e, scope, body)
    site = CallSite(body.callee.span, body.span)
    made_here = isinstance(callee, LayerRef | Scanned) and callee.span is body.span
    return callee, [] if made_here else arguments(e, scope, body.args), site


def _repeat(e: Context, scope: Scope, stage: tree.Stage, repeat: tree.Repeat, piped: Argument) -> Value:
    """Unroll ``label: repeat(n) as i { stages }``; a layer inside has the path ``label.i`` and then its own label."""
    count = e.evaluate(e, scope, repeat.count)
    if isinstance(count, Failed):
        return FAILED
    times = count.value if isinstance(count, Const) else None
    if not isinstance(times, int) or isinstance(times, bool) or times < 0:
        text = f"`repeat` needs a whole number of times, not {describe(count)}"
        footers = (
            [Help("the turn picks from a list: `repeat(2) as i { Dense(sizes[i]) }`")]
            if isinstance(count, ListValue)
            else []
        )
        return e.report("DL2004", text, repeat.count.span, "must be a whole number, 0 or more", footers=footers)
    outer = scope.statement
    name = stage.label.text if stage.label is not None else (outer.name if outer is not None else "")
    before = len(e.keys)
    with unrolling(e, stage.span):
        value = _turns(e, scope, repeat, name, times, piped)
    if len(e.keys) > before and outer is not None:
        outer.layers.append(Made(stage.span, "repeat", stage.label is not None, elements(e, before)))
    return value


def _turns(e: Context, scope: Scope, repeat: tree.Repeat, name: str, times: int, piped: Argument) -> Value:
    value, spent = piped.value, e.unrolled
    for turn in range(times):
        if turn == 1 and not can_go_on(e, e.unrolled - spent, times - 1, repeat.span):
            return FAILED
        value = _turn(e, scope, repeat, f"{name}.{turn}", turn, Argument(None, value, piped.span, piped=True))
        if isinstance(value, Failed):  # so it would be in all later turns
            return FAILED
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
        if not spend(e):
            return FAILED
        value = _stage(e, inner, stage, Argument(None, value, span, piped=True))
        span = stage.span
    assert inner.statement is not None
    check_labels(e, inner.statement, alone=True)
    return value
