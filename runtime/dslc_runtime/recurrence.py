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
Lanes: TypeAlias = Mapping[str, Sequence[Array]]
BindSteps: TypeAlias = Callable[[Lanes, int], Sequence[Run]]


def bind_steps(
    wiring: Wiring, values: Sequence[Spec], operands: Sequence[Array], targets: Sequence[Array | None], bind: BindSteps
) -> Run:
    """A function that runs all steps.

    Args:
        values: shape and element type of each value that a step writes.
        operands: initial states, sequences (time on axis 0), constants; never written.
        targets: where the final states and the stacked outputs go; None where nothing reads one.
        bind: every step as a function, for what steps read and write by name, in the order in which they run: states "s0",
            ..., elements "x0", ..., constants "c0", ...; they write "r0", ... Arrays of one name are laid out alike.
    """
    length = len(operands[wiring.states])
    outs = _Outs(wiring, values, targets, length)
    written = [outs.lane(value) for value in range(len(values))]
    first, last = wiring.states, wiring.states + wiring.sequences
    after = [[initial, *written[v]] for initial, v in zip(operands, wiring.results[:first], strict=False)]
    lanes: dict[str, Sequence[Array]] = {f"s{i}": states for i, states in enumerate(after)}
    lanes |= {f"x{i}": _in_order(wiring, sequence) for i, sequence in enumerate(operands[first:last])}
    lanes |= {f"c{i}": [constant] * length for i, constant in enumerate(operands[last:])}
    lanes |= {f"r{value}": lane for value, lane in enumerate(written)}
    copies = [*outs.repeated(), *_finals(targets, [states[-1] for states in after])]
    return _run(tuple(bind(lanes, length)), tuple(copies))


def _run(steps: tuple[Run, ...], copies: tuple[tuple[Array, Array], ...]) -> Run:
    def run() -> None:
        for step in steps:
            step()
        for target, source in copies:
            target[...] = source

    return run


def _in_order(wiring: Wiring, sequence: Array) -> list[Array]:
    """The elements of a sequence, or of a stacked result, in the order in which steps run."""
    length = len(sequence)
    return [sequence[t, ...] for t in (range(length - 1, -1, -1) if wiring.reverse else range(length))]


def _finals(targets: Sequence[Array | None], current: Sequence[Array]) -> list[tuple[Array, Array]]:
    pairs = zip(targets, current, strict=False)
    return [(target, state) for target, state in pairs if target is not None and target is not state]


class _Outs:
    """Where each value that a step writes goes."""

    def __init__(self, wiring: Wiring, values: Sequence[Spec], targets: Sequence[Array | None], length: int) -> None:
        self._wiring = wiring
        self._values = values
        self._length = length
        self._finals: dict[int, Array] = {}
        self._stacks: dict[int, list[Array]] = {}
        for index, (value, target) in enumerate(zip(wiring.results, targets, strict=True)):
            if target is not None and index < wiring.states:
                self._finals.setdefault(value, target)
            elif target is not None:
                self._stacks.setdefault(value, []).append(target)

    def lane(self, value: int) -> list[Array]:
        """The arrays that hold a value, step by step."""
        if value in self._stacks:
            return _in_order(self._wiring, self._stacks[value][0])
        turns = [np.empty(*self._values[value]) for _ in range(min(2, self._length))]
        lane = [turns[number % 2] for number in range(self._length)]
        if lane and value in self._finals:
            lane[-1] = self._finals[value]
        return lane

    def repeated(self) -> list[tuple[Array, Array]]:
        """Stacked results of one value after the first: copies of it."""
        return [(target, first) for first, *others in self._stacks.values() for target in others]
