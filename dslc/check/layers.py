"""Layers: giving them a path, applying them, and reading what is inside.

Input: a `LayerRef` or an `Instance`. Output: an `Instance`, or the value of applying one. How a block's body is elaborated is
`blocks`' business, reached through `Context.elaborate`.
"""

from __future__ import annotations

from collections.abc import Sequence

from dslc.check.arguments import failed
from dslc.check.hypers import given, kind_text
from dslc.check.near import near, proposed, quoted
from dslc.check.scans import given_lengths
from dslc.check.scope import Argument, CallSite, Context, Made, Scope
from dslc.check.typed import TypedValue
from dslc.check.values import (
    FAILED,
    Const,
    Failed,
    Instance,
    LayerRef,
    Namespace,
    Scanned,
    Value,
)  # fmt: skip
from dslc.diagnostics import Help, Label, Note
from dslc.record import replace
from dslc.source import Span
from dslc.syntax import tree
from dslc.syntax.methods import METHODS
from dslc.tensor_type import count

#: The label of a stage whose parameters are the block's own: it adds nothing to their keys.
_OWN = "self"


def place(e: Context, scope: Scope, ref: LayerRef, label: tree.Ident | None, span: Span) -> Instance:
    """Give a layer its path: the label written, else the name its statement assigns."""
    statement = scope.statement
    kind = ref.definition.name.text
    if label is not None:
        if label.text in scope.labels:
            first = Label(scope.labels[label.text], "first used here")
            e.report("DL1011", f"the label `{label.text}` is used twice", label.span, "used again", first)
            label = tree.Ident(f"{label.text}#{len(scope.labels)}", label.span)
        scope.labels[label.text] = label.span
        path = scope.path if label.text == _OWN else scope.key(label.text)
        return owned(scope, Instance(ref, path, f"{scope.site}/{label.text}", span))
    name = statement.name if statement is not None else ""
    unlabelled = sum(not made.labelled for made in statement.layers) if statement is not None else 0
    ordinal = statement.ordinal(kind) if statement is not None else 0
    known = f"{name}#{unlabelled}" if unlabelled else name
    path = scope.key(known) if known else scope.path
    site = f"{scope.site}/{name}{'.' if name else ''}{kind}{ordinal or ''}"
    return owned(scope, Instance(ref, path, site, span, labelled=False))


def owned(scope: Scope, new: Instance) -> Instance:
    """A layer of a body; in a later call of that body's layer, the one its first call made, so that both share it."""
    if scope.instance is None:
        return new
    known = scope.instance.inner.setdefault(new.site.removeprefix(scope.instance.call), new)
    known.ref = new.ref
    return known


def call_layer(
    e: Context, scope: Scope, ref: LayerRef, args: Sequence[Argument], site: CallSite, label: tree.Ident | None = None
) -> Value:
    """Apply a layer made on the spot, and note in the statement whether it brought parameters.

    One that a hyper-parameter hands in is named like it, and shared between its uses; a label makes another.
    """
    if label is None and ref.name:
        label = tree.Ident(ref.name, site.span)
        if ref.name not in scope.handed:
            scope.handed[ref.name] = place(e, scope, ref, label, site.span)
        instance = scope.handed[ref.name]
    else:
        instance = place(e, scope, ref, label, site.span)
    before = len(e.keys)
    chosen = _chosen(e, ref, args, site)
    if chosen is None:
        return FAILED
    instance.ref, args = chosen
    value = call_instance(e, instance, args, site)
    if len(e.keys) > before and scope.definition is None and not e.true_division:  # data fields say so themselves
        return _not_in_use(e, ref, site)
    if len(e.keys) > before and scope.statement is not None:
        span = site.span if label is None else label.span.to(site.span)
        scope.statement.layers.append(Made(span, kind_text(ref), label is not None, elements(e, before)))
    return value


def _chosen(
    e: Context, ref: LayerRef, args: Sequence[Argument], site: CallSite
) -> tuple[LayerRef, Sequence[Argument]] | None:
    """The layer with the hyper-parameters that this use of it gives by name, and the other arguments; None after a report."""
    inputs = {stmt.name.text for stmt in ref.definition.body if isinstance(stmt, tree.InputStmt)}
    hypers = {hyper.name.text: hyper for hyper in ref.definition.hypers}
    others: list[Argument] = []
    for arg in args:
        name = arg.name.text if arg.name is not None else ""
        if ref.scan is None and name in hypers and name not in inputs:
            value = given(e, f"`{ref.definition.name.text}`", hypers[name], arg, site)
            if isinstance(value, Failed):
                return None
            ref = replace(ref, hypers={**ref.hypers, name: value})
        else:
            others.append(arg)
    return ref, others


def _not_in_use(e: Context, ref: LayerRef, site: CallSite) -> Failed:
    """Report parameters made by an expression of a train or test block: they would belong to no model."""
    kind, name = ref.definition.kind, ref.definition.name.text
    mend = Help("name the model, and read its values by that name:", code=(f"use net = {kind_text(ref)}",))
    if kind != "model":
        mend = Help(f"put `{name}` into a model, and name the model with `use`")
    text = f"the {kind} `{name}` has parameters here that belong to no `use`"
    return e.report("DL3044", text, site.callee, "made inside an expression", footers=[mend])


def elements(e: Context, before: int) -> int:
    """The number of elements of all parameters made after the first `before` ones."""
    counts = [count(e.body.params[key].type.shape) for key in e.keys[before:]]
    return sum(size for size in counts if isinstance(size, int))


def call_instance(e: Context, instance: Instance, args: Sequence[Argument], site: CallSite) -> Value:
    """Apply an instance to tensors; the first call makes its parameters, later ones share them."""
    if failed(args):
        return FAILED
    made = instance.ref
    instance.ref, args = _along(made, args)
    try:
        return e.elaborate(e, instance, args, site)
    finally:
        instance.ref = made


def _along(ref: LayerRef, args: Sequence[Argument]) -> tuple[LayerRef, Sequence[Argument]]:
    """A scan with the options that this use of it gives by name, and the other arguments."""
    if ref.scan is None:
        return ref, args
    scan, others = ref.scan, list[Argument]()
    for arg in args:
        name = arg.name.text if arg.name is not None else ""
        if name in ("reverse", "return_state") and isinstance(arg.value, Const):
            scan = replace(scan, **{name: arg.value.value is True})
        elif name == "lengths":
            scan = replace(scan, lengths=given_lengths(arg))
        else:
            others.append(arg)
    return replace(ref, scan=scan), others


def call_scanned(e: Context, scanned: Scanned, args: Sequence[Argument], site: CallSite) -> Value:
    """Run a cell that has a name along time."""
    instance, cell = scanned.instance, scanned.instance.ref
    instance.ref = replace(cell, scan=scanned.scan)
    try:
        return call_instance(e, instance, args, site)
    finally:
        instance.ref = cell


def instantiate(_: Context, ref: LayerRef, path: str, span: Span) -> Instance:
    """An instance with a path of the caller's choosing, as `layer` and `use` make them."""
    return Instance(ref, path, path, span)


# ---------------------------------------------------------------------------------------------- reading


def read(e: Context, instance: Instance, name: str, span: Span) -> Value:
    """What ``instance.name`` is: a value, a parameter, or an inner layer whose names can be read in turn.

    Reading a value of a model in use applies it to what its `lookup` gives, once; its parameters are there after any call.
    """
    return _read(e, instance, "", name, span)


def _read(e: Context, instance: Instance, inner: str, name: str, span: Span) -> Value:
    relative = f"{inner}.{name}" if inner else name
    key = f"{instance.path}.{relative}" if instance.path else relative
    if key in e.params:
        return e.leaf(key)
    if instance.lookup is not None and instance.results is None:
        if any(other.startswith(f"{key}.") for other in e.params):
            title = f"the layer `{relative}`"
            return Namespace(title, (), lambda wanted, place: _read(e, instance, relative, wanted, place))
        e.elaborate(e, instance, None, CallSite(span, span))
    if isinstance(instance.results, Failed):
        return FAILED
    if key in e.params:  # made just now
        return e.leaf(key)
    if relative in instance.values:
        return instance.values[relative]
    if instance.lookup is None and key in e.readable:
        return e.readable[key]
    below = _names_below(e, instance, relative)
    if below:
        title = f"the layer `{relative}`"
        return Namespace(title, below, lambda wanted, place: _read(e, instance, relative, wanted, place))
    return _unknown_member(e, instance, inner, name, span)


def _names_below(e: Context, instance: Instance, inner: str) -> tuple[str, ...]:
    """The names that can be read at a path inside an instance."""
    prefix = f"{inner}." if inner else ""
    base = f"{instance.path}." if instance.path else ""
    paths = [*instance.values, *(key[len(base) :] for key in e.params if key.startswith(base))]
    if instance.lookup is None:
        paths += [key[len(base) :] for key in e.readable if key.startswith(base)]
    heads = (path[len(prefix) :].partition(".")[0] for path in paths if path.startswith(prefix))
    return tuple(dict.fromkeys(heads))


def _unknown_member(e: Context, instance: Instance, inner: str, name: str, span: Span) -> Failed:
    title = f"`{inner}`" if inner else f"`{instance.ref.definition.name.text}`"
    if instance.results is None and name not in METHODS:
        return e.report(
            "DL1017",
            f"`{name}` is not known before the layer is used",
            span,
            "read before its first use",
            Label(instance.span, "made here, not applied to anything yet"),
            footers=[Note("a layer's sizes come from its first input; only then does it have parameters")],
        )
    return unknown_name(e, title, name, _names_below(e, instance, inner), span)


def unknown_name(e: Context, title: str, name: str, names: Sequence[str], span: Span) -> Failed:
    """Report that something has no such name, with what it has."""
    close = near(name, names)
    footers: list[Note | Help] = []
    place = Span(span.source, span.end - len(name), span.end)
    if name in METHODS:
        footers.append(Help(METHODS[name]))
    elif close:
        footers += proposed(close, place)
    shown = [known for known in names if not known.startswith("_")][:12]
    footers.append(Note(f"{title} has {quoted(shown, 'and')}" if shown else f"{title} has nothing to read"))
    return e.report("DL1005", f"{title} has nothing named `{name}`", place, "not found", footers=footers)


def inner_values(e: Context, path: str) -> dict[str, TypedValue]:
    """The named values inside a path, by their path below it."""
    base = f"{path}." if path else ""
    return {key[len(base) :]: value for key, value in e.readable.items() if key.startswith(base)}
