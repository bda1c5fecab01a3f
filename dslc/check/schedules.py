"""`lr = warmup(200 steps, to = 1e-3) |> cosine(20 epochs, to = 1e-5)` -> the stages of a schedule.

Input: the expression as written; nothing in it is computed. Output: `Stage`s, each of which knows where it starts or takes
over from the one before.
"""

from __future__ import annotations

from collections.abc import Mapping

from dslc.check.near import did_you_mean, near, quoted
from dslc.check.options import by_name, length, number
from dslc.check.settings import literal_number, not_yet
from dslc.check.typed import Length, Stage
from dslc.diagnostics import Edit, Help, Label, Note, Sink
from dslc.ops.schedules import SCHEDULES, ScheduleDef
from dslc.source import Span
from dslc.syntax import tree

LATER = ("plateau",)
#: Stages that need no start where they come first: `warmup` starts at 0, `one_cycle` says itself.
_OWN_START = {"warmup": 0.0, "one_cycle": None}
_ABOVE_ZERO = ("peak", "factor", "div", "final_div", "power", "start")


def constant(value: float) -> tuple[Stage, ...]:
    """The schedule of a number."""
    return (Stage("constant", None, None, value, {}),)


def is_schedule(expr: tree.Expr) -> bool:
    """Whether something looks like a schedule rather than a number gone wrong."""
    if isinstance(expr, tree.Pipe):
        return True
    callee = expr.callee if isinstance(expr, tree.Call) else expr
    return isinstance(callee, tree.Name) and bool(callee.id in (*SCHEDULES, *LATER) or near(callee.id, SCHEDULES))


def check_schedule(expr: tree.Expr, sink: Sink) -> tuple[Stage, ...] | None:
    """The stages an expression means, or None after a report."""
    head, *rest = _parts(expr)
    start = literal_number(head)
    written = rest if start is not None else [head, *rest]
    if start is not None and start <= 0:
        sink.report("DL3005", "a learning rate must be greater than 0", head.span, f"this is {start:g}")
        return None
    stages = [_stage(part, sink) for part in written]
    found = [stage for stage in stages if stage is not None]
    if len(found) < len(stages):
        return None
    if start is not None and found[0].start is None:
        found[0] = _started(found[0], start)
    elif found[0].start is None and found[0].kind in _OWN_START:
        found[0] = _started(found[0], _OWN_START[found[0].kind])
    elif found[0].start is None:
        _report_start(expr, found[0], written[0], sink)
        return None
    endless = next((i for i, stage in enumerate(found[:-1]) if stage.length is None), None)
    if endless is not None:
        _report_endless(found[endless], written[endless], written[endless + 1], sink)
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


def _stage(expr: tree.Expr, sink: Sink) -> Stage | None:
    callee = expr.callee if isinstance(expr, tree.Call) else expr
    if not isinstance(callee, tree.Name) or callee.id not in SCHEDULES:
        _report_unknown(callee, sink)
        return None
    rule = SCHEDULES[callee.id]
    names = [option.name for option in rule.options]
    given = by_name(rule.name, names, expr.args if isinstance(expr, tree.Call) else (), sink)
    if given is None:
        return None
    missing = [option.name for option in rule.options if option.required and option.name not in given]
    if missing:
        mend = Help(f"for example `{rule.example}`")
        message = f"`{rule.name}` needs `{missing[0]}`"
        sink.report("DL3053", message, expr.span, f"`{missing[0]}` is missing", footers=[mend])
        return None
    return _made(rule, given, sink)


def _made(rule: ScheduleDef, given: Mapping[str, tree.Arg], sink: Sink) -> Stage | None:
    times: dict[str, Length] = {}
    numbers: dict[str, float] = {}
    good = True
    for option in rule.options:
        name = option.name
        if name not in given:
            if isinstance(option.default, float):
                numbers[name] = option.default
            continue
        expr = given[name].value
        if option.kind == "length":
            time = length(f"{name}` of `{rule.name}", expr, ("steps", "epochs"), sink)
            if time is not None:
                times[name] = time
            good = good and time is not None
        else:
            value = number(name, expr, sink)
            good = value is not None and _in_range(rule, name, value, expr.span, sink) and good
            numbers[name] = value or 0.0
    if not good:
        return None
    start = numbers.pop("start", None)
    return Stage(rule.name, times.get("length"), times.get("every"), start, numbers)


def _in_range(rule: ScheduleDef, name: str, value: float, span: Span, sink: Sink) -> bool:
    wanted = ""
    if name in _ABOVE_ZERO and not value > 0 and not (name == "start" and value == 0 and rule.name == "warmup"):
        wanted = "greater than 0"
    elif name == "warm" and not 0 < value < 1:
        wanted = "between 0 and 1"
    elif value < 0:
        wanted = "at least 0"
    if wanted:
        sink.report("DL3005", f"`{name}` of `{rule.name}` must be {wanted}", span, f"this is {value:g}")
    return not wanted


def _started(stage: Stage, start: float | None) -> Stage:
    return Stage(stage.kind, stage.length, stage.every, start, stage.options)


def _report_unknown(callee: tree.Expr, sink: Sink) -> None:
    if isinstance(callee, tree.Name) and callee.id in LATER:
        not_yet(f"the schedule `{callee.id}`", callee, sink)
        return
    footers: list[Note | Help] = []
    name = callee.id if isinstance(callee, tree.Name) else ""
    close = near(name, SCHEDULES)
    if close:
        footers.append(Help(did_you_mean(close), (Edit(callee.span, close[0]),) if len(close) == 1 else ()))
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
