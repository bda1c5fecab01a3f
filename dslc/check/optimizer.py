"""The `optimizer` setting -> `OptimizerSpec`: which optimizer, with every option resolved and in range."""

from __future__ import annotations

from collections.abc import Mapping

from dslc.check.near import did_you_mean, near, quoted
from dslc.check.settings import literal_number, not_yet
from dslc.check.typed import OptimizerSpec
from dslc.diagnostics import Edit, Help, Label, Note, Sink
from dslc.ops.opdef import Option
from dslc.ops.optimizers import OPTIMIZERS, OptimizerDef
from dslc.source import Span
from dslc.syntax import tree

SCHEDULES = ("warmup", "cosine", "step_decay", "exponential", "linear", "plateau", "one_cycle")
LATER = ("adamw", "rmsprop", "adagrad", "adadelta", "adamax", "nadam", "radam", "lion", "lamb", "lbfgs", "rprop")


def default_optimizer(span: Span) -> OptimizerSpec:
    """What a train block without the setting uses."""
    return OptimizerSpec("adam", {o.name: _default(o) for o in OPTIMIZERS["adam"].options}, span)


def check_optimizer(value: tree.Expr, sink: Sink) -> OptimizerSpec | None:
    """The optimizer a setting makes, or None after a report."""
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
    options = _options(OPTIMIZERS[callee.id], value.args, sink)
    return None if options is None else OptimizerSpec(callee.id, options, value.span)


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
    close = near(callee.id, OPTIMIZERS)
    footers: list[Note | Help] = [Help(did_you_mean(close), (Edit(callee.span, close[0]),))] if close else []
    footers.append(Note(f"optimizers are {quoted(OPTIMIZERS, 'and')}"))
    sink.report("DL3037", f"there is no optimizer `{callee.id}`", callee.span, "not found", footers=footers)


def _options(optimizer: OptimizerDef, args: tuple[tree.Arg, ...], sink: Sink) -> dict[str, float | bool] | None:
    """Every option by name in the optimizer's order, defaults filled in."""
    by_name = {option.name: option for option in optimizer.options}
    given: dict[str, tree.Arg] = {}
    good = True
    for arg, positional in zip(args, [*by_name, *[""] * len(args)], strict=False):
        name = arg.name.text if arg.name is not None else positional
        if name in given:
            first = Label(given[name].span, "first here")
            sink.report("DL3038", f"`{name}` is given twice", arg.span, "given again here", first)
            good = False
        elif name not in by_name:
            _report_option(optimizer, arg, by_name, sink)
            good = False
        else:
            given[name] = arg
    values: dict[str, float | bool] = {}
    for name, option in by_name.items():
        value = _value(optimizer, option, given[name], sink) if name in given else _default(option)
        good = good and value is not None
        values[name] = 0.0 if value is None else value
    if good and values.get("nesterov") and not values.get("momentum"):
        mend = Help("give it momentum:", code=("momentum = 0.9, nesterov = true",))
        sink.report("DL3005", "`nesterov` needs momentum", given["nesterov"].span, "`momentum` is 0", footers=[mend])
        good = False
    return values if good else None


def _report_option(optimizer: OptimizerDef, arg: tree.Arg, known: Mapping[str, Option], sink: Sink) -> None:
    footers: list[Note | Help] = []
    if arg.name is None:
        message, place = f"`{optimizer.name}` takes {len(known)} options, this is one more", arg.span
    else:
        message, place = f"`{optimizer.name}` has no option `{arg.name.text}`", arg.name.span
        close = ("lr",) if arg.name.text in ("learning_rate", "alpha", "eta") else near(arg.name.text, known)
        if close:
            footers.append(Help(did_you_mean(close), (Edit(place, close[0]),) if len(close) == 1 else ()))
    footers.append(Note(f"options of `{optimizer.name}`: {quoted(known, 'and')}"))
    sink.report("DL3038", message, place, "not an option", footers=footers)


def _default(option: Option) -> float | bool:
    value = option.default
    assert isinstance(value, bool | int | float), f"{option.name} has no default"
    return value if isinstance(value, bool) else float(value)


def _value(optimizer: OptimizerDef, option: Option, arg: tree.Arg, sink: Sink) -> float | bool | None:
    """The value of an option, or None after a report."""
    expr = arg.value
    if option.kind == "bool":
        if isinstance(expr, tree.Constant) and isinstance(expr.value, bool):
            return expr.value
        sink.report("DL3038", f"`{option.name}` is `true` or `false`", expr.span, "neither")
        return None
    number = literal_number(expr)
    if number is None:
        return _report_number(option, expr, sink)
    wanted = _range(option.name, number)
    if wanted:
        message = f"`{option.name}` of `{optimizer.name}` must be {wanted}"
        sink.report("DL3005", message, expr.span, f"this is {number:g}")
        return None
    return float(number)


def _report_number(option: Option, expr: tree.Expr, sink: Sink) -> None:
    head = expr.head if isinstance(expr, tree.Pipe) else expr
    callee = head.callee if isinstance(head, tree.Call) else head
    if isinstance(callee, tree.Name) and callee.id in SCHEDULES:
        not_yet("a schedule of the learning rate", expr, sink)
        return
    sink.report("DL3038", f"`{option.name}` is a number", expr.span, "not a number written out")


def _range(name: str, value: float) -> str:
    """What an option's number must be, where it is not; else ""."""
    if name in ("lr", "eps"):
        return "" if value > 0 else "greater than 0"
    if name.startswith("beta") or name in ("momentum", "dampening", "rho"):
        return "" if 0 <= value < 1 else "at least 0 and below 1"
    return "" if value >= 0 else "at least 0"
