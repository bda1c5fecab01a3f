"""`accumulate = 4` and `ema = 0.999` of a train block: how many batches make an update, and the average of the weights."""

from __future__ import annotations

from dslc.check.data import whole
from dslc.check.near import near, proposed
from dslc.check.options import number, truth
from dslc.check.settings import Setting
from dslc.check.typed import Average
from dslc.diagnostics import Help, Note, Sink
from dslc.syntax import tree

_ENTRIES = ("decay", "warmup")


def check_accumulate(setting: Setting | None, batch: int | None, sink: Sink) -> int:
    """How many batches make an update; 1 without the setting or after a report.

    Args:
        batch: rows of a batch, None for all there are.
    """
    if setting is None:
        return 1
    count = whole(setting, 1, sink) or 1
    if count > 1 and batch is None:
        mend = Help("take batches of a part of the data:", code=("batch = 32",))
        message = "an epoch with `batch = all` has one batch, so there is nothing to accumulate"
        sink.report("DL3112", message, setting.value.span, f"waits for {count} batches", footers=[mend])
    return count


def check_average(setting: Setting | None, sink: Sink) -> Average | None:
    """The average of the weights; None without the setting, or after a report."""
    if setting is None:
        return None
    value = setting.value
    if not isinstance(value, tree.Record):
        decay = _decay(value, sink)
        return None if decay is None else Average(decay, warmup=False)
    entries = {entry.key.text: entry for entry in value.entries}
    unknown = next((entry.key for entry in value.entries if entry.key.text not in _ENTRIES), None)
    if unknown is not None:
        _report_entry(unknown, sink)
        return None
    if "decay" not in entries:
        mend = Help("add it:", code=("ema = { decay: 0.999, warmup: true }",))
        sink.report("DL3113", "`ema` does not say its decay", value.span, "no `decay`", footers=[mend])
        return None
    decay = _decay(entries["decay"].value, sink)
    warmup = truth("warmup", entries["warmup"].value, sink) if "warmup" in entries else False
    return None if decay is None or warmup is None else Average(decay, warmup)


def _decay(value: tree.Expr, sink: Sink) -> float | None:
    decay = number("ema", value, sink)
    if decay is not None and not 0 < decay < 1:
        mend = Help("the share of the old average that an update keeps, near 1:", code=("ema = 0.999",))
        message = "the decay of `ema` must be between 0 and 1"
        sink.report("DL3113", message, value.span, f"this is {decay:g}", footers=[mend])
        return None
    return decay


def _report_entry(key: tree.Ident, sink: Sink) -> None:
    footers = proposed(near(key.text, _ENTRIES), key.span)
    footers.append(Note("`ema` takes `decay` and `warmup`"))
    sink.report("DL3113", f"`ema` has no entry `{key.text}`", key.span, "not an entry", footers=footers)
