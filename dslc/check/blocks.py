"""Blocks and models applied: hyper-parameters, dimensions and inputs are bound, the body is elaborated, outputs are collected.

Input: an instance and its operands. Output: the value of its outputs. The same text is elaborated at each call, so that
sizes are those of that call.
"""

from __future__ import annotations

from collections.abc import Sequence

from dslc.check.expressions import evaluate
from dslc.check.layers import given, inner_values, kind_text, signature
from dslc.check.operators import as_tensor
from dslc.check.parameters import new_name
from dslc.check.scope import BLOCK_DEPTH, Argument, Call, CallSite, Context, Scope
from dslc.check.statements import run
from dslc.check.typed import LayerInfo, TypedValue
from dslc.check.types import bind_inputs, declare_inputs, never_bound
from dslc.check.values import FAILED, Const, Failed, Instance, LayerRef, ListValue, Value
from dslc.check.walk import definers
from dslc.diagnostics import Help, Label, Note
from dslc.syntax import tree
from dslc.tensor_type import symbol


def elaborate(e: Context, instance: Instance, args: Sequence[Argument] | None, site: CallSite) -> Value:
    """The value of an instance applied to operands, or (None) to what its `lookup` gives."""
    ref = instance.ref
    if any(call.definition is ref.definition for call in e.calls):
        return _contains_itself(e, ref, site)
    inputs = [stmt for stmt in ref.definition.body if isinstance(stmt, tree.InputStmt)]
    if args is None:
        args = _looked_up(instance, inputs, site)
    values = _in_order(e, ref, inputs, args, site)
    if values is None or any(isinstance(arg.value, Failed) for arg in values):
        instance.results = FAILED
        return FAILED
    scope = open_scope(instance)
    e.calls.append(Call(ref.definition, ref.home.library, site.span))
    e.depth += BLOCK_DEPTH
    try:
        value = _apply(e, scope, inputs, values)
    finally:
        e.depth -= BLOCK_DEPTH
        e.calls.pop()
    if instance.results is None:
        instance.results = value
        if instance.lookup is not None:
            instance.values = inner_values(e, instance.path)
    return value


def open_scope(instance: Instance) -> Scope:
    """A fresh scope for one call of an instance."""
    site = f"{instance.site}@{instance.calls}" if instance.calls else instance.site
    instance.calls += 1
    definition = instance.ref.definition
    instance.ref.home.elaborated.add(definition.name.text)
    scope = Scope(instance.ref.home, definition, instance.path, site, instance)
    scope.later = definers(definition.body)
    for stmt in definition.body:
        if isinstance(stmt, tree.OutputStmt):
            scope.declared.setdefault(stmt.name.text, stmt)
    return scope


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


def _in_order(
    e: Context, ref: LayerRef, inputs: Sequence[tree.InputStmt], args: Sequence[Argument], site: CallSite
) -> list[Argument] | None:
    """Operands in the order of the inputs; they may be given by name."""
    names = [stmt.name.text for stmt in inputs]
    found: dict[str, Argument] = {}
    for position, arg in enumerate(args):
        name = arg.name.text if arg.name is not None else names[position] if position < len(names) else ""
        if name not in names or name in found:
            return _wrong_operands(e, ref, inputs, args, site)
        found[name] = arg
    if len(found) < len(names):
        return _wrong_operands(e, ref, inputs, args, site)
    return [found[name] for name in names]


def _wrong_operands(
    e: Context, ref: LayerRef, inputs: Sequence[tree.InputStmt], args: Sequence[Argument], site: CallSite
) -> None:
    wanted = ", ".join(stmt.name.text for stmt in inputs)
    many = f"{len(inputs)} input{'s' * (len(inputs) != 1)} ({wanted})"
    e.report(
        "DL1013" if len(args) < len(inputs) else "DL1014",
        f"`{ref.definition.name.text}` takes {many}, got {len(args)}",
        site.span,
        f"got {len(args)}",
        footers=[Note("hyper-parameters are given when the layer is made, tensors when it is applied")],
    )


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
        e.body.layers.insert(place, _info(e, instance, args, value, before))
    return value


def _info(e: Context, instance: Instance, args: Sequence[Argument], value: Value, before: int) -> LayerInfo:
    own = tuple(key for key in e.keys[before:] if key.rpartition(".")[0] == instance.path)
    first = args[0].value if args else None
    named = instance.labelled or len(e.keys) > before
    return LayerInfo(
        instance.path if named else f"{instance.path}.{instance.ref.definition.name.text}",
        kind_text(instance.ref),
        first.type if isinstance(first, TypedValue) else None,
        value.type if isinstance(value, TypedValue) else None,
        own,
        instance.span,
    )


def bind_hypers(e: Context, scope: Scope, ref: LayerRef) -> bool:
    """Define the hyper-parameters: those given, and defaults, which may use the ones before them."""
    fine = True
    for hyper in ref.definition.hypers:
        name = hyper.name.text
        value = ref.hypers.get(name)
        if value is None and hyper.default is not None:
            arg = Argument(hyper.name, evaluate(e, scope, hyper.default), hyper.default.span)
            site = CallSite(hyper.span, hyper.span)
            value = (
                FAILED if isinstance(arg.value, Failed) else given(e, f"`{ref.definition.name.text}`", hyper, arg, site)
            )
        if value is None:
            text = f"`{ref.definition.name.text}` needs its hyper-parameter `{name}`"
            note = Note(f"signature: {signature(ref.definition)}")
            value = e.report("DL1013", text, hyper.span, "has no default", footers=[note])
        if not new_name(e, scope, hyper.name):
            continue
        fine = fine and not isinstance(value, Failed)
        scope.define(name, value, hyper.name.span, "hyper")
        if scope.instance is not None:
            scope.instance.hypers[name] = value
    return fine


def block_dims(e: Context, scope: Scope) -> list[tree.Ident]:
    """The dimensions a body declares for itself, where their names are free."""
    body = scope.definition.body if scope.definition is not None else ()
    idents = [ident for stmt in body if isinstance(stmt, tree.DimStmt) for ident in stmt.names]
    return [ident for ident in idents if new_name(e, scope, ident)]


def outputs(e: Context, scope: Scope) -> Value:
    """The outputs of a body that was elaborated: one value, or a list of several."""
    found: list[Value] = []
    definition = scope.definition
    assert definition is not None
    if scope.stopped:
        return FAILED
    for name, stmt in scope.declared.items():
        binding = scope.names.get(name)
        if binding is None:
            found.append(_never_assigned(e, scope, stmt))
            continue
        binding.used = True
        found.append(as_tensor(e, binding.value, None, binding.span))
    if not found:
        text = f"{definition.kind} `{definition.name.text}` has no output"
        mend = Help("declare one:", code=("output y: f32[...]",))
        return e.report("DL1018", text, definition.head, "gives nothing", footers=[mend])
    if any(isinstance(value, Failed) for value in found):
        return FAILED
    return found[0] if len(found) == 1 else ListValue(tuple(found), definition.span)


def _never_assigned(e: Context, scope: Scope, stmt: tree.OutputStmt) -> Failed:
    name = stmt.name.text
    more = [Label(scope.partial[name], "assigned in one branch only")] if name in scope.partial else []
    text = f"output `{name}` is never given a value"
    return e.report("DL1018", text, stmt.name.span, f"needs a line `{name} = ...`", *more)


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
