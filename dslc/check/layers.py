"""Layers: making them (``Dense(32)``), giving them a path, applying them, and reading what is inside.

Input: a definition with evaluated arguments. Output: a `LayerRef`, an `Instance`, or the value of applying one. How a block's
body is elaborated is `blocks`' business, reached through `Context.elaborate`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dslc.check.arguments import Wrong, failed, match, whole
from dslc.check.near import did_you_mean, near, quoted
from dslc.check.scope import Argument, CallSite, Context, Made, Scope
from dslc.check.typed import Origin, TypedValue
from dslc.check.values import (
    FAILED,
    Const,
    Failed,
    FileScope,
    FunctionRef,
    Instance,
    LayerRef,
    ListValue,
    Namespace,
    Scanned,
    Value,
    describe,
    fraction,
    number_text,
)  # fmt: skip
from dslc.diagnostics import Edit, Help, Label, Note
from dslc.record import replace
from dslc.source import Span
from dslc.syntax import tree
from dslc.tensor_type import Size, count

#: What a hyper-parameter of a kind must be, alone and in a list.
_WORDS = {
    "int": ("a whole number", "a list of whole numbers"),
    "float": ("a number", "a list of numbers"),
    "bool": ("true or false", "a list of truth values"),
    "string": ("a string", "a list of strings"),
    "fn": ("a function", "a list of functions"),
    "layer": ("a layer", "a list of layers"),
    "cell": ("a cell", "a list of cells"),
}


def make_layer(
    e: Context, home: FileScope, definition: tree.Definition, args: Sequence[Argument], site: CallSite
) -> LayerRef | Failed:
    """A definition with its hyper-parameters given: what ``Dense(32)`` is."""
    if failed(args):
        return FAILED
    name = definition.name.text
    what = f"`{name}`"
    found = match(e, what, [hyper.name.text for hyper in definition.hypers], args, "hyper-parameter")
    if found is None:
        return FAILED
    hypers: dict[str, Value] = {}
    for hyper in definition.hypers:
        key = hyper.name.text
        if key not in found:
            if hyper.default is None:
                return _missing(e, definition, hyper, site)
            continue
        value = given(e, what, hyper, found[key], site)
        if isinstance(value, Failed):
            return FAILED
        hypers[key] = value
    return LayerRef(definition, home, hypers, site.span)


def _missing(e: Context, definition: tree.Definition, hyper: tree.Hyper, site: CallSite) -> Failed:
    name, key = definition.name.text, hyper.name.text
    more = [] if e.calls and e.calls[-1].library else [Label(hyper.span, "declared here, without a default")]
    more = [label for label in more if label.span.source is site.span.source]
    return e.report(
        "DL1013",
        f"`{name}` needs its hyper-parameter `{key}`",
        site.span,
        f"`{key}` is missing",
        *more,
        footers=[Note(f"signature: {signature(definition)}")],
    )


def signature(definition: tree.Definition) -> str:
    """The head of a definition on one line: "Dense(units: int, bias: bool = true)"."""
    hypers = ", ".join(" ".join(hyper.span.text.split()) for hyper in definition.hypers)
    return f"{definition.name.text}({hypers})"


def given(e: Context, what: str, hyper: tree.Hyper, arg: Argument, site: CallSite) -> Value:
    """A hyper-parameter's value, checked against its kind, with the origin of a number written at the call."""
    key = hyper.name.text
    value = convert(hyper.type, arg.value)
    if value is None:
        wanted = " or ".join(_WORDS[ident.text][many] for ident, many in hyper.type.alternatives)
        return e.report(
            "DL2004",
            f"`{key}` of {what} must be {wanted}, not {describe(arg.value).removesuffix(', not applied to anything')}",
            arg.span,
            f"must be {wanted}",
            footers=_kind_help(hyper, arg),
        )
    if isinstance(value, Const) and value.origin is None:
        text = (
            f"{key} = {number_text(value.value)}"
            if arg.name is not None or len(site.span.text) > 40
            else site.span.text
        )
        return Const(value.value, Origin(f"`{' '.join(text.split())}`", arg.span), value.by_mode)
    return value


def _kind_help(hyper: tree.Hyper, arg: Argument) -> list[Note | Help]:
    """A mend for the common slips: a float where an int is meant, quotes around a function's name."""
    kinds = {ident.text for ident, _ in hyper.type.alternatives}
    value = arg.value.value if isinstance(arg.value, Const) else None
    if "int" in kinds and isinstance(value, float) and value.is_integer():
        return [Help("write a whole number:", (Edit(arg.span, str(int(value))),))]
    if kinds & {"int", "float"} and isinstance(value, str) and re.fullmatch(r"-?\d+", value):
        return [Help("write the number without quotes:", (Edit(arg.span, value),))]
    if "int" in kinds and isinstance(value, Size):
        return [_whole_quotient(arg.span)]
    if "fn" in kinds and isinstance(value, str) and value.isidentifier():
        return [Help("name the function without quotes:", (Edit(arg.span, value),))]
    if "bool" in kinds and isinstance(value, int) and value in (0, 1):
        return [Help("write a truth value:", (Edit(arg.span, "true" if value else "false"),))]
    return _cell_help(kinds, arg) if isinstance(arg.value, LayerRef) else []


def _cell_help(kinds: set[str], arg: Argument) -> list[Note | Help]:
    """A mend where a cell stands for a layer, or what `scan` makes of it for the cell."""
    ref = arg.value
    assert isinstance(ref, LayerRef)
    if "layer" in kinds and ref.definition.kind == "cell":
        return [Help("run it along time:", (Edit(arg.span, f"scan({arg.span.text})"),))]
    if "cell" in kinds and ref.scan is not None:
        return [Note("hand in the cell itself, without `scan`")]
    return [Note("a `cell` does one time step, and is declared with that word")] if "cell" in kinds else []


def _whole_quotient(span: Span) -> Help:
    """A mend for a quotient that is no whole number: ``7 / 2``."""
    simple = re.fullmatch(r"([\w.]+)\s*/\s*([\w.]+)", span.text)
    edits = (Edit(span, f"floor_div({simple[1]}, {simple[2]})"),) if simple else ()
    return Help("`floor_div(a, b)` rounds a quotient down, `ceil_div(a, b)` up" + ":" * bool(edits), edits)


def convert(type: tree.HyperType, value: Value) -> Value | None:
    """A value as one of the alternatives of a hyper-parameter's type, or None. An unknown kind was reported already."""
    for ident, many in type.alternatives:
        if ident.text not in _WORDS:
            return value
        if not many:
            found = _convert(ident.text, value)
        elif isinstance(value, ListValue):
            items = [_convert(ident.text, item) for item in value.items]
            kept = tuple(item for item in items if item is not None)
            found = ListValue(kept, value.span) if len(kept) == len(items) else None
        else:
            found = None
        if found is not None:
            return found
    return None


def _convert(kind: str, value: Value) -> Value | None:
    if kind in ("layer", "cell"):
        if not isinstance(value, LayerRef):
            return None
        cell = value.definition.kind == "cell" and value.scan is None
        return value if cell == (kind == "cell") else None
    if kind == "fn":
        return value if isinstance(value, FunctionRef) else None
    if not isinstance(value, Const):
        return None
    scalar = value.value
    if kind == "bool":
        return value if isinstance(scalar, bool) else None
    if kind == "string":
        return value if isinstance(scalar, str) else None
    if kind == "int":
        symbolic = isinstance(scalar, Size) and bool(scalar.symbols())
        return value if symbolic or not isinstance(whole(value), Wrong) else None
    real = fraction(scalar) if isinstance(scalar, Size) else scalar
    if isinstance(real, bool) or not isinstance(real, int | float):
        return None
    return Const(float(real), value.origin, value.by_mode)


# ---------------------------------------------------------------------------------------------- instances


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
        return owned(scope, Instance(ref, scope.key(label.text), f"{scope.site}/{label.text}", span))
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
    value = call_instance(e, instance, args, site)
    if len(e.keys) > before and scope.definition is None and not e.true_division:  # data fields say so themselves
        return _not_in_use(e, ref, site)
    if len(e.keys) > before and scope.statement is not None:
        span = site.span if label is None else label.span.to(site.span)
        scope.statement.layers.append(Made(span, kind_text(ref), label is not None, elements(e, before)))
    return value


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


def kind_text(ref: LayerRef) -> str:
    """A layer as a person would write it: "Dense(128)"."""
    parts: list[str] = []
    for position, hyper in enumerate(ref.definition.hypers):
        value = ref.hypers.get(hyper.name.text)
        if value is None:
            continue
        text = _value_text(value)
        parts.append(text if position == 0 else f"{hyper.name.text} = {text}")
    text = f"{ref.definition.name.text}({', '.join(parts)})"
    if ref.scan is None:
        return text
    return f"scan({text}, reverse = true)" if ref.scan.reverse else f"scan({text})"


def _value_text(value: Value) -> str:
    if isinstance(value, Const):
        return number_text(value.value)
    if isinstance(value, ListValue):
        return f"[{', '.join(_value_text(item) for item in value.items)}]"
    if isinstance(value, FunctionRef):
        inner = ", ".join(f"{name} = {_value_text(option)}" for name, option in value.options)
        return f"{value.name}({inner})" if inner else value.name
    return kind_text(value) if isinstance(value, LayerRef) else "..."


def call_instance(e: Context, instance: Instance, args: Sequence[Argument], site: CallSite) -> Value:
    """Apply an instance to tensors; the first call makes its parameters, later ones share them."""
    if failed(args):
        return FAILED
    return e.elaborate(e, instance, args, site)


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
    if instance.results is None:
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
    if close:
        footers.append(Help(did_you_mean(close), (Edit(place, close[0]),) if len(close) == 1 else ()))
    shown = [known for known in names if not known.startswith("_")][:12]
    footers.append(Note(f"{title} has {quoted(shown, 'and')}" if shown else f"{title} has nothing to read"))
    return e.report("DL1005", f"{title} has nothing named `{name}`", place, "not found", footers=footers)


def inner_values(e: Context, path: str) -> dict[str, TypedValue]:
    """The named values inside a path, by their path below it."""
    base = f"{path}." if path else ""
    return {key[len(base) :]: value for key, value in e.readable.items() if key.startswith(base)}
