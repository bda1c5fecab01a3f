"""Pieces -> which of them begin lines, and which bracket belongs to which.

Statements begin lines, unless the block they stand in was written on one line and fits. Inside brackets lines end where
they ended in the source, if that is at a comma, an operator or a bracket; where a bracket opens at a line's end, its
items are set two columns in and it closes on a line of its own, and only then its last item has a comma after it.
"""

from __future__ import annotations

from itertools import pairwise

from dslc.record import record
from dslc.syntax.format.pieces import CLOSERS, COMMA_LISTS, OPENERS, Piece
from dslc.syntax.format.spacing import blanks
from dslc.syntax.token import END

WIDTH = 120
INDENT = 2

_BINARY = frozenset(
    {
        "PLUS", "MINUS", "TIMES", "DIVIDE", "REMAINDER", "MATMUL", "POWER", "EQ", "NE", "LT", "LE", "GT", "GE",
        "AND", "OR",
    }
)  # fmt: skip
_BREAK_AFTER = _BINARY | {"COMMA"}
_BREAK_BEFORE = _BINARY | {"PIPE", "THEN", "ELSE"}


@record
class Breaks:
    """Where lines begin.

    Attributes:
        pieces: the pieces, with the last comma of each bracket put or taken away.
        begins: for each piece, whether it begins a line.
        match: for each opening bracket its closing one, and the other way round; -1 for other pieces.
        inside: for each piece the innermost bracket around it, -1 outside of all; brackets are not inside themselves.
        flat: pieces that begin a statement on the line of another one.
    """

    pieces: list[Piece]
    begins: list[bool]
    match: list[int]
    inside: list[int]
    flat: list[bool]

    def hangs(self, opener: int) -> bool:
        """Whether a bracket ends its line."""
        return self.begins[opener + 1]


def find_breaks(written: list[Piece]) -> Breaks:
    """Decide where lines begin."""
    pieces = _with_commas(written)
    match, inside = _brackets(pieces)
    flat, stages = _flat(pieces, match, inside)
    begins = [at in stages or _begins(pieces, at, match, flat) for at in range(len(pieces))]
    return Breaks(pieces, begins, match, inside, flat)


def _with_commas(written: list[Piece]) -> list[Piece]:
    """Put a comma after the last item where the bracket closes on a line of its own, and take it away elsewhere."""
    pieces: list[Piece] = []
    openers: list[int] = []
    for piece in written:
        if piece.kind in OPENERS:
            openers.append(len(pieces))
        elif piece.kind in CLOSERS:
            opener = openers.pop()
            if pieces[opener].kind in COMMA_LISTS and len(pieces) > opener + 1:
                _end_items(pieces, opener, piece)
        pieces.append(piece)
    return pieces


def _end_items(pieces: list[Piece], opener: int, closer: Piece) -> None:
    last = pieces[-1]
    apart = _closes_apart(pieces[opener], pieces[opener + 1], last, closer)
    if last.kind == "COMMA" and not apart:
        pieces.pop()
    elif last.kind != "COMMA" and apart:
        pieces[-1] = last._replace(trailing="")
        pieces.append(Piece("COMMA", ",", line=last.line, trailing=last.trailing))


def _closes_apart(opener: Piece, first: Piece, last: Piece, closer: Piece) -> bool:
    """Whether a bracket with something in it closes on a line of its own."""
    return first.newline or bool(opener.trailing or last.trailing or closer.comments)


def _brackets(pieces: list[Piece]) -> tuple[list[int], list[int]]:
    match, inside = [-1] * len(pieces), [-1] * len(pieces)
    openers = [-1]
    for at, piece in enumerate(pieces):
        if piece.kind in CLOSERS:
            opener = openers.pop()
            match[at], match[opener] = opener, at
        inside[at] = openers[-1]
        if piece.kind in OPENERS:
            openers.append(at)
    return match, inside


def _flat(pieces: list[Piece], match: list[int], inside: list[int]) -> tuple[list[bool], set[int]]:
    """What becomes of statements that were written on one line.

    Returns:
        Which pieces stand on such a line that fits, also those of statements in its blocks; and the `|>` of pipes on lines
        that do not, which begin lines.
    """
    ends = _statement_ends(pieces, match, inside)
    edges = [0]  # where each piece would end if everything stood on one line
    for before, piece in pairwise(pieces):
        gap = 2 if piece.starts and before.kind != "_BLOCK" else blanks(before.kind, piece.kind)
        edges.append(edges[-1] + gap + len(piece.text))
    flat, stages = [False] * len(pieces), set[int]()
    until, depth = -1, 0
    for at, piece in enumerate(pieces):
        if at <= until:
            flat[at] = True
            continue
        depth += (piece.kind == "_BLOCK") - (piece.kind == "_END" and pieces[match[at]].kind == "_BLOCK")
        if piece.starts and pieces[ends[at]].line == piece.line:
            width = INDENT * depth + len(piece.text) + edges[ends[at]] - edges[at]
            if width <= WIDTH:
                until = ends[at]
            elif not pieces[ends[at]].trailing:  # a comment belongs to the line on which its statement begins
                own = range(at, ends[at])
                stages.update(n for n in own if pieces[n].kind == "PIPE" and inside[n] == inside[at])
    return flat, stages


def _statement_ends(pieces: list[Piece], match: list[int], inside: list[int]) -> list[int]:
    """For each piece that begins a statement, the last piece of it."""
    ends = [-1] * len(pieces)
    open_in: dict[int, int] = {}  # the statement being read in each block
    for at, piece in enumerate(pieces):
        block = match[at] if piece.kind == "_END" else inside[at]
        if piece.starts or piece.kind in ("_END", END):
            ends[open_in.pop(block, at)] = at - 1
        if piece.starts:
            open_in[block] = at
    return ends


def _begins(pieces: list[Piece], at: int, match: list[int], flat: list[bool]) -> bool:
    piece, before = pieces[at], pieces[at - 1]
    if at == 0 or piece.kind == END or piece.comments or before.trailing:
        return True
    if flat[at]:
        return False
    if piece.starts:
        return True
    if piece.kind in CLOSERS:
        return match[at] != at - 1 and _is_open(pieces, match[at], at)
    if before.kind in OPENERS:
        return _is_open(pieces, at - 1, match[at - 1])
    if before.kind == "_END" and piece.kind == "ELSE":
        return False
    return piece.newline and (before.kind in _BREAK_AFTER or piece.kind in _BREAK_BEFORE)


def _is_open(pieces: list[Piece], opener: int, closer: int) -> bool:
    """Whether what is inside a bracket stands on lines of its own, where no comment decides it."""
    kind = pieces[opener].kind
    if kind == "REPEATED":
        return pieces[opener].line != pieces[closer].line
    return kind == "_BLOCK" or pieces[opener + 1].newline
