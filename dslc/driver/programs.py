"""Programs that are compiled when they are first asked for, and never if nobody asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import overload

from dslc_runtime.program import Program


class Programs(Sequence[Program]):
    """What some functions compile, in order. Each is called once at most."""

    def __init__(self, makers: Sequence[Callable[[], Program]]) -> None:
        self._makers = tuple(makers)
        self._made: dict[int, Program] = {}

    def __len__(self) -> int:
        return len(self._makers)

    @overload
    def __getitem__(self, index: int) -> Program: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Program, ...]: ...
    def __getitem__(self, index: int | slice) -> Program | tuple[Program, ...]:
        if isinstance(index, slice):
            return tuple(self[position] for position in range(len(self))[index])
        position = range(len(self))[index]
        if position not in self._made:
            self._made[position] = self._makers[position]()
        return self._made[position]
