"""The rows of one level of a picture: which thing stands in which row, and in which order within it.

Layered drawing after Sugiyama, Tagawa and Toda (1981): a thing is below everything it reads, lines that pass rows have a knot in
each of them, and the order within rows is the one of fewest crossings that sweeps of barycentres come by.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

SWEEPS = 8

#: Anything hashable: a part of the picture, the end of a line at the border, a knot.
Item: TypeAlias = Hashable


@dataclass(frozen=True, slots=True)
class Line:
    """A line from an item to one that is in a later row; lines of one `wire` carry the same value and run together."""

    start: Item
    end: Item
    wire: int


@dataclass(frozen=True, slots=True)
class Knot:
    """Where a wire passes a row."""

    start: Item
    wire: int
    row: int


def rows_of(items: Sequence[Item], lines: Iterable[Line], first: int, top: Sequence[Item]) -> dict[Item, int]:
    """The row of every item: right below the last thing it reads, and what reads nothing right above its first reader.

    Args:
        items: in an order in which lines go forward.
        first: the row of what reads nothing and is not read.
        top: what stands in row 0.
    """
    rows = dict.fromkeys(items, first) | dict.fromkeys(top, 0)
    before: dict[Item, list[Item]] = {item: [] for item in items}
    after: dict[Item, list[Item]] = {item: [] for item in items}
    for line in lines:
        before[line.end].append(line.start)
        after[line.start].append(line.end)
    for item in items:
        rows[item] = max((rows[start] + 1 for start in before[item]), default=rows[item])
    for item in reversed(items):
        if not before[item] and after[item] and item not in top:
            rows[item] = min(rows[end] for end in after[item]) - 1
    return rows


def knotted(lines: Sequence[Line], rows: Mapping[Item, int]) -> tuple[list[Line], dict[Knot, int]]:
    """Lines from each row to the next alone, and the knots between them with their rows."""
    short: dict[Line, None] = {}
    knots: dict[Knot, int] = {}
    for line in lines:
        at = line.start
        for row in range(rows[line.start] + 1, rows[line.end]):
            knot = Knot(line.start, line.wire, row)
            knots[knot] = row
            short[Line(at, knot, line.wire)] = None
            at = knot
        short[Line(at, line.end, line.wire)] = None
    return list(short), knots


def ordered(rows: Sequence[Sequence[Item]], lines: Sequence[Line]) -> list[list[Item]]:
    """The rows in an order with few crossings; lines go from one row to the next."""
    best = [list(row) for row in rows]
    fewest = _crossings(best, lines)
    current = [list(row) for row in best]
    above, below = _neighbours(lines)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        down = sweep % 2 == 0
        steps = range(1, len(current)) if down else range(len(current) - 2, -1, -1)
        for i in steps:
            around = {item: place for place, item in enumerate(current[i - 1 if down else i + 1])}
            _sort(current[i], above if down else below, around)
        count = _crossings(current, lines)
        if count < fewest:
            best, fewest = [list(row) for row in current], count
    return best


def _neighbours(lines: Iterable[Line]) -> tuple[dict[Item, list[Item]], dict[Item, list[Item]]]:
    above: dict[Item, list[Item]] = {}
    below: dict[Item, list[Item]] = {}
    for line in lines:
        above.setdefault(line.end, []).append(line.start)
        below.setdefault(line.start, []).append(line.end)
    return above, below


def _sort(row: list[Item], neighbours: Mapping[Item, Sequence[Item]], around: Mapping[Item, int]) -> None:
    """Sort a row by the mean place of neighbours; what has none stays about where it is."""
    places: dict[Item, float] = {}
    for place, item in enumerate(row):
        found = [around[other] for other in neighbours.get(item, ()) if other in around]
        places[item] = sum(found) / len(found) if found else place
    row.sort(key=lambda item: places[item])


def _crossings(rows: Sequence[Sequence[Item]], lines: Iterable[Line]) -> int:
    place = {item: i for row in rows for i, item in enumerate(row)}
    row_of = {item: number for number, row in enumerate(rows) for item in row}
    by_row: dict[int, list[tuple[int, int]]] = {}
    for line in lines:
        by_row.setdefault(row_of[line.start], []).append((place[line.start], place[line.end]))
    return sum(
        (a < c and b > d) or (a > c and b < d)
        for pairs in by_row.values()
        for i, (a, b) in enumerate(pairs)
        for c, d in pairs[:i]
    )
