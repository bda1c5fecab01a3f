"""Calls as they are written: what is called, with which arguments -> the value of applying it.

Functions are `calls`' business, layers `layers`'; here it is decided which of them a call means.
"""

from __future__ import annotations

from collections.abc import Sequence

from dslc.check.calls import call_function, is_function
from dslc.check.hypers import make_layer
from dslc.check.layers import call_instance, call_layer, call_scanned
from dslc.check.names import definition, lookup, module_definition, unknown_function, unknown_layer
from dslc.check.scans import make_scan
from dslc.check.scope import Argument, CallSite, Context, Scope
from dslc.check.values import FAILED, Failed, FunctionRef, Instance, LayerRef, LocalFunction, Scanned, Value, describe
from dslc.diagnostics import Label
from dslc.syntax import tree


def call(e: Context, scope: Scope, expr: tree.Call) -> Value:
    callee = callee_of(e, scope, expr)
    if isinstance(callee, LayerRef | Scanned) and callee.span is expr.span:
        return callee
    return apply(e, scope, callee, arguments(e, scope, expr.args), CallSite(expr.callee.span, expr.span))


def arguments(e: Context, scope: Scope, args: Sequence[tree.Arg]) -> list[Argument]:
    """Arguments evaluated in order."""
    return [Argument(arg.name, e.evaluate(e, scope, arg.value), arg.value.span) for arg in args]


def callee_of(e: Context, scope: Scope, expr: tree.Call) -> Value:
    """What a call calls. Calling a definition makes a layer, so that the value is a `LayerRef` with this call's span."""
    if isinstance(expr.callee, tree.Attribute) and (made := module_definition(scope, expr.callee)) is not None:
        return make_layer(e, *made, arguments(e, scope, expr.args), CallSite(expr.callee.span, expr.span))
    if not isinstance(expr.callee, tree.Name):
        return e.evaluate(e, scope, expr.callee)
    name, span = expr.callee.id, expr.callee.span
    if name in scope.names:
        return lookup(e, scope, name, span)
    if name == "scan":
        return make_scan(e, arguments(e, scope, expr.args), CallSite(span, expr.span))
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
    if isinstance(callee, Scanned):
        return call_scanned(e, callee, args, site)
    if isinstance(callee, LayerRef):
        return call_layer(e, scope, callee, args, site, label)
    if isinstance(callee, Instance):
        return call_instance(e, callee, args, site)
    if isinstance(callee, LocalFunction):
        return callee.call(args, site)
    if isinstance(callee, Failed):
        return FAILED
    hiding = _hiding(scope, callee)
    return e.report("DL1016", f"{describe(callee)} cannot be called", site.callee, "not a function or a layer", *hiding)


def _hiding(scope: Scope, value: Value) -> list[Label]:
    """Where a value got the name of a function, which is then no longer to be had."""
    return [
        Label(binding.span, f"`{name}` is this value from here on, and no function")
        for name, binding in scope.names.items()
        if binding.value is value and is_function(name)
    ]
