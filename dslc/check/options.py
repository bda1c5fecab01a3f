"""Calls in settings, such as `adam(lr = 1e-3)` and `cosine(20 epochs)`: their arguments by name, and what is written in them.

Nothing is computed in a setting: numbers, truth values, strings and lengths of time stand there as they are.
"""

from __future__ import annotations

from collections.abc import Sequence

from dslc.check.foreign import difference
from dslc.check.near import near, proposed, quoted
from dslc.check.settings import literal_number
from dslc.check.typed import Length
from dslc.diagnostics import Edit, Help, Label, Note, Sink
from dslc.syntax import tree

_UNITS = {"step": "steps", "steps": "steps", "epoch": "epochs", "epochs": "epochs"}
#: Other names of options, as other frameworks have them.
_MEANT = {
    "learning_rate": "lr",
    "alpha": "lr",
    "eta": "lr",
    "monitor": "on",
    "min_lr": "to",
    "eta_min": "to",
    "threshold_mode": "relative",
}


def by_name(what: str, names: Sequence[str], args: Sequence[tree.Arg], sink: Sink) -> dict[str, tree.Arg] | None:
    """The arguments of a call by the names of its options; None after a report.

    Args:
        what: the name of what is called.
    """
    given: dict[str, tree.Arg] = {}
    good = True
    for arg, positional in zip(args, [*names, *[""] * len(args)], strict=False):
        name = arg.name.text if arg.name is not None else positional
        if name in given:
            first = Label(given[name].span, "first here")
            sink.report("DL3038", f"`{name}` is given twice", arg.span, "given again here", first)
            good = False
        elif name not in names:
            _report_option(what, arg, names, sink)
            good = False
        else:
            given[name] = arg
    return given if good else None


def _report_option(what: str, arg: tree.Arg, names: Sequence[str], sink: Sink) -> None:
    footers: list[Note | Help] = []
    if arg.name is None:
        message, place = f"`{what}` takes {len(names)} options, this is one more", arg.span
    else:
        message, place = f"`{what}` has no option `{arg.name.text}`", arg.name.span
        meant = _MEANT.get(arg.name.text, "")
        close = (meant,) if meant in names else near(arg.name.text, names)
        footers += proposed(close, place)
    footers.append(Note(f"options of `{what}`: {quoted(names, 'and')}"))
    sink.report("DL3038", message, place, "not an option", footers=footers)


def _elsewhere(expr: tree.Expr) -> list[Help]:
    """What to write for a class of another library: ``lr = CosineDecay(0.1, 10)``."""
    callee = expr.callee if isinstance(expr, tree.Call) else expr
    otherwise = difference(callee.id) if isinstance(callee, tree.Name) else ""
    return [Help(otherwise)] if otherwise else []


def number(name: str, expr: tree.Expr, sink: Sink) -> float | None:
    """A number written out; None after a report."""
    found = literal_number(expr)
    if found is None:
        unit = isinstance(expr, tree.Quantity)
        label = "has a unit" if unit else "not a number written out"
        mend = (
            [Help("write the number alone:", (Edit(expr.span, expr.number.span.text),))] if unit else _elsewhere(expr)
        )
        sink.report("DL3038", f"`{name}` is a number", expr.span, label, footers=mend)
        return None
    return float(found)


def truth(name: str, expr: tree.Expr, sink: Sink) -> bool | None:
    """`true` or `false`; None after a report."""
    if isinstance(expr, tree.Constant) and isinstance(expr.value, bool):
        return expr.value
    sink.report("DL3038", f"`{name}` is `true` or `false`", expr.span, "neither")
    return None


def text(name: str, expr: tree.Expr, choices: Sequence[str], sink: Sink) -> str | None:
    """A string, one of some if `choices` names any; None after a report."""
    if isinstance(expr, tree.String) and (not choices or expr.value in choices):
        return expr.value
    wanted = quoted([f'"{choice}"' for choice in choices]) if choices else "a string"
    sink.report("DL3038", f"`{name}` is {wanted}", expr.span, "not that" if choices else "not a string")
    return None


def length(name: str, expr: tree.Expr, units: Sequence[str], sink: Sink) -> Length | None:
    """A length of time in one of some units; None after a report."""
    if isinstance(expr, tree.Quantity):
        return _quantity(name, expr, units, sink)
    found = literal_number(expr)
    if found is None:
        message = f"`{name}` is a length of time"
        footers = [Help(f"write a number and a unit: `10 {units[-1]}`")]
        sink.report("DL3050", message, expr.span, "not a number with a unit", footers=footers)
        return None
    footers = [
        Help(f"count in {unit}:", (Edit(expr.span, f"{expr.span.text} {unit}"),) if len(units) == 1 else ())
        if len(units) == 1
        else Help(f"write `{expr.span.text} {units[0]}` or `{expr.span.text} {units[1]}`")
        for unit in units[:1]
    ]
    sink.report("DL3050", f"`{name}` needs a unit", expr.span, f"{expr.span.text} of what?", footers=footers)
    return None


def epochs(name: str, expr: tree.Expr, sink: Sink) -> int | None:
    """A whole number of epochs, 0 among them; None after a report."""
    if isinstance(expr, tree.Quantity) and expr.number.value == 0 and _UNITS.get(expr.unit.text) == "epochs":
        return 0
    found = length(name, expr, ("epochs",), sink)
    if found is None:
        return None
    if not found.amount.is_integer():
        sink.report("DL3005", f"`{name}` must be a whole number of epochs", expr.span, f"this is {found.amount:g}")
        return None
    return int(found.amount)


def _quantity(name: str, expr: tree.Quantity, units: Sequence[str], sink: Sink) -> Length | None:
    unit = _UNITS.get(expr.unit.text, "")
    if unit not in units:
        mend = proposed(near(expr.unit.text, units), expr.unit.span)
        label = f"`{name}` counts {' or '.join(units)}"
        what = f"`{expr.unit.text}` is not a unit" if not unit else f"`{name}` cannot be counted in {unit}"
        sink.report("DL3051", what, expr.unit.span, label, footers=mend)
        return None
    amount = expr.number.value
    whole = isinstance(amount, int) or unit == "epochs"
    if amount <= 0 or not whole:
        what = "a whole number of steps" if not whole else f"more than 0 {unit}"
        sink.report("DL3005", f"`{name}` must be {what}", expr.span, f"this is {amount:g}")
        return None
    return Length(float(amount), unit)
