"""Blocks and models applied: hyper-parameters, dimensions and inputs are bound, the body is elaborated, outputs are collected.

Input: an instance and its operands. Output: the value of its outputs. The same text is elaborated at each call, so that
sizes are those of that call.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext

from dslc.check.bodies import bind_hypers, block_dims, in_order, layer_info, layer_path, open_scope, outputs
from dslc.check.layers import inner_values
from dslc.check.parameters import new_name
from dslc.check.recurrence import not_scanned, run_cell
from dslc.check.scope import BLOCK_DEPTH, Argument, Call, CallSite, Context, Scope
from dslc.check.size_first import size_first
from dslc.check.statements import run
from dslc.check.typed import LayerRun
from dslc.check.types import bind_inputs, declare_inputs, never_bound
from dslc.check.unrolling import unrolling
from dslc.check.values import FAILED, Const, Failed, Instance, LayerRef, Value
from dslc.diagnostics import Help, Label
from dslc.syntax import tree
from dslc.tensor_type import symbol


def elaborate(e: Context, instance: Instance, args: Sequence[Argument] | None, site: CallSite) -> Value:
    """The value of an instance applied to operands, or (None) to what its `lookup` gives."""
    ref = instance.ref
    if _written_inside_itself(e, ref):
        return _contains_itself(e, ref, site)
    if ref.definition.kind == "cell" and ref.scan is None:
        return not_scanned(e, ref, instance)
    inputs = [stmt for stmt in ref.definition.body if isinstance(stmt, tree.InputStmt)]
    first = instance.results is None and (instance.lookup is None or args is None)
    if args is None:
        args = _looked_up(instance, inputs, site)
    values = in_order(e, ref, inputs, args, site)
    if values is None or any(isinstance(arg.value, Failed) for arg in values):
        instance.results = FAILED if first else instance.results
        return FAILED
    scope = open_scope(instance)
    sized = size_first(e, ref, values)
    e.calls.append(Call(ref.definition, ref.home.library, site.span, sized.help if sized is not None else None))
    e.depth += BLOCK_DEPTH
    start, keys = len(e.body.values), len(e.keys)
    try:
        # The statements of a model that stands alone are in the text once.
        alone = ref.definition.kind == "model" and len(e.calls) == 1
        with nullcontext() if alone else unrolling(e, site.span):
            value = (_apply if ref.scan is None else run_cell)(e, scope, inputs, values)
    finally:
        e.depth -= BLOCK_DEPTH
        e.calls.pop()
    if sized is not None and sized.likely and not isinstance(value, Failed):
        sized.warn(e)
    e.body.runs.append(LayerRun(layer_path(e, instance, keys), start, len(e.body.values)))
    if first:
        instance.results = value
        if instance.lookup is not None:
            instance.values = inner_values(e, instance.path)
    return value


def elaborate_alone(e: Context, instance: Instance) -> Scope:
    """Elaborate a model with its own inputs: dimensions are run-time sizes. The scope holds its names."""
    definition = instance.ref.definition
    scope = open_scope(instance)
    if bind_hypers(e, scope, instance.ref):
        for ident in block_dims(e, scope):
            scope.define(ident.text, Const(symbol(ident.text)), ident.span, "dim")
        declare_inputs(e, scope, _inputs(e, scope))
        run(e, scope, definition.body)
        instance.results = outputs(e, scope)
    return scope


def _inputs(e: Context, scope: Scope) -> list[tree.InputStmt]:
    """The inputs with names that are free."""
    body = scope.definition.body if scope.definition is not None else ()
    found: list[tree.InputStmt] = []
    for stmt in body:
        if not isinstance(stmt, tree.InputStmt):
            continue
        if new_name(e, scope, stmt.name, value=True):
            found.append(stmt)
        else:
            scope.define(stmt.name.text, FAILED, stmt.name.span, "failed")
    return found


def _looked_up(instance: Instance, inputs: Sequence[tree.InputStmt], site: CallSite) -> list[Argument]:
    assert instance.lookup is not None
    return [Argument(None, instance.lookup(stmt.name.text, stmt, site.span), site.span) for stmt in inputs]


def _apply(e: Context, scope: Scope, inputs: Sequence[tree.InputStmt], args: Sequence[Argument]) -> Value:
    instance, definition = scope.instance, scope.definition
    assert instance is not None
    assert definition is not None
    if not bind_hypers(e, scope, instance.ref):
        return FAILED
    scope.unbound = {ident.text for ident in block_dims(e, scope)}
    if not bind_inputs(e, scope, inputs, args):
        return FAILED
    for name in sorted(scope.unbound):
        never_bound(e, scope, name)
    place = len(e.body.layers)
    before = len(e.keys)
    run(e, scope, definition.body)
    value = outputs(e, scope)
    if scope.site == instance.site:
        e.body.layers.insert(place, layer_info(e, instance, args, value, before))
    return value


def _written_inside_itself(e: Context, ref: LayerRef) -> bool:
    """Whether a layer is made in the text of its own definition, or of one that it applies: that would never end.

    One that a hyper-parameter hands in, as in ``Residual(Residual(Dense(8)))``, is written outside.
    """
    depths = [depth for depth, call in enumerate(e.calls) if call.definition is ref.definition]
    return bool(depths) and any(ref.span.within(call.definition.span) for call in e.calls[depths[0] :])


def _contains_itself(e: Context, ref: LayerRef, site: CallSite) -> Failed:
    name = ref.definition.name.text
    return e.report(
        "DL1031",
        f"`{name}` contains itself",
        site.span,
        f"inside `{name}`",
        Label(ref.definition.name.span, "defined here"),
        footers=[Help("for a fixed number of layers write `repeat(n) { ... }`")],
    )
