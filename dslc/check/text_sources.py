"""Sources that are text files, `csv(...)` and `text_lines(...)`: their options -> a `SourceSpec`. No file is opened."""

from __future__ import annotations

from dslc.check.foreign import argument_meant
from dslc.check.near import near, proposed, quoted
from dslc.check.settings import literal_number
from dslc.check.typed import Literal, SourceSpec
from dslc.diagnostics import Edit, Help, Note, Sink
from dslc.syntax import tree

_UNITS = ("lines", "characters")
_MISSING = ("error", "drop")


def csv_source(call: tree.Call, sink: Sink) -> SourceSpec | None:
    """A table in a text file; None after a report."""
    path = path_of(call, 'csv("iris.csv")', sink)
    given = options_of(call, ("delimiter", "columns", "missing"), sink)
    if path is None or given is None:
        return None
    delimiter = _delimiter(given["delimiter"], sink) if "delimiter" in given else ","
    columns = _columns(given["columns"], sink) if "columns" in given else ()
    missing = _missing(given["missing"], sink) if "missing" in given else "error"
    if delimiter is None or columns is None or missing is None:
        return None
    options: dict[str, Literal] = {"delimiter": delimiter, "missing": missing}
    return SourceSpec("csv", path, {name: name for name in columns}, call.span, options)


def text_source(call: tree.Call, sink: Sink) -> SourceSpec | None:
    """Plain text, of which the one column is `text`; None after a report."""
    path = path_of(call, 'text_lines("poems.txt")', sink)
    given = options_of(call, ("unit",), sink)
    if path is None or given is None:
        return None
    unit = given.get("unit")
    if unit is not None and not (isinstance(unit, tree.String) and unit.value in _UNITS):
        helps = proposed(near(unit.value, _UNITS) if isinstance(unit, tree.String) else (), unit.span, '"{}"')
        text = "`unit` says what a row is: " + quoted([f'"{name}"' for name in _UNITS], "or")
        sink.report("DL3011", text, unit.span, "neither", footers=helps)
        return None
    chosen = unit.value if unit is not None else _UNITS[0]
    return SourceSpec("text_lines", path, {"text": "text"}, call.span, {"unit": chosen})


def path_of(call: tree.Call, example: str, sink: Sink) -> str | None:
    """The path that a source's first argument is; None after a report."""
    first = call.args[0] if call.args else None
    if first is not None and first.name is None and isinstance(first.value, tree.String):
        return first.value.value
    name = call.callee.span.text
    place = first.span if first is not None else call.span
    mend = Help("write the path first:", code=(example,))
    sink.report("DL3011", f"`{name}` takes the path of a file", place, "a path in quotes belongs here", footers=[mend])
    return None


def options_of(call: tree.Call, names: tuple[str, ...], sink: Sink) -> dict[str, tree.Expr] | None:
    """What follows the path of a source, by name; None after a report."""
    found: dict[str, tree.Expr] = {}
    called = call.callee.span.text
    for arg in call.args[1:]:
        if arg.name is not None and arg.name.text in found:
            sink.report("DL3003", f"`{arg.name.text}` is given twice", arg.span, "given again here")
            return None
        if arg.name is None or arg.name.text not in names:
            helps = _renamed(arg.name, names) if arg.name is not None else []
            what = f"has no option `{arg.name.text}`" if arg.name is not None else "takes one path, then options"
            plural = "s" * (len(names) > 1)
            note = Note(f"`{called}` takes a path and the option{plural} {quoted(names, 'and')}")
            sink.report("DL3011", f"`{called}` {what}", arg.span, "not an option", footers=[*helps, note])
            return None
        found[arg.name.text] = arg.value
    return found


def _renamed(name: tree.Ident, names: tuple[str, ...]) -> list[Note | Help]:
    """The option that another library's name means, or one like it."""
    meant = argument_meant(name.text, names)
    if meant:
        return [Help(f"it is called `{meant}` here:", (Edit(name.span, meant),))]
    return proposed(near(name.text, names), name.span)


def _missing(value: tree.Expr, sink: Sink) -> str | float | None:
    """What becomes of cells without a value: "error", "drop", or the number that stands for them."""
    number = literal_number(value)
    if number is not None:
        return number
    if isinstance(value, tree.String) and value.value in _MISSING:
        return value.value
    close = near(value.value, _MISSING) if isinstance(value, tree.String) else ()
    helps = proposed(close, value.span, '"{}"')
    text = '`missing` is "error", "drop" (rows without a value are left out) or the number that stands for such cells'
    sink.report("DL3011", text, value.span, "none of these", footers=helps)
    return None


def _delimiter(value: tree.Expr, sink: Sink) -> str | None:
    if isinstance(value, tree.String) and len(value.value) == 1 and value.value not in '"\r\n ':
        return value.value
    text = "`delimiter` is the one character between cells"
    mend = Help("write, for example", code=('delimiter = ";"',))
    sink.report("DL3011", text, value.span, "not one character in quotes", footers=[mend])
    return None


def _columns(value: tree.Expr, sink: Sink) -> tuple[str, ...] | None:
    """The names of the columns of a file that does not begin with them."""
    items = value.items if isinstance(value, tree.List) else ()
    names = tuple(item.value for item in items if isinstance(item, tree.String))
    if not names or len(names) < len(items):
        text = "`columns` takes the names of all columns in order, where the file does not begin with them"
        mend = Help("write", code=('columns = ["width", "length"]',))
        sink.report("DL3011", text, value.span, "not a list of names in quotes", footers=[mend])
        return None
    for at, name in enumerate(names):
        if name in names[:at]:
            sink.report("DL3003", f"column `{name}` is given twice", items[at].span, "given again here")
            return None
    return names
