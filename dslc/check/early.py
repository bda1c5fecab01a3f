"""`early_stop(on = "val.loss", patience = 3 epochs)` in a train block -> `EarlyStop`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dslc.check.options import by_name, epochs, number, truth
from dslc.check.settings import EARLY_STOP
from dslc.check.typed import EarlyStop
from dslc.check.watching import Reported, Watcher, check_watched
from dslc.diagnostics import Help, Label, Sink
from dslc.syntax import tree


def check_early_stop(calls: Sequence[tree.CallStmt], reported: Reported, sink: Sink) -> EarlyStop | None:
    """When the training ends early; None where no call says so, or after a report."""
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
    example = "early_stop(on = ON, patience = 3 epochs)"
    watched = check_watched(Watcher("early_stop", "DL3058", example, call.span, given), reported, sink)
    patience = _patience(call, given, sink)
    delta = number("min_delta", given["min_delta"].value, sink) if "min_delta" in given else 0.0
    best = truth("restore_best", given["restore_best"].value, sink) if "restore_best" in given else True
    if delta is not None and delta < 0:
        sink.report("DL3005", "`min_delta` must be at least 0", given["min_delta"].value.span, f"this is {delta:g}")
        return None
    if watched is None or patience is None or delta is None or best is None:
        return None
    return EarlyStop(watched.on, patience, delta, watched.lower, best)


def _patience(call: tree.Call, given: Mapping[str, tree.Arg], sink: Sink) -> int | None:
    if "patience" not in given:
        mend = Help("for example `patience = 3 epochs`")
        message = "`early_stop` does not say how long it waits"
        sink.report("DL3058", message, call.span, "`patience` is missing", footers=[mend])
        return None
    expr = given["patience"].value
    found = epochs("patience", expr, sink)
    if found == 0:
        sink.report("DL3005", "`patience` must be more than 0 epochs", expr.span, "this is 0")
    return found or None
