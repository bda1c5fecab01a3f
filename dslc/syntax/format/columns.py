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
    """Neighbouring cells.

    `column` is where their places stood, those of lines that joined them aside; `edge` is where they stand when it is set.
    """

    cells: list[Cell]
    column: int
    edge: int
    padded: bool

    @property
    def aligned(self) -> bool:
        return self.padded and len(self.cells) > 1

    @property
    def loose(self) -> bool:
        return len(self.cells) == 1

    def take(self, other: _Group) -> None:
        self.column = other.column if self.loose else self.column
        self.cells += other.cells
        self.edge = max(self.edge, other.edge)
        self.padded |= other.padded


def paddings(cells: list[Cell]) -> list[tuple[int, int]]:
    """For each cell of a column, its piece and the number of further blanks before it."""
    settled = cells
    while (further := _settled(settled)) != settled:  # a line that lost its padding may fit beside another column
        settled = further
    return [(cell.piece, cell.gap - 1) for cell in settled if cell.gap > 1]


def _settled(cells: list[Cell]) -> list[Cell]:
    """The cells with the blanks that their columns ask for; one in no column keeps a single blank."""
    if all(cell.gap == 1 for cell in cells):
        return cells
    groups: list[_Group] = []
    for cell in cells:
        one = _Group([cell], cell.column, cell.width + 1, cell.gap > 1)
        if groups and groups[-1].column == cell.column:
            groups[-1].take(one)
        else:
            groups.append(one)
    return [
        cell._replace(gap=group.edge - cell.width if group.aligned else 1)
        for group in _joined(groups)
        for cell in group.cells
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
        groups[-2:] = [groups[-1]]
    if len(groups) > 1 and _belong(*groups[-2:]):
        groups[-2].take(groups.pop())
        return True
    return False


def _surrounded(above: _Group, line: _Group, below: _Group) -> bool:
    """Whether a line was put into a column."""
    same_kind = above.cells[-1].kind == line.cells[0].kind == below.cells[0].kind
    return line.loose and same_kind and above.column == below.column and (above.padded or below.padded)


def _belong(above: _Group, below: _Group) -> bool:
    """Whether two parts of a column have met, or a line was put next to a column of its kind that is too narrow for it."""
    if above.column == below.column:
        return above.padded or below.padded
    if above.cells[-1].kind != below.cells[0].kind:
        return False
    return _exceeds(above, below) or _exceeds(below, above)


def _exceeds(line: _Group, column: _Group) -> bool:
    return line.loose and column.aligned and line.edge > column.edge
