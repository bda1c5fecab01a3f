"""Where lines begin -> the blanks that set the parts of neighbouring lines under one another.

`input` and `state` are as wide as `output`. The other columns are those that the author aligned: the `=` of statements, of
arguments and of hyper-parameters, what follows the labels of a pipe's stages and the keys of a record, the blocks of
one-line steps and tests, the later stages on the lines of a pipe, and the numbers of tables.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import groupby, pairwise, zip_longest

from dslc.syntax.format.breaks import Breaks
from dslc.syntax.format.columns import Cell, paddings
from dslc.syntax.format.pieces import CLOSERS
from dslc.syntax.format.spacing import blanks
from dslc.syntax.format.tables import pad_tables

_PADDED_WORDS = {"INPUT": len("output"), "STATE": len("output")}


def find_pads(layout: Breaks) -> list[int]:
    """For each piece, the blanks before it beyond those its neighbour asks for."""
    return _Aligner(layout).run()


_Line = tuple[int, int]  # its first piece and the one after its last


class _Aligner:
    def __init__(self, layout: Breaks) -> None:
        self._layout = layout
        self._pieces = layout.pieces
        self._pads = [0] * len(layout.pieces)
        self._firsts = [at for at, begins in enumerate(layout.begins) if begins]
        self._tables: set[int] = set()
        self._rows: dict[int, list[_Line]] = {}  # by bracket: the neighbouring statements or items so far
        # By the first piece of a line: a piece of it, and the width of what stands before that. Pieces are asked for in order.
        self._measured: dict[int, tuple[int, int]] = {}
        self._chains: dict[int, list[_Line]] = {}  # by bracket: the lines so far that begin with `|>`

    def run(self) -> list[int]:
        self._tables = pad_tables(self._layout, self._pads)
        for line in pairwise(self._firsts):
            if self._pieces[line[0]].kind not in CLOSERS:
                self._add(line)
        for bracket in {*self._rows, *self._chains}:
            self._end_chain(bracket)
            self._end_rows(bracket)
        return self._pads

    def _add(self, line: _Line) -> None:
        piece, bracket = self._pieces[line[0]], self._layout.inside[line[0]]
        if piece.kind == "PIPE":
            self._chains.setdefault(bracket, []).append(line)
            return
        self._end_chain(bracket)
        if piece.kind in _PADDED_WORDS:
            self._pads[line[0] + 1] = _PADDED_WORDS[piece.kind] - len(piece.text)
        if piece.blank or any(comment.blank for comment in piece.comments):
            self._end_rows(bracket)
        if bracket not in self._rows:
            self._rows[bracket] = self._beside(bracket)
        self._rows[bracket].append(line)

    def _beside(self, bracket: int) -> list[_Line]:
        """What stands on the line of a bracket after it, which is the first of the lines inside, or nothing."""
        if bracket < 0 or self._layout.hangs(bracket):
            return []
        return [(bracket + 1, self._firsts[bisect_right(self._firsts, bracket)])]

    def _end_rows(self, bracket: int) -> None:
        lines = self._rows.pop(bracket, [])
        if len(lines) > 1:
            firsts = [self._statement(*line) if self._pieces[line[0]].starts else self._item(*line) for line in lines]
            self._pad_runs(firsts)
            self._align_stops(lines, firsts, bracket)

    def _end_chain(self, bracket: int) -> None:
        """Align the labels of a pipe's lines, also around lines without one."""
        lines = self._chains.pop(bracket, [])
        if len(lines) > 1:
            labels = [self._after_colon(first, first + 2, stop) for first, stop in lines]
            self._pad_runs([label for label in labels if label is not None])
            self._align_stops(lines, labels, bracket)

    def _align_stops(self, lines: list[_Line], aligned: list[Cell | None], bracket: int) -> None:
        """Align the later stages and what follows commas on neighbouring lines, from left to right."""
        stops = [
            self._stops(first if cell is None else cell.piece, stop, bracket)
            for (first, stop), cell in zip(lines, aligned, strict=True)
        ]
        for places in zip_longest(*stops, fillvalue=-1):
            if any(self._pieces[at].gap > 1 for at in places if at >= 0):
                cells = zip(lines, places, strict=True)
                self._pad_runs([self._cell(first, at, "stop") if at >= 0 else None for (first, _), at in cells])

    def _pad_runs(self, cells: list[Cell | None] | list[Cell]) -> None:
        """Align neighbouring cells; where there is none, a run of them ends."""
        for there, run in groupby(cells, key=lambda cell: cell is not None):
            if there:
                for at, pad in paddings([cell for cell in run if cell is not None]):
                    self._pads[at] = pad

    # ------------------------------------------------------------------------------------------ cells

    def _cell(self, first: int, at: int, kind: str) -> Cell:
        since, width = self._measured.get(first, (first + 1, len(self._pieces[first].text)))
        for inner in range(since, at):
            width += self._blanks(inner) + len(self._pieces[inner].text)
        self._measured[first] = at, width
        return Cell(at, width, max(self._pieces[at].gap, 1), kind)

    def _blanks(self, at: int) -> int:
        return blanks(self._pieces[at - 1].kind, self._pieces[at].kind) + self._pads[at]

    def _statement(self, first: int, stop: int) -> Cell | None:
        """The place before the `=` of a statement, or before the block of one that stands on one line."""
        word, bracket = self._pieces[first].kind, self._layout.inside[first]
        for at in range(first + 1, stop):
            if self._layout.inside[at] != bracket:
                continue
            kind = self._pieces[at].kind
            if kind == "EQUAL":
                return self._cell(first, at, word)
            if kind == "_BLOCK":
                return self._cell(first, at, f"{word} block") if word != "IF" and self._layout.flat[at] else None
        return None

    def _item(self, first: int, stop: int) -> Cell | None:
        """The place after the key of a record's entry, or before the `=` of an argument."""
        bracket = self._layout.inside[first]
        if bracket < 0 or self._pieces[first - 1].kind not in ("COMMA", self._pieces[bracket].kind):
            return None
        if self._pieces[bracket].kind == "LBRACE":
            return self._after_colon(first, first + 1, stop)
        for at in range(first + 1, stop):
            if self._layout.inside[at] == bracket and self._pieces[at].kind in ("EQUAL", "COMMA"):
                return self._cell(first, at, "argument") if self._pieces[at].kind == "EQUAL" else None
        return None

    def _after_colon(self, first: int, colon: int, stop: int) -> Cell | None:
        labelled = colon + 1 < stop and self._pieces[colon].kind == "COLON"
        return self._cell(first, colon + 1, "label") if labelled else None

    def _stops(self, first: int, stop: int, bracket: int) -> list[int]:
        """The later stages of the line's own pipe, and whatever follows a comma outside of tables."""
        found: list[int] = []
        for at in range(first + 1, stop):
            is_stage = self._pieces[at].kind == "PIPE" and self._layout.inside[at] == bracket
            if is_stage or (self._pieces[at - 1].kind == "COMMA" and self._layout.inside[at - 1] not in self._tables):
                found.append(at)
        return found
