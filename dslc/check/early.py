"""`early_stop(on = "val.loss", patience = 3 epochs)` in a train block -> `EarlyStop`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dslc.check.near import did_you_mean, near, quoted
from dslc.check.options import by_name, length, number, text, truth
from dslc.check.settings import EARLY_STOP
from dslc.check.typed import EarlyStop, TypedData, TypedValue
from dslc.diagnostics import Edit, Help, Label, Note, Sink
from dslc.ops.class_loss import CLASS_LOSS
from dslc.ops.loss import LOSS
from dslc.ops.metric import METRIC
from dslc.syntax import tree

_LOWER = frozenset(opdef.name for opdef in (*LOSS, *CLASS_LOSS))
_HIGHER = frozenset(opdef.name for opdef in METRIC)


def check_early_stop(
    calls: Sequence[tree.CallStmt], quantities: Mapping[str, TypedValue], data: TypedData, sink: Sink
) -> EarlyStop | None:
    """When the training ends early; None where no call says so, or after a report.

    Args:
        quantities: the losses and metrics by their names in the history.
    """
    if not calls:
        return None
    if len(calls) > 1:
        first = Label(calls[0].span, "first here")
        sink.report("DL3003", "`early_stop` is given twice", calls[1].span, "given again here", first)
        return None
    call = calls[0].call
    given = by_name("early_stop", EARLY_STOP, call.args, sink)
    if given is None:
        return None
    on = _quantity(call, given, quantities, data, sink)
    patience = _patience(call, given, sink)
    delta = number("min_delta", given["min_delta"].value, sink) if "min_delta" in given else 0.0
    best = truth("restore_best", given["restore_best"].value, sink) if "restore_best" in given else True
    if delta is not None and delta < 0:
        sink.report("DL3005", "`min_delta` must be at least 0", given["min_delta"].value.span, f"this is {delta:g}")
        return None
    lower = _direction(on, given, quantities, sink) if on else None
    if not on or patience is None or delta is None or best is None or lower is None:
        return None
    return EarlyStop(on, patience, delta, lower, best)


def _quantity(
    call: tree.Call,
    given: Mapping[str, tree.Arg],
    quantities: Mapping[str, TypedValue],
    data: TypedData,
    sink: Sink,
) -> str:
    """The quantity that is watched, or "" after a report."""
    has_val = "val" in data.sources or "val" in data.split
    known = [*quantities, *(f"val.{name}" for name in quantities if has_val)]
    example = "val.loss" if "val.loss" in known else known[-1]
    if "on" not in given:
        mend = Help("say which:", code=(f'early_stop(on = "{example}", patience = 3 epochs)',))
        sink.report("DL3058", "`early_stop` does not say what it watches", call.span, "`on` is missing", footers=[mend])
        return ""
    expr = given["on"].value
    name = text("on", expr, (), sink)
    if name is None or name in known:
        return name or ""
    if name.startswith("val.") and not has_val:
        mend = Help("take one from the training data:", code=("split = { val: 0.1 }",))
        here = Label(data.span, "has no `val` part")
        message = f"there is no `{name}`: the data have no validation part"
        sink.report("DL3058", message, expr.span, "never computed", here, footers=[mend])
        return ""
    close = near(name, known)
    edits = (Edit(expr.span, f'"{close[0]}"'),) if len(close) == 1 else ()
    footers: list[Note | Help] = [Help(did_you_mean(close), edits)] if close else []
    footers.append(Note(f"this training reports {quoted(known, 'and')}"))
    sink.report("DL3058", f"this training reports no `{name}`", expr.span, "not found", footers=footers)
    return ""


def _patience(call: tree.Call, given: Mapping[str, tree.Arg], sink: Sink) -> int | None:
    if "patience" not in given:
        mend = Help("for example `patience = 3 epochs`")
        message = "`early_stop` does not say how long it waits"
        sink.report("DL3058", message, call.span, "`patience` is missing", footers=[mend])
        return None
    expr = given["patience"].value
    found = length("patience", expr, ("epochs",), sink)
    if found is None:
        return None
    if not found.amount.is_integer():
        sink.report("DL3005", "`patience` must be a whole number of epochs", expr.span, f"this is {found.amount:g}")
        return None
    return int(found.amount)


def _direction(on: str, given: Mapping[str, tree.Arg], quantities: Mapping[str, TypedValue], sink: Sink) -> bool | None:
    """Whether less is better: as `mode` says, else as the quantity's operator tells; None after a report."""
    if "mode" in given:
        mode = text("mode", given["mode"].value, ("min", "max"), sink)
        return None if mode is None else mode == "min"
    name = on.removeprefix("val.")
    if name.rpartition(".")[2] == "loss":
        return True
    op = quantities[name].op
    if op not in _LOWER and op not in _HIGHER:
        place = given["on"].value
        mend = Help('say which is better: `mode = "min"` or `mode = "max"`')
        label = "computed in a way of its own"
        message = f"it is not known whether `{name}` should be low or high"
        sink.report("DL3058", message, place.span, label, footers=[mend])
        return None
    return op in _LOWER
