"""Memory of a program: where its buffers start in aligned bytes, one behind another or sharing what is free at their time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

_ALIGNMENT = 64  # bytes: a cache line, and the widest vector register
_SMALL = 1024  # bytes: below that, memory saved is worth more than where lines begin
_ALIGNMENT_OF_SMALL = 16

Life: TypeAlias = tuple[int, int, int]  # bytes, and the times of first and last use, both included
Allocate: TypeAlias = Callable[[int], npt.NDArray[Any]]  # bytes -> that many, from where a buffer may start


@dataclass(frozen=True, slots=True)
class Memory:
    """Where a binding takes its memory from.

    Attributes:
        scratch: for what one run alone needs; programs that run one after another may be given the same bytes.
        kept: for results and whatever else outlives a run.
    """

    scratch: Allocate
    kept: Allocate


def in_a_row(sizes: Sequence[int]) -> tuple[list[int], int]:
    """Where buffers of these sizes start that never share memory, each aligned, and the size of all."""
    offsets: list[int] = []
    total = 0
    for size in sizes:
        offsets.append(total)
        total += -(-size // _ALIGNMENT) * _ALIGNMENT
    return offsets, total


def shared(lives: Sequence[Life]) -> tuple[list[int], int]:
    """Where buffers start that share memory where their lives are apart, each aligned, and the size of all.

    The largest is placed first, at the lowest offset that is free throughout its life (Pisarchyk and Lee, "Efficient memory
    management for deep neural net inference", 2020); where that wastes memory, the one that takes most bytes for longest.
    """
    by_size = sorted(range(len(lives)), key=lambda i: (-lives[i][0], lives[i][1], i))
    found = _first_fit(lives, by_size)
    if found[1] > most_live(lives):
        by_area = sorted(by_size, key=lambda i: -lives[i][0] * (lives[i][2] - lives[i][1] + 1))
        found = min(found, _first_fit(lives, by_area), key=lambda each: each[1])
    return found


def most_live(lives: Iterable[Life]) -> int:
    """The most bytes that are in use at one time: no layout takes less."""
    changes: dict[int, int] = {}
    for size, first, last in lives:
        changes[first] = changes.get(first, 0) + size
        changes[last + 1] = changes.get(last + 1, 0) - size
    live = most = 0
    for time in sorted(changes):
        live += changes[time]
        most = max(most, live)
    return most


def _first_fit(lives: Sequence[Life], order: Sequence[int]) -> tuple[list[int], int]:
    offsets = [0] * len(lives)
    placed = np.empty((4, len(lives)), np.int64)  # start, end, first and last use; by start
    total = 0
    for number, i in enumerate(order):
        size, first, last = lives[i]
        start, end, since, until = known = placed[:, :number]
        together = (since <= last) & (until >= first)
        offsets[i] = at = _gap(start[together], end[together], size)
        row = int(start.searchsorted(at))
        placed[:, row + 1 : number + 1] = known[:, row:].copy()
        placed[:, row] = at, at + size, first, last
        total = max(total, at + size)
    return offsets, total


def _gap(start: npt.NDArray[np.int64], end: npt.NDArray[np.int64], size: int) -> int:
    """The lowest aligned offset with so many bytes free, beside stretches that are in use, by where they start."""
    alignment = _ALIGNMENT if size >= _SMALL else _ALIGNMENT_OF_SMALL
    free = np.zeros(len(start) + 1, np.int64)
    np.maximum.accumulate(-(-end // alignment) * alignment, out=free[1:])
    fits = np.flatnonzero(start - free[:-1] >= size)
    return int(free[fits[0]] if len(fits) else free[-1])


class Growing:
    """Memory that everybody who asks is given, anew only where it does not suffice."""

    def __init__(self, allocate: Allocate) -> None:
        self._allocate = allocate
        self._bytes = np.empty(0, np.uint8)

    def __call__(self, size: int) -> npt.NDArray[Any]:
        if self._bytes.nbytes < size:
            self._bytes = self._allocate(size)
        return self._bytes


def aligned(size: int) -> npt.NDArray[Any]:
    """That many bytes, starting where a buffer may start."""
    memory = np.empty(size + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + size]
