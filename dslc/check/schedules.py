"""`lr = warmup(200 steps, to = 1e-3) |> cosine(20 epochs, to = 1e-5)` -> the stages of a schedule.

Input: the expression as written; nothing in it is computed. Output: `Stage`s, each of which knows where it starts or takes
over from the one before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dslc.check.near import near, proposed, quoted
from dslc.check.options import by_name, epochs, length, number, truth
from dslc.check.settings import literal_number
from dslc.check.typed import Length, Stage
from dslc.check.watching import Reported, Watcher, check_watched
from dslc.diagnostics import Edit, Help, Label, Note, Sink
from dslc.ops.schedules import SCHEDULES, ScheduleDef
from dslc.record import replace
from dslc.source import Span
from dslc.syntax import tree

#: Stages that need no start where they come first: `warmup` starts at 0, `one_cycle` says itself.
_OWN_START = {"warmup": 0.0, "one_cycle": None}
#: What reads an option that is kept as a number, by its kind.
_NUMBERS: Mapping[str, Callable[[str, tree.Expr, Sink], float | None]] = {
    "float": number,
    "bool": truth,
    "epochs": epochs,
}
_ABOVE_ZERO = ("peak", "factor", "div", "final_div", "power", "start")


def constant(value: float) -> tuple[Stage, ...]:
    """The schedule of a number."""
    return (Stage("constant", None, None, value, {}),)


def is_schedule(expr: tree.Expr) -> bool:
    """Whether something looks like a schedule rather than a number gone wrong."""
    if isinstance(expr, tree.Pipe):
        return True
    callee = expr.callee if isinstance(expr, tree.Call) else expr
    return isinstance(callee, tree.Name) and bool(callee.id in SCHEDULES or near(callee.id, SCHEDULES))


def check_schedule(expr: tree.Expr, reported: Reported | None, sink: Sink) -> tuple[Stage, ...] | None:
    """The stages an expression means, or None after a report.

    Args:
        reported: what a stage can watch; None where that is not known, after a report.
    """
    head, *rest = _parts(expr)
    start = literal_number(head)
    written = rest if start is not None else [head, *rest]
    if start is not None and start <= 0:
        sink.report("DL3005", "a learning rate must be greater than 0", head.span, f"this is {start:g}")
        return None
    stages = [_stage(part, reported, sink) for part in written]
    found = [stage for stage in stages if stage is not None]
    if len(found) < len(stages):
        return None
    if start is not None and found[0].start is None:
        found[0] = replace(found[0], start=start)
    elif found[0].start is None and found[0].kind in _OWN_START:
        found[0] = replace(found[0], start=_OWN_START[found[0].kind])
    elif found[0].start is None:
        _report_start(expr, found[0], written[0], sink)
        return None
    endless = next((i for i, stage in enumerate(found[:-1]) if stage.length is None), None)
    if endless is not None:
        _report_endless(found[endless], written[endless], written[endless + 1], sink)
        return None
    watching = [part for part, stage in zip(written, found, strict=True) if stage.watched is not None]
    if len(watching) > 1:
        _report_second(watching[0], watching[1], sink)
        return None
    return tuple(found)


def _parts(expr: tree.Expr) -> list[tree.Expr]:
    """The head of a pipe and its stages; what is no plain stage becomes a name that is none."""
    if not isinstance(expr, tree.Pipe):
        return [expr]
    parts = [expr.head]
    for stage in expr.stages:
        if stage.label is not None or isinstance(stage.body, tree.Repeat):
            parts.append(tree.String("", stage.span))
        else:
            parts.append(stage.body)
    return parts


def _stage(expr: tree.Expr, reported: Reported | None, sink: Sink) -> Stage | None:
    callee = expr.callee if isinstance(expr, tree.Call) else expr
    if not isinstance(callee, tree.Name) or callee.id not in SCHEDULES:
        _report_unknown(callee, sink)
        return None
    rule = SCHEDULES[callee.id]
    names = [option.name for option in rule.options]
    given = by_name(rule.name, names, expr.args if isinstance(expr, tree.Call) else (), sink)
    if given is None:
        return None
    watcher = Watcher(rule.name, "DL3110", f"{rule.name}(on = ON)", expr.span, given) if rule.watches else None
    missing = [option.name for option in rule.options if option.required and option.name not in given]
    if missing and (watcher is None or missing != ["on"]):
        mend = Help(f"for example `{rule.example}`")
        message = f"`{rule.name}` needs `{missing[0]}`"
        sink.report("DL3053", message, expr.span, f"`{missing[0]}` is missing", footers=[mend])
        return None
    made = _made(rule, given, sink)
    if watcher is None:
        return made
    watched = check_watched(watcher, reported, sink) if reported is not None else None
    return None if made is None or watched is None else replace(made, watched=watched)


def _made(rule: ScheduleDef, given: Mapping[str, tree.Arg], sink: Sink) -> Stage | None:
    times: dict[str, Length] = {}
    numbers: dict[str, float] = {}
    good = True
    for option in rule.options:
        name = option.name
        if name not in given:
            if isinstance(option.default, int | float):
                numbers[name] = float(option.default)
            continue
        expr = given[name].value
        if option.kind == "length":
            time = length(f"{name}` of `{rule.name}", expr, ("steps", "epochs"), sink)
            if time is not None:
                times[name] = time
            good = good and time is not None
        elif option.kind in _NUMBERS:
            value = _NUMBERS[option.kind](name, expr, sink)
            good = value is not None and _in_range(rule, name, value, expr.span, sink) and good
            numbers[name] = float(value or 0)
    if not good:
        return None
    start = numbers.pop("start", None)
    return Stage(rule.name, times.get("length"), times.get("every"), start, numbers)


def _in_range(rule: ScheduleDef, name: str, value: float, span: Span, sink: Sink) -> bool:
    wanted = ""
    if name in _ABOVE_ZERO and not value > 0 and not (name == "start" and value == 0 and rule.name == "warmup"):
        wanted = "greater than 0"
    elif (name == "warm" or (name == "factor" and rule.watches)) and not 0 < value < 1:
        wanted = "between 0 and 1"
    elif value < 0:
        wanted = "at least 0"
    if wanted:
        sink.report("DL3005", f"`{name}` of `{rule.name}` must be {wanted}", span, f"this is {value:g}")
    return not wanted


def _report_unknown(callee: tree.Expr, sink: Sink) -> None:
    footers: list[Note | Help] = []
    name = callee.id if isinstance(callee, tree.Name) else ""
    footers += proposed(near(name, SCHEDULES), callee.span)
    footers.append(Note(f"schedules are {quoted(SCHEDULES, 'and')}"))
    message = f"there is no schedule `{name}`" if name else "this is no stage of a schedule"
    sink.report("DL3052", message, callee.span, "not found" if name else "not a schedule", footers=footers)


def _report_start(expr: tree.Expr, stage: Stage, first: tree.Expr, sink: Sink) -> None:
    begin = Span(expr.span.source, expr.span.start, expr.span.start)
    mend = Help("begin with the rate it starts at:", (Edit(begin, "1e-3 |> "),))
    message = f"`{stage.kind}` does not say at which rate it starts"
    sink.report("DL3054", message, first.span, "nothing comes before it", footers=[mend])


def _report_endless(stage: Stage, first: tree.Expr, second: tree.Expr, sink: Sink) -> None:
    after = Label(second.span, "never reached")
    mend = Help("say how long it lasts: `length = 10 epochs`")
    sink.report("DL3054", f"`{stage.kind}` lasts for ever here", first.span, "has no length", after, footers=[mend])


def _report_second(first: tree.Expr, second: tree.Expr, sink: Sink) -> None:
    before = Label(first.span, "the first one")
    message = "a schedule looks at one score"
    mend = Help("one `plateau` cuts the rate as often as the score stops improving")
    sink.report("DL3111", message, second.span, "a second one", before, footers=[mend])
