"""Hyper-parameters: definitions with arguments become layers being made (``Dense(32)``), each value checked against its kind.

Input: a definition and evaluated arguments. Output: a `LayerRef`, or a converted value. Applying layers is `layers`' business.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dslc.check.arguments import Wrong, failed, match, whole
from dslc.check.scope import Argument, CallSite, Context
from dslc.check.typed import Origin
from dslc.check.values import (
    FAILED,
    Const,
    Failed,
    FileScope,
    FunctionRef,
    LayerRef,
    ListValue,
    Value,
    describe,
    fraction,
    is_none,
    number_text,
)  # fmt: skip
from dslc.diagnostics import Edit, Help, Label, Note
from dslc.source import Span
from dslc.syntax import tree
from dslc.tensor_type import Size

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
    early = _given_too_early(definition, args)
    if early is not None:
        return _input_too_early(e, definition, early)
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
    positional = tuple(arg.span for arg in args if arg.name is None)
    return LayerRef(definition, home, hypers, site.span, positional=positional)


def _given_too_early(definition: tree.Definition, args: Sequence[Argument]) -> tree.Ident | None:
    """The first argument that names an input and no hyper-parameter."""
    hypers = {hyper.name.text for hyper in definition.hypers}
    inputs = {stmt.name.text for stmt in definition.body if isinstance(stmt, tree.InputStmt)}
    names = (arg.name for arg in args if arg.name is not None)
    return next((name for name in names if name.text in inputs - hypers), None)


def _input_too_early(e: Context, definition: tree.Definition, name: tree.Ident) -> Failed:
    """Report a tensor that is given where a layer is made."""
    kind, first = definition.name.text, next(s for s in definition.body if isinstance(s, tree.InputStmt)).name.text
    others = "" if name.text == first else f"{first}, "
    mend = Help(
        f"name the layer, and give it `{name.text}` where it is applied:",
        code=(f"layer it = {kind}(...)", f"y = it({others}{name.text} = ...)"),
    )
    text = f"`{name.text}` is an input of `{kind}`: it is given when the layer is applied, not when it is made"
    return e.report("DL1010", text, name.span, "an input", footers=[mend])


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
    if is_none(arg.value) and isinstance(hyper.default, tree.Constant) and hyper.default.value is None:
        return arg.value
    value = convert(hyper.type, arg.value)
    if value is None:
        wanted = " or ".join(_WORDS[ident.text][many] for ident, many in hyper.type.alternatives)
        return e.report(
            "DL2004",
            f"`{key}` of {what} must be {wanted}, not {describe(arg.value).removesuffix(', not applied to anything')}",
            arg.span,
            f"must be {wanted}",
            footers=_kind_help(what, hyper, arg),
        )
    if isinstance(value, Const) and value.origin is None:
        text = (
            f"{key} = {number_text(value.value)}"
            if arg.name is not None or len(site.span.text) > 40
            else site.span.text
        )
        return Const(value.value, Origin(f"`{' '.join(text.split())}`", arg.span), value.by_mode)
    return value


def _kind_help(what: str, hyper: tree.Hyper, arg: Argument) -> list[Note | Help]:
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
    if arg.name is None and not kinds & {"int", "float"} and isinstance(value, int) and not isinstance(value, bool):
        text = f"the input says how large it is; {what} is given the size of its result alone:"
        return [Help(text, code=(f"{what.strip('`')}({arg.span.text})",))]
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
