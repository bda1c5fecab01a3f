"""Arguments of calls: matching them to options, and turning compile-time values into attributes.

Shared by functions, initialisers and hyper-parameters. Reports unknown, repeated and missing arguments and wrong kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from dslc.check.foreign import argument_meant, difference, option_elsewhere
from dslc.check.library import LAYERS
from dslc.check.near import near, proposed, quoted
from dslc.check.scope import Argument, CallSite, Context
from dslc.check.typed import TypedValue
from dslc.check.values import Const, Failed, ListValue, Value, describe, fraction
from dslc.diagnostics import Edit, Help, Label, Note
from dslc.ops.ir import Attr
from dslc.ops.opdef import Option
from dslc.record import record
from dslc.syntax import tree
from dslc.tensor_type import DType, Size


def failed(args: Iterable[Argument]) -> bool:
    """Whether a mistake in an argument was reported already."""
    return any(isinstance(arg.value, Failed) for arg in args)


def match(
    e: Context, what: str, names: Sequence[str], args: Sequence[Argument], kind: str = "option"
) -> dict[str, Argument] | None:
    """Arguments by name: positional ones in the order of `names`, then keywords. None after a report."""
    found: dict[str, Argument] = {}
    fine = True
    positional = [arg for arg in args if arg.name is None]
    for name, arg in zip(names, positional, strict=False):
        found[name] = arg
    if len(positional) > len(names):
        extra = positional[len(names)]
        takes = f"takes at most {len(names)}" if names else "takes none"
        text = f"too many arguments for {what}, which {takes}"
        e.report("DL1014", text, extra.span, "one too many", footers=_listed(what, names, kind))
        fine = False
    for arg in args:
        if arg.name is None:
            continue
        name = arg.name.text
        if name in found:
            e.report(
                "DL1014", f"`{name}` is given twice", arg.name.span, "again here", Label(found[name].span, "first here")
            )
            fine = False
        elif name not in names:
            unknown(e, what, arg.name, names, kind)
            fine = False
        else:
            found[name] = arg
    return found if fine else None


def unknown(e: Context, what: str, name: tree.Ident, names: Sequence[str], kind: str) -> Failed:
    """Report an argument that does not exist."""
    close = near(name.text, names)
    footers: list[Note | Help] = []
    meant = argument_meant(name.text, names)
    otherwise = difference(name.text) if what.strip("`") in LAYERS else option_elsewhere(name.text)
    if otherwise:
        footers.append(Help(otherwise))
    elif meant:
        footers.append(Help(f"it is called `{meant}` here:", (Edit(name.span, meant),)))
    elif name.text == "activation":
        footers.append(Help("an activation is a stage of its own: `x |> Dense(8) |> relu`"))
    elif close:
        footers += proposed(close, name.span)
    footers += _listed(what, names, kind)
    text, label = f"{what} has no {kind} `{name.text}`", "not known here"
    if (call := e.library_call(name.span)) is not None:  # the library itself is right: it was handed this layer
        block = call.definition.name.text
        text = f"`{block}` takes a layer that has the {kind} `{name.text}`, and {what} has none"
        label = f"its layer has no `{name.text}`"
    return e.report("DL1010", text, name.span, label, footers=footers)


def _listed(what: str, names: Sequence[str], kind: str) -> list[Note | Help]:
    return [Note(f"{what} takes {quoted(names, 'and')}" if names else f"{what} takes no {kind}s")]


def options(
    e: Context, what: str, declared: Sequence[Option], found: Mapping[str, Argument], site: CallSite
) -> dict[str, Attr] | None:
    """The attributes that given options make; defaults are left out. None after a report."""
    result: dict[str, Attr] = {}
    fine = True
    for option in declared:
        arg = found.get(option.name)
        if arg is None:
            if option.required:
                e.report("DL1013", f"{what} needs `{option.name}`", site.callee, f"`{option.name} = ...` is missing")
                fine = False
            continue
        if isinstance(arg.value, Failed):
            fine = False
            continue
        attr = attribute(option, arg.value)
        if isinstance(attr, Wrong):
            text = f"`{option.name}` of {what} must be {attr.wanted}, not {describe(arg.value)}"
            e.report("DL2004", text, arg.span, f"must be {attr.wanted}")
            fine = False
            continue
        result[option.name] = attr
    return result if fine else None


@record
class Wrong:
    """A value is not of the kind an option takes."""

    wanted: str


def attribute(option: Option, value: Value) -> Attr | Wrong:
    """A compile-time value as the attribute an option takes."""
    if isinstance(value, Const) and value.value is None:
        return None if option.default is None and not option.required else Wrong(_WANTED[option.kind])
    attr = _CONVERT[option.kind](value)
    if isinstance(attr, Wrong):
        return Wrong(_WANTED[option.kind])
    if option.choices and attr not in option.choices:
        return Wrong("one of " + quoted(option.choices))
    return attr


_WANTED = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "a string",
    "axis": "an axis (a whole number)",
    "axes": "an axis, or a list of axes",
    "sizes": "a list of sizes",
    "counts": "a whole number, or a list of them",
    "padding": 'a number, a list of numbers, "same" or "valid"',
    "dtype": "an element type such as `f32`",
}


def whole(value: Value) -> int | Wrong:
    """A whole number known at compile time."""
    if isinstance(value, Const) and isinstance(value.value, int) and not isinstance(value.value, bool):
        return value.value
    return Wrong("")


def _real(value: Value) -> float | Wrong:
    if not isinstance(value, Const) or isinstance(value.value, bool):
        return Wrong("")
    number = fraction(value.value) if isinstance(value.value, Size) else value.value
    return float(number) if isinstance(number, int | float) else Wrong("")


def _truth(value: Value) -> bool | Wrong:
    return value.value if isinstance(value, Const) and isinstance(value.value, bool) else Wrong("")


def _string(value: Value) -> str | Wrong:
    return value.value if isinstance(value, Const) and isinstance(value.value, str) else Wrong("")


def _dtype(value: Value) -> DType | Wrong:
    return value.value if isinstance(value, Const) and isinstance(value.value, DType) else Wrong("")


def _size(value: Value) -> int | Size | Wrong:
    if isinstance(value, Const) and isinstance(value.value, Size) and value.value.symbols():
        return value.value
    return whole(value)


def _several(one: Callable[[Value], Attr | Wrong]) -> Callable[[Value], Attr | Wrong]:
    def convert(value: Value) -> Attr | Wrong:
        items = [one(item) for item in (value.items if isinstance(value, ListValue) else (value,))]
        kept = tuple(item for item in items if not isinstance(item, Wrong))
        return kept if len(kept) == len(items) else Wrong("")

    return convert


def _padding(value: Value) -> Attr | Wrong:
    return _string(value) if isinstance(value, Const) and isinstance(value.value, str) else _several(_size)(value)


_CONVERT: Mapping[str, Callable[[Value], Attr | Wrong]] = {
    "int": whole,
    "float": _real,
    "bool": _truth,
    "string": _string,
    "axis": whole,
    "axes": _several(whole),
    "sizes": _several(_size),
    "counts": _several(whole),
    "padding": _padding,
    "dtype": _dtype,
}


def is_tensor_like(value: Value) -> bool:
    """Whether a value is a tensor, or a list of tensors."""
    return isinstance(value, TypedValue) or (
        isinstance(value, ListValue) and any(isinstance(item, TypedValue) for item in value.items)
    )
