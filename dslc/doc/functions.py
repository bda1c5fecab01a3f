"""Operators, names that the checker knows, initialisers and optimizers -> entries."""

from __future__ import annotations

from collections.abc import Sequence

from dslc.check import constants
from dslc.check.builtins import Builtin
from dslc.doc.entry import Entry, choice, written
from dslc.ops.initializers import InitializerDef
from dslc.ops.opdef import OpDef, Option
from dslc.ops.optimizers import OptimizerDef

_LOSSES = ("loss", "metric")


def of_operator(opdef: OpDef, family: str) -> Entry:
    """The entry of an operator that programs may call."""
    facts: list[tuple[str, str]] = []
    if opdef.symbol:
        facts.append(("written", f"`{_with_symbol(opdef)}`"))
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
        initializer.doc,
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
        tuple(map(choice, optimizer.options)),
        example=f"optimizer = {optimizer.name}({first.name} = {first.default})",
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
