"""A recurrence: a program for one step -> the memory of every step, so that running through time copies nothing.

Elements of sequences are views, results of a step are written where they belong: into their element of a stacked result, else
into one of two buffers in turn, so that a step never writes what it reads. A state that is also a stacked result is read
from there by the next step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Run: TypeAlias = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Wiring:
    """How the results of a step are connected.

    Attributes:
        states, sequences: how many of the operands are initial states, and how many sequences; the others are constants.
        results: for each next state, then each output: which of the values written by a step it is.
        reverse: whether the last element of the sequences comes first.
    """

    states: int
    sequences: int
    results: tuple[int, ...]
    reverse: bool


Spec: TypeAlias = tuple[tuple[int, ...], np.dtype[Any]]
Bind: TypeAlias = Callable[[Mapping[str, Array]], Run]


def bind_steps(
    wiring: Wiring, values: Sequence[Spec], operands: Sequence[Array], targets: Sequence[Array | None], bind: Bind
) -> Run:
    """A function that runs all steps.

    Args:
        values: shape and element type of each value that a step writes.
        operands: initial states, sequences (time on axis 0), constants; never written.
        targets: where the final states and the stacked outputs go; None where nothing reads one.
        bind: a step as a function, for arrays by name: states "s0", ..., elements "x0", ..., constants "c0", ...; it writes
            "r0", ...
    """
    outs = _Outs(wiring, values, targets)
    length = len(operands[wiring.states])
    current = list(operands[: wiring.states])
    steps: list[Run] = []
    for number, t in enumerate(range(length - 1, -1, -1) if wiring.reverse else range(length)):
        written = outs.at(number, t, last=number == length - 1)
        steps.append(bind(_named(wiring, operands, current, t) | {f"r{v}": out for v, out in enumerate(written)}))
        current = [written[v] for v in wiring.results[: wiring.states]]
    copies = [*outs.repeated(), *_finals(targets, current)]
    return _run(tuple(steps), tuple(copies))


def _run(steps: tuple[Run, ...], copies: tuple[tuple[Array, Array], ...]) -> Run:
    def run() -> None:
        for step in steps:
            step()
        for target, source in copies:
            target[...] = source

    return run


def _named(wiring: Wiring, operands: Sequence[Array], states: Sequence[Array], t: int) -> dict[str, Array]:
    first, last = wiring.states, wiring.states + wiring.sequences
    named = {f"s{i}": state for i, state in enumerate(states)}
    named |= {f"x{i}": sequence[t, ...] for i, sequence in enumerate(operands[first:last])}
    return named | {f"c{i}": constant for i, constant in enumerate(operands[last:])}


def _finals(targets: Sequence[Array | None], current: Sequence[Array]) -> list[tuple[Array, Array]]:
    pairs = zip(targets, current, strict=False)
    return [(target, state) for target, state in pairs if target is not None and target is not state]


class _Outs:
    """Where each value that a step writes goes."""

    def __init__(self, wiring: Wiring, values: Sequence[Spec], targets: Sequence[Array | None]) -> None:
        self._finals: dict[int, Array] = {}
        self._stacks: dict[int, list[Array]] = {}
        for index, (value, target) in enumerate(zip(wiring.results, targets, strict=True)):
            if target is not None and index < wiring.states:
                self._finals.setdefault(value, target)
            elif target is not None:
                self._stacks.setdefault(value, []).append(target)
        self._turns = [
            None if value in self._stacks else (np.empty(*spec), np.empty(*spec)) for value, spec in enumerate(values)
        ]

    def at(self, number: int, t: int, *, last: bool) -> list[Array]:
        """The arrays of one step."""
        return [self._one(value, turns, number, t, last) for value, turns in enumerate(self._turns)]

    def _one(self, value: int, turns: tuple[Array, Array] | None, number: int, t: int, last: bool) -> Array:
        if turns is None:
            return self._stacks[value][0][t, ...]
        return self._finals[value] if last and value in self._finals else turns[number % 2]

    def repeated(self) -> list[tuple[Array, Array]]:
        """Stacked results of one value after the first: copies of it."""
        return [(target, first) for first, *others in self._stacks.values() for target in others]
