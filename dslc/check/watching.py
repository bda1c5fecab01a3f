"""What watches a quantity of the history: `on = "val.loss"` and `mode = "max"` of `early_stop` and of `plateau` -> `Watched`."""

from __future__ import annotations

from collections.abc import Mapping

from dslc.check.near import near, proposed, quoted
from dslc.check.options import text
from dslc.check.typed import TypedData, TypedValue, Watched
from dslc.diagnostics import Help, Label, Note, Sink
from dslc.ops import FAMILIES
from dslc.record import record
from dslc.source import Span
from dslc.syntax import tree

_ERRORS = frozenset(op.name for op in FAMILIES["metric"] if op.over_part is not None and op.over_part.lower)
_LOWER = _ERRORS | {op.name for op in FAMILIES["loss"]}
_HIGHER = frozenset(op.name for op in FAMILIES["metric"]) - _ERRORS


@record
class Reported:
    """What a training reports: its losses and metrics by their names in the history. Those with `val.` need a part of the data."""

    quantities: Mapping[str, TypedValue]
    data: TypedData


@record
class Watcher:
    """What watches.

    Attributes:
        name: of the call, for messages.
        code: of its diagnostics.
        example: how it is written; `ON` stands for a quantity.
        span: the call.
        given: its arguments by name.
    """

    name: str
    code: str
    example: str
    span: Span
    given: Mapping[str, tree.Arg]


def check_watched(watcher: Watcher, reported: Reported, sink: Sink) -> Watched | None:
    """The quantity that is watched, or None after a report."""
    on = _quantity(watcher, reported, sink)
    lower = _direction(watcher, on, reported, sink) if on else None
    return None if lower is None else Watched(on, lower)


def _quantity(watcher: Watcher, reported: Reported, sink: Sink) -> str:
    """The quantity's name, or "" after a report."""
    data, given = reported.data, watcher.given
    has_val = "val" in data.sources or "val" in data.split
    known = [*reported.quantities, *(f"val.{name}" for name in reported.quantities if has_val)]
    example = "val.loss" if "val.loss" in known else known[-1]
    if "on" not in given:
        mend = Help("say which:", code=(watcher.example.replace("ON", f'"{example}"'),))
        message = f"`{watcher.name}` does not say what it watches"
        sink.report(watcher.code, message, watcher.span, "`on` is missing", footers=[mend])
        return ""
    expr = given["on"].value
    name = text("on", expr, (), sink)
    if name is None or name in known:
        return name or ""
    if name.startswith("val.") and not has_val:
        mend = Help("take one from the training data:", code=("split = { val: 0.1 }",))
        here = Label(data.span, "has no `val` part")
        message = f"there is no `{name}`: the data have no validation part"
        sink.report(watcher.code, message, expr.span, "never computed", here, footers=[mend])
        return ""
    footers = proposed(near(name, known), expr.span, '"{}"')
    footers.append(Note(f"this training reports {quoted(known, 'and')}"))
    sink.report(watcher.code, f"this training reports no `{name}`", expr.span, "not found", footers=footers)
    return ""


def _direction(watcher: Watcher, on: str, reported: Reported, sink: Sink) -> bool | None:
    """Whether less is better: as `mode` says, else as the quantity's operator tells; None after a report."""
    if "mode" in watcher.given:
        mode = text("mode", watcher.given["mode"].value, ("min", "max"), sink)
        return None if mode is None else mode == "min"
    name = on.removeprefix("val.")
    if name.rpartition(".")[2] == "loss":
        return True
    op = reported.quantities[name].op
    if op not in _LOWER and op not in _HIGHER:
        place = watcher.given["on"].value
        mend = Help('say which is better: `mode = "min"` or `mode = "max"`')
        message = f"it is not known whether `{name}` should be low or high"
        sink.report(watcher.code, message, place.span, "computed in a way of its own", footers=[mend])
        return None
    return op in _LOWER
