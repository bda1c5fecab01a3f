"""Operators and the other declarations of names, one by one -> entries."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dslc.check import constants
from dslc.check.builtins import Builtin
from dslc.check.setting_defs import SettingDef
from dslc.doc.entry import Choice, Entry, choice, written
from dslc.ops.initializers import FANS, InitializerDef
from dslc.ops.opdef import OpDef, Option
from dslc.ops.optimizers import OptimizerDef
from dslc.ops.schedules import ScheduleDef

_LOSSES = ("loss", "metric")
#: The letters that formulas of losses have for their operands.
_LETTERS = {"prediction": "p", "logits": "x", "scores": "x", "target": "t"}


def of_operator(opdef: OpDef, family: str) -> Entry:
    """The entry of an operator that programs may call."""
    facts: list[tuple[str, str]] = []
    if opdef.symbol:
        facts.append(("written", f"`{_with_symbol(opdef)}`"))
    letters = [f"{_LETTERS[name]} is `{name}`" for name in opdef.operands if _is_lettered(opdef, name)]
    if family == "loss" and letters:
        facts.append(("in formulas", ", ".join(letters)))
    if opdef.result_range:
        facts.append(("result", f"{_article(opdef.result_range)} {opdef.result_range}"))
    if opdef.name in constants.FUNCTIONS:
        facts.append(("compile time", "applied to compile-time numbers it gives a compile-time number"))
    return Entry(
        opdef.name,
        family if family in _LOSSES else "function",
        "" if family in _LOSSES else family,
        _signature(opdef.name, _operands(opdef), opdef.options),
        opdef.doc,
        tuple(map(choice, opdef.options)),
        tuple(facts),
        opdef.example or _example(opdef),
    )


def _is_lettered(opdef: OpDef, operand: str) -> bool:
    """Whether a formula calls an operand by its letter."""
    return operand in _LETTERS and re.search(rf"\b{_LETTERS[operand]}\b", opdef.doc) is not None


def of_builtin(builtin: Builtin, kind: str, group: str = "") -> Entry:
    """The entry of a function without an operator, or of a data source."""
    return Entry(builtin.name, kind, group, builtin.signature, builtin.doc, example=builtin.example)


def of_initializer(initializer: InitializerDef) -> Entry:
    """The entry of an initialiser."""
    required = ", ".join(f"{option.name} = 0.5" for option in initializer.options if option.required)
    return Entry(
        initializer.name,
        "initialiser",
        "",
        _signature(initializer.name, (), initializer.options),
        f"{initializer.doc}\n\n{FANS}"
        if any(option.name == "layout" for option in initializer.options)
        else initializer.doc,
        tuple(map(choice, initializer.options)),
        example=f"param w: f32[8, 4] = {initializer.name}({required})",
    )


def of_optimizer(optimizer: OptimizerDef) -> Entry:
    """The entry of an optimizer."""
    first = choice(optimizer.options[0])
    return Entry(
        optimizer.name,
        "optimizer",
        "",
        _signature(optimizer.name, (), optimizer.options),
        optimizer.doc,
        tuple(map(_rate_or_choice, optimizer.options)),
        example=f"optimizer = {optimizer.name}({first.name} = {first.default})",
    )


def _rate_or_choice(option: Option) -> Choice:
    found = choice(option)
    return Choice(found.name, found.default, "a number, or a schedule") if option.name == "lr" else found


def of_schedule(schedule: ScheduleDef) -> Entry:
    """The entry of a stage of a schedule."""
    return Entry(
        schedule.name,
        "schedule",
        "",
        _signature(schedule.name, (), schedule.options),
        schedule.doc,
        tuple(map(_stage_choice, schedule.options)),
        (("steps", "`j` counts those of the stage from 0, `n` is how many it has"),),
        schedule.example,
    )


def _stage_choice(option: Option) -> Choice:
    found = choice(option)
    if option.name == "start":
        return Choice(found.name, found.default, "a number; none goes on from where the stage before ended")
    endless = option.kind == "length" and found.default == "none"
    return Choice(found.name, found.default, f"{found.takes}; none is for ever") if endless else found


def of_setting(setting: SettingDef) -> Entry:
    """The entry of a setting of a block."""
    first, *others = setting.blocks
    facts = [("also in", f"`{name}` blocks" if name != "step" else "each `step`") for name in others]
    if setting.options:
        signature = _signature(setting.name, (), setting.options)
    else:
        signature = f"{setting.name} = {setting.default}" if setting.default else setting.name
        facts.insert(0, ("takes", setting.takes))
    options = tuple(map(choice, setting.options))
    return Entry(
        setting.name, "setting", f"{first} blocks", signature, setting.doc, options, tuple(facts), setting.example
    )


def of_distribution(opdef: OpDef) -> Entry:
    """The entry of what a `sample` can be drawn from; a random operator draws it."""
    name = opdef.name.removeprefix("random_")
    bound = ", ".join(map(written, opdef.options))
    return Entry(
        name,
        "distribution",
        "",
        f"{name}({bound})",
        opdef.doc.split(", in the shape", 1)[0] + ".",
        tuple(map(choice, opdef.options)),
        example=f"sample z: f32[B, 64] ~ {name}({bound})",
    )


def _signature(name: str, operands: Sequence[str], options: Sequence[Option]) -> str:
    return f"{name}({', '.join((*operands, *map(written, options)))})"


def _operands(opdef: OpDef) -> list[str]:
    return [
        f"{name[1:]}..." if name.startswith("*") else f"{name[:-1]} = none" if name.endswith("?") else name
        for name in opdef.operands
    ]


def _with_symbol(opdef: OpDef) -> str:
    if len(opdef.operands) == 1:
        space = " " if opdef.symbol.isalpha() else ""
        return f"{opdef.symbol}{space}{opdef.operands[0]}"
    return f"{opdef.operands[0]} {opdef.symbol} {opdef.operands[1]}"


def _example(opdef: OpDef) -> str:
    """The plainest use of an operator, where one tensor says it all."""
    if opdef.symbol:
        return f"y = {opdef.symbol}x" if len(opdef.operands) == 1 else f"y = x {opdef.symbol} 2"
    return f"y = {opdef.name}(x)"


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"
