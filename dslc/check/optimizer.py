"""The `optimizer` setting -> `OptimizerSpec`: which optimizer, with every option resolved and in range."""

from __future__ import annotations

from collections.abc import Mapping

from dslc.check.near import near, proposed, quoted
from dslc.check.options import by_name, number, truth
from dslc.check.schedules import check_schedule, constant, is_schedule
from dslc.check.settings import not_yet
from dslc.check.typed import OptimizerSpec, Stage
from dslc.check.watching import Reported
from dslc.diagnostics import Edit, Help, Note, Sink
from dslc.ops.opdef import Option
from dslc.ops.optimizers import OPTIMIZERS, OptimizerDef
from dslc.source import Span
from dslc.syntax import tree

LATER = ("adamax", "radam", "lamb", "lbfgs", "rprop")


def default_optimizer(span: Span) -> OptimizerSpec:
    """What a train block without the setting uses."""
    return _spec("adam", {o.name: _default(o) for o in OPTIMIZERS["adam"].options}, None, span)


def _spec(name: str, options: Mapping[str, float | bool], lr: tuple[Stage, ...] | None, span: Span) -> OptimizerSpec:
    others = {key: value for key, value in options.items() if key != "lr"}
    return OptimizerSpec(name, others, lr or constant(float(options["lr"])), span)


def check_optimizer(value: tree.Expr, reported: Reported | None, sink: Sink) -> OptimizerSpec | None:
    """The optimizer a setting makes, or None after a report.

    Args:
        reported: what its schedule can watch; None where that is not known, after a report.
    """
    callee = value.callee if isinstance(value, tree.Call) else value
    if not isinstance(callee, tree.Name):
        _report_kind(value, sink)
        return None
    if callee.id not in OPTIMIZERS:
        _report_unknown(callee, sink)
        return None
    if not isinstance(value, tree.Call):
        mend = Help("write its options in parentheses, or none:", (Edit(callee.span, f"{callee.id}()"),))
        sink.report("DL3037", f"`{callee.id}` is not called", callee.span, "no parentheses", footers=[mend])
        return None
    return _made(OPTIMIZERS[callee.id], value, reported, sink)


def _report_kind(value: tree.Expr, sink: Sink) -> None:
    footers: list[Note | Help] = []
    if isinstance(value, tree.String) and value.value in OPTIMIZERS:
        footers.append(Help("an optimizer is no string:", (Edit(value.span, f"{value.value}()"),)))
    footers.append(Note(f"optimizers are {quoted(OPTIMIZERS, 'and')}"))
    sink.report("DL3037", "`optimizer` takes an optimizer", value.span, "not an optimizer", footers=footers)


def _report_unknown(callee: tree.Name, sink: Sink) -> None:
    if callee.id in LATER:
        not_yet(f"the optimizer `{callee.id}`", callee, sink)
        return
    footers = proposed(near(callee.id, OPTIMIZERS), callee.span)
    footers.append(Note(f"optimizers are {quoted(OPTIMIZERS, 'and')}"))
    sink.report("DL3037", f"there is no optimizer `{callee.id}`", callee.span, "not found", footers=footers)


def _made(optimizer: OptimizerDef, call: tree.Call, reported: Reported | None, sink: Sink) -> OptimizerSpec | None:
    """The optimizer with every option in its order, defaults filled in."""
    given = by_name(optimizer.name, [option.name for option in optimizer.options], call.args, sink)
    if given is None:
        return None
    rate = given["lr"].value if "lr" in given else None
    stages = check_schedule(rate, reported, sink) if rate is not None and is_schedule(rate) else None
    good = rate is None or not is_schedule(rate) or stages is not None
    values: dict[str, float | bool] = {}
    for option in optimizer.options:
        if option.name not in given or (option.name == "lr" and rate is not None and is_schedule(rate)):
            values[option.name] = _default(option)
            continue
        value = _value(optimizer, option, given[option.name], sink)
        good = good and value is not None
        values[option.name] = 0.0 if value is None else value
    if good and values.get("nesterov") and not values.get("momentum"):
        mend = Help("give it momentum:", code=("momentum = 0.9, nesterov = true",))
        sink.report("DL3005", "`nesterov` needs momentum", given["nesterov"].span, "`momentum` is 0", footers=[mend])
        good = False
    return _spec(optimizer.name, values, stages, call.span) if good else None


def _default(option: Option) -> float | bool:
    value = option.default
    assert isinstance(value, bool | int | float), f"{option.name} has no default"
    return value if isinstance(value, bool) else float(value)


def _value(optimizer: OptimizerDef, option: Option, arg: tree.Arg, sink: Sink) -> float | bool | None:
    """The value of an option, or None after a report."""
    if option.kind == "bool":
        return truth(option.name, arg.value, sink)
    found = number(option.name, arg.value, sink)
    wanted = _range(option.name, found) if found is not None else ""
    if wanted:
        message = f"`{option.name}` of `{optimizer.name}` must be {wanted}"
        sink.report("DL3005", message, arg.value.span, f"this is {found:g}")
        return None
    return found


def _range(name: str, value: float) -> str:
    """What an option's number must be, where it is not; else ""."""
    if name in ("lr", "eps"):
        return "" if value > 0 else "greater than 0"
    if name.startswith("beta") or name in ("momentum", "alpha", "rho"):
        return "" if 0 <= value < 1 else "at least 0 and below 1"
    return "" if value >= 0 else "at least 0"
