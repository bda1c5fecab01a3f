"""Planning, last part: lifetimes -> slots of memory. Two buffers share a slot only if they are never live together.

Greedy by size (Pisarchyk and Lee, "Efficient memory management for deep neural net inference", 2020): the largest buffer is
placed first, into the first slot that is free throughout its life. Run-time sizes are unknown here, so sizes are compared at
a nominal value; a slot takes the largest of its buffers when sizes are bound, so the choice is one of economy, never of
correctness.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    table = _Timetable(max((life.last for life in lives), default=0) + 1)
    slots = kept = 0
    for i in sorted(range(len(lives)), key=lambda i: (-_nominal_bytes(lives[i].type), lives[i].first, i)):
        life = lives[i]
        if life.kept:
            result[i] = kept
            kept += 1
            continue
        used = table.used(life.first, life.last)
        number = (~used & (used + 1)).bit_length() - 1  # the lowest bit that is not set
        table.use(life.first, life.last, number)
        slots = max(slots, number + 1)
        result[i] = number
    return result, slots, kept


class _Timetable:
    """Which slots are in use when. A set of slots is an integer with their bits; a segment tree over time holds the sets, so
    that a deep network, whose activations all live at once, costs no more than its number of buffers times a logarithm."""

    def __init__(self, moments: int) -> None:
        self._leaves = 1 << (moments - 1).bit_length()
        self._throughout = [0] * (2 * self._leaves)  # by node: slots in use at all of its times
        self._somewhere = [0] * (2 * self._leaves)  # slots in use at any of them

    def used(self, first: int, last: int) -> int:
        """The slots in use at any time from `first` to `last`."""
        found = 0
        for node in self._cover(first, last):
            found |= self._somewhere[node]
        for node in self._above(first, last):
            found |= self._throughout[node]
        return found

    def use(self, first: int, last: int, slot: int) -> None:
        """Put a slot to use from `first` to `last`."""
        for node in self._cover(first, last):
            self._throughout[node] |= 1 << slot
            self._somewhere[node] |= 1 << slot
        for node in self._above(first, last):
            self._somewhere[node] |= 1 << slot

    def _cover(self, first: int, last: int) -> Iterator[int]:
        """The fewest nodes that have just these times."""
        low, high = first + self._leaves, last + self._leaves + 1
        while low < high:
            if low & 1:
                yield low
                low += 1
            if high & 1:
                high -= 1
                yield high
            low, high = low >> 1, high >> 1

    def _above(self, first: int, last: int) -> Iterator[int]:
        """The nodes from both ends of a time up to the root."""
        for node in (first + self._leaves, last + self._leaves):
            while node:
                yield node
                node >>= 1


def _nominal_bytes(type_: TensorType) -> int:
    size = count(type_.shape)
    for value in _NOMINAL:
        try:
            return evaluate(size, dict.fromkeys(symbols(size), value)) * type_.dtype.bytes
        except ValueError:  # a division that is not exact at this value
            continue
    return 0
