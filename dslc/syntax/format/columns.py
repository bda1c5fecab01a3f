"""Columns that the author aligned are kept; nothing is aligned that was not.

Lines that follow one another each have a place that may be padded: before `=`, after a label's colon, before a later `|>`.
They form a column where those places stood under one another and at least one of them was padded. A column is as wide as
its widest line needs. A longer line that was put next to a column of its kind, or a line put into one, joins it.
"""

from __future__ import annotations

from typing import NamedTuple

from dslc.record import record


class Cell(NamedTuple):
    """A place that may be padded: its piece, the width of the line before it, the blanks there were, and the line's kind."""

    piece: int
    width: int
    gap: int
    kind: str

    @property
    def column(self) -> int:
        return self.width + self.gap


@record(frozen=False)
class _Group:
    """Neighbouring cells; `edge` is the column at which their places stand when the group is set."""

    cells: list[Cell]
    edge: int
    padded: bool

    @property
    def aligned(self) -> bool:
        return self.padded and len(self.cells) > 1

    @property
    def loose(self) -> bool:
        return len(self.cells) == 1

    def take(self, other: _Group) -> None:
        self.cells += other.cells
        self.edge = max(self.edge, other.edge)
        self.padded |= other.padded


def paddings(cells: list[Cell]) -> list[tuple[int, int]]:
    """For each cell of a column, its piece and the number of further blanks before it."""
    if all(cell.gap == 1 for cell in cells):
        return []
    groups: list[_Group] = []
    for cell in cells:
        one = _Group([cell], cell.width + 1, cell.gap > 1)
        if groups and groups[-1].cells[-1].column == cell.column:
            groups[-1].take(one)
        else:
            groups.append(one)
    return [
        (cell.piece, group.edge - cell.width - 1) for group in _joined(groups) if group.aligned for cell in group.cells
    ]


def _joined(groups: list[_Group]) -> list[_Group]:
    """Let loose lines join the columns beside them, until none does."""
    settled: list[_Group] = []
    for group in groups:
        settled.append(group)
        while _last_join(settled):
            pass
    return settled


def _last_join(groups: list[_Group]) -> bool:
    """Join the last groups if they belong together."""
    if len(groups) > 2 and _surrounded(*groups[-3:]):
        groups[-3].take(groups[-2])
        groups[-3].take(groups[-1])
        del groups[-2:]
        return True
    if len(groups) > 1 and (_exceeds(groups[-1], groups[-2]) or _exceeds(groups[-2], groups[-1])):
        groups[-2].take(groups.pop())
        return True
    return False


def _surrounded(above: _Group, line: _Group, below: _Group) -> bool:
    """Whether a line was put into a column."""
    last, first = above.cells[-1], below.cells[0]
    same = line.loose and last.column == first.column and last.kind == first.kind == line.cells[0].kind
    return same and (above.padded or below.padded)


def _exceeds(line: _Group, column: _Group) -> bool:
    """Whether a line was put next to a column of its kind that is too narrow for it."""
    neighbours = line.cells[0].kind in (column.cells[0].kind, column.cells[-1].kind)
    return column.aligned and line.loose and neighbours and line.edge > column.edge
