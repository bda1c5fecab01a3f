"""Planning, last part: lifetimes -> slots of memory. Two buffers share a slot only if they are never live together.

Greedy by size (Pisarchyk and Lee, "Efficient memory management for deep neural net inference", 2020): the largest buffer is
placed first, into the first slot that is free throughout its life. Run-time sizes are unknown here, so sizes are compared at
a nominal value; a slot takes the largest of its buffers when sizes are bound, so the choice is one of economy, never of
correctness.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from dslc.tensor_type import TensorType, count, evaluate, symbols

# Tried in turn: a usual batch size, and one that more divisions leave whole.
_NOMINAL = (64, 5040)


@dataclass(frozen=True, slots=True)
class Life:
    """A need for memory from time `first` to time `last`, both included; `kept` is memory of its own, never shared."""

    type: TensorType
    first: int
    last: int
    kept: bool = False


def colour(lives: Sequence[Life]) -> tuple[list[int], int, int]:
    """A slot for each life, the number of scratch slots, and the number of kept slots (they are counted apart)."""
    result = [0] * len(lives)
    slots: list[list[tuple[int, int]]] = []
    kept = 0
    for i in sorted(range(len(lives)), key=lambda i: (-_nominal_bytes(lives[i].type), lives[i].first, i)):
        life = lives[i]
        if life.kept:
            result[i] = kept
            kept += 1
            continue
        number = next((number for number, taken in enumerate(slots) if _is_free(taken, life)), len(slots))
        if number == len(slots):
            slots.append([])
        slots[number].insert(bisect_right(slots[number], (life.first, life.last)), (life.first, life.last))
        result[i] = number
    return result, len(slots), kept


def _is_free(taken: list[tuple[int, int]], life: Life) -> bool:
    """Whether a slot is free throughout a life; `taken` are the times it is not, in order and apart from each other."""
    after = bisect_right(taken, life.last, key=lambda times: times[0])
    return after == 0 or taken[after - 1][1] < life.first


def _nominal_bytes(type_: TensorType) -> int:
    size = count(type_.shape)
    for value in _NOMINAL:
        try:
            return evaluate(size, dict.fromkeys(symbols(size), value)) * type_.dtype.bytes
        except ValueError:  # a division that is not exact at this value
            continue
    return 0
