"""Models elaborated: a file's scope, a model's name and hyper-parameters -> `TypedModel`, once per mode."""

from __future__ import annotations

from collections.abc import Mapping

from dslc.check.blocks import elaborate, elaborate_alone
from dslc.check.expressions import evaluate
from dslc.check.hypers import kind_text
from dslc.check.layers import inner_values, instantiate
from dslc.check.near import near, proposed
from dslc.check.scope import Context, Scope
from dslc.check.typed import Body, LayerInfo, Literal, Origin, TypedModel, TypedValue
from dslc.check.values import Const, FileScope, Instance, LayerRef, ListValue, Value, literal
from dslc.diagnostics import Sink
from dslc.source import Span
from dslc.syntax import tree


def context(sink: Sink, training: bool) -> Context:
    """A fresh elaboration with an empty body."""
    return Context(sink, training, elaborate, evaluate, Body(training))


def elaborate_model(
    file: FileScope, name: str, hypers: Mapping[str, Literal], training: bool, sink: Sink
) -> TypedModel | None:
    """A model with its own inputs, in one mode; None where anything is wrong with it (reported to `sink`).

    Args:
        hypers: values for hyper-parameters other than their defaults; they are checked like written ones.
    """
    found = elaborate_scope(file, name, hypers, training, sink)
    if found is None or sink.failed:
        return None
    e, instance, _ = found
    return typed_model(e, instance)


def elaborate_scope(
    file: FileScope, name: str, hypers: Mapping[str, Literal], training: bool, sink: Sink
) -> tuple[Context, Instance, Scope] | None:
    """As `elaborate_model`, with everything the lints look at."""
    found = file.definition(name)
    if found is None or found[1].kind != "model":
        _no_model(file, name, sink)
        return None
    home, definition = found
    e = context(sink, training)
    given = _hyper_values(definition, hypers)
    unknown = [key for key in hypers if key not in {hyper.name.text for hyper in definition.hypers}]
    for key in unknown:
        footers = proposed(near(key, [hyper.name.text for hyper in definition.hypers]))
        e.report(
            "DL1010", f"`{name}` has no hyper-parameter `{key}`", definition.head, f"no `{key}` here", footers=footers
        )
    if unknown:
        return None
    instance = instantiate(e, LayerRef(definition, home, given, definition.head), "", definition.name.span)
    scope = elaborate_alone(e, instance)
    return e, instance, scope


def _no_model(file: FileScope, name: str, sink: Sink) -> None:
    close = near(name, file.models())
    place = Span(file.source, 0, 0)
    footers = proposed(close)
    sink.report(
        "DL1001", f"there is no model `{name}` in {file.source.name}", place, "not in this file", footers=footers
    )


def _hyper_values(definition: tree.Definition, hypers: Mapping[str, Literal]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for hyper in definition.hypers:
        if hyper.name.text in hypers:
            found[hyper.name.text] = literal_value(hypers[hyper.name.text], hyper.name.text, hyper.span)
    return found


def literal_value(value: Literal, name: str, span: Span) -> Value:
    """A literal as a compile-time value, with `name` as where it came from."""
    if isinstance(value, tuple):
        return ListValue(tuple(literal_value(item, name, span) for item in value), span)
    return Const(value, Origin(f"`{name} = {value}`", span))


def typed_model(e: Context, instance: Instance) -> TypedModel:
    """What was elaborated of an instance whose outputs are known. Its body is that of the whole elaboration."""
    definition = instance.ref.definition
    values = instance.values or inner_values(e, instance.path)
    base = f"{instance.path}." if instance.path else ""
    params = {key[len(base) :]: e.leaf(key) for key in e.params if key.startswith(base)}
    declared = dict.fromkeys(stmt.name.text for stmt in definition.body if isinstance(stmt, tree.OutputStmt))
    results = instance.results.items if isinstance(instance.results, ListValue) else (instance.results,)
    outputs = {name: v for name, v in zip(declared, results, strict=True) if isinstance(v, TypedValue)}
    hypers = {name: literal(value) for name, value in resolved_hypers(instance).items()}
    if not any(info.path == instance.path for info in e.body.layers):
        e.body.layers.insert(0, _root(e, instance, outputs))
    return TypedModel(definition.name.text, hypers, e.body, outputs, params | values, definition.doc, definition.span)


def resolved_hypers(instance: Instance) -> dict[str, Value]:
    """The hyper-parameters of an instance, defaults included."""
    return {name: value for name, value in instance.hypers.items() if literal(value) is not None}


def _root(e: Context, instance: Instance, outputs: Mapping[str, TypedValue]) -> LayerInfo:
    first = next(iter(e.body.inputs.values()), None)
    last = next(iter(outputs.values()), None)
    own = tuple(key for key, (_, owner) in e.params.items() if owner is instance)
    return LayerInfo(
        instance.path,
        kind_text(instance.ref),
        first.type if first is not None else None,
        last.type if last is not None else None,
        own,
        instance.span,
    )
