"""What blocks and cells have in common: hyper-parameters and operands are bound, outputs are collected.

Input: an instance, its operands, a scope. Output: a scope with names, operands in order, the values of the outputs. Running
the statements between is the business of `blocks` and `recurrence`.
"""

from __future__ import annotations

from collections.abc import Sequence

from dslc.check.arguments import unknown
from dslc.check.expressions import evaluate
from dslc.check.hypers import given, kind_text, signature
from dslc.check.operators import as_tensor
from dslc.check.parameters import new_name
from dslc.check.scope import Argument, CallSite, Context, Scope
from dslc.check.typed import LayerInfo, TypedValue
from dslc.check.values import FAILED, Const, Failed, Instance, LayerRef, ListValue, Value
from dslc.check.walk import definers
from dslc.diagnostics import Help, Label, Note
from dslc.record import replace
from dslc.syntax import tree


def open_scope(instance: Instance) -> Scope:
    """A fresh scope for one call of an instance."""
    site = f"{instance.site}@{instance.calls}" if instance.calls else instance.site
    instance.calls += 1
    instance.call = site
    definition = instance.ref.definition
    instance.ref.home.elaborated.add(definition.name.text)
    scope = Scope(instance.ref.home, definition, instance.path, site, instance)
    scope.later = definers(definition.body)
    for stmt in definition.body:
        if isinstance(stmt, tree.OutputStmt):
            scope.declared.setdefault(stmt.name.text, stmt)
    return scope


def in_order(
    e: Context, ref: LayerRef, inputs: Sequence[tree.InputStmt], args: Sequence[Argument], site: CallSite
) -> list[Argument] | None:
    """Operands in the order of the inputs; they may be given by name. One that is left out is `none`."""
    names = [stmt.name.text for stmt in inputs]
    found: dict[str, Argument] = {}
    for position, arg in enumerate(args):
        name = arg.name.text if arg.name is not None else names[position] if position < len(names) else ""
        if arg.name is not None and name not in [*names, *(hyper.name.text for hyper in ref.definition.hypers)]:
            unknown(e, f"`{ref.definition.name.text}`", arg.name, names, "input")
            return None
        if name not in names or name in found:
            return _wrong_operands(e, ref, inputs, args, site)
        found[name] = arg
    missing = [stmt.name.text for stmt in inputs if stmt.default is None and stmt.name.text not in found]
    if missing:
        return _wrong_operands(e, ref, inputs, args, site, missing)
    return [found.get(name, Argument(None, Const(None), site.span)) for name in names]


def _wrong_operands(
    e: Context,
    ref: LayerRef,
    inputs: Sequence[tree.InputStmt],
    args: Sequence[Argument],
    site: CallSite,
    missing: Sequence[str] = (),
) -> None:
    wanted = ", ".join(f"{stmt.name.text}{' = none' * (stmt.default is not None)}" for stmt in inputs)
    least = sum(stmt.default is None for stmt in inputs)
    most = f" to {len(inputs)}" if least < len(inputs) else ""
    many = f"{least}{most} input{'s' * (len(inputs) != 1)} ({wanted})"
    e.report(
        "DL1013" if missing else "DL1014",
        f"`{ref.definition.name.text}` takes {many}, got {len(args)}",
        site.span,
        f"got {len(args)}" if len(args) < least or not missing else f"`{missing[0]}` is missing",
        footers=[Note("hyper-parameters are given when the layer is made, tensors when it is applied")],
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
        if isinstance(value, LayerRef):
            value = replace(value, name=name)
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


def layer_path(e: Context, instance: Instance, before: int) -> str:
    """The path that an instance is reported under; `before` counts the keys there were before it was applied."""
    if instance.labelled or len(e.keys) > before:
        return instance.path
    return f"{instance.path}.{instance.ref.definition.name.text}"


def layer_info(e: Context, instance: Instance, args: Sequence[Argument], value: Value, before: int) -> LayerInfo:
    own = tuple(key for key in e.keys[before:] if key.rpartition(".")[0] == instance.path)
    first = args[0].value if args else None
    return LayerInfo(
        layer_path(e, instance, before),
        kind_text(instance.ref),
        first.type if isinstance(first, TypedValue) else None,
        value.type if isinstance(value, TypedValue) else None,
        own,
        instance.span,
    )
