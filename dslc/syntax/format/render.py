"""Lines and their columns -> text: indents and comments.

A statement stands two columns inside its block. Its further lines begin with `|>`, `then` or `else` and stand two columns
inside the statement, or two columns inside its value where they were written to the right of where that begins. Inside
a bracket, lines stand two columns inside the line that the bracket ends, or beside what follows the bracket.
"""

from __future__ import annotations

from itertools import pairwise

from dslc.syntax.format.breaks import INDENT, Breaks
from dslc.syntax.format.pieces import CLOSERS, OPENERS
from dslc.syntax.format.spacing import blanks

COMMENT_COLUMN = 46

_BLOCKS = frozenset({"_BLOCK", "REPEATED"})
_CONTINUES = frozenset({"PIPE", "THEN", "ELSE"})


def render(layout: Breaks, pads: list[int]) -> str:
    """The text, with a line end after each line."""
    return _Renderer(layout, pads).run()


class _Renderer:
    def __init__(self, layout: Breaks, pads: list[int]) -> None:
        self._layout = layout
        self._pieces = layout.pieces
        self._pads = pads
        self._columns = [0] * len(layout.pieces)  # where each piece stands
        # Where the line of a bracket begins, without its `|>`; where the statement of a block begins.
        self._bases = [0] * len(layout.pieces)
        self._statement = 0  # the first piece of the current one
        self._further = -1  # where its further lines stand, -1 while it has none
        self._lines: list[str] = []
        self._opened = False  # whether the last line ends in an opening bracket
        self._commented: list[tuple[str, str]] = []  # neighbouring lines that end in comments

    def run(self) -> str:
        firsts = [at for at, begins in enumerate(self._layout.begins) if begins]
        for first, stop in pairwise(firsts):
            self._line(first, stop)
        self._own_comments(firsts[-1], 0)
        self._end_comments()
        return "".join(f"{line}\n" for line in self._lines)

    def _line(self, first: int, stop: int) -> None:
        piece = self._pieces[first]
        if piece.starts:
            self._statement, self._further = first, -1
        indent = self._indent(first)
        self._own_comments(first, indent + INDENT if piece.kind in CLOSERS else indent)
        if piece.blank and piece.kind not in CLOSERS and piece.kind not in _CONTINUES:
            self._blank_line()
        text = self._text(first, stop, indent)
        trailing = self._pieces[stop - 1].trailing
        if trailing:
            self._commented.append((text, trailing))
        else:
            self._emit(text)
        self._opened = self._pieces[stop - 1].kind in OPENERS

    def _text(self, first: int, stop: int, indent: int) -> str:
        """The pieces of a line with their blanks."""
        base = indent + len("|> ") if self._pieces[first].kind == "PIPE" else indent
        parts = [" " * (indent + self._pads[first])]
        column, before = len(parts[0]), self._pieces[first]
        for at in range(first, stop):
            piece = self._pieces[at]
            if at > first:
                separator = "; " if piece.starts and before.kind != "_BLOCK" else " " * blanks(before.kind, piece.kind)
                separator += " " * self._pads[at]
                parts.append(separator)
                column += len(separator)
            parts.append(piece.text)
            self._columns[at] = column
            self._bases[at] = self._outer(at) if piece.kind == "_BLOCK" else base
            column, before = column + len(piece.text), piece
        return "".join(parts)

    # ------------------------------------------------------------------------------------------ indents

    def _indent(self, first: int) -> int:
        piece, bracket = self._pieces[first], self._layout.inside[first]
        if piece.kind in CLOSERS:
            opener = self._layout.match[first]
            return self._bases[opener] if self._sets_in(opener) else self._columns[opener]
        if piece.starts:
            return self._outer(first)
        if bracket >= 0 and self._pieces[bracket].kind != "_BLOCK":
            return self._beside(bracket)
        if piece.kind == "ELSE" and self._pieces[first - 1].kind == "_END":
            return self._bases[self._layout.match[first - 1]]
        if self._further < 0:
            self._further = self._further_indent(first, bracket)
        return self._further

    def _outer(self, at: int) -> int:
        """Where the statements around a piece stand that is inside no bracket but their block's."""
        bracket = self._layout.inside[at]
        return self._bases[bracket] + INDENT if bracket >= 0 else 0

    def _sets_in(self, opener: int) -> bool:
        return self._pieces[opener].kind in _BLOCKS or self._layout.hangs(opener)

    def _beside(self, bracket: int) -> int:
        """Where the lines inside a bracket stand."""
        if self._sets_in(bracket):
            return self._bases[bracket] + INDENT
        return self._columns[bracket] + len("{ " if self._pieces[bracket].kind == "LBRACE" else "(")

    def _further_indent(self, first: int, bracket: int) -> int:
        """Where the further lines of a statement stand, of which the first one begins at `first`."""
        for at in range(self._statement, first - 1):
            if self._pieces[at].kind == "EQUAL" and self._layout.inside[at] == bracket:
                if self._pieces[first].newline and self._pieces[first].column > self._pieces[at + 1].column:
                    return self._columns[at + 1] + INDENT
                break
        return self._columns[self._statement] + INDENT

    # ------------------------------------------------------------------------------------------ lines

    def _own_comments(self, first: int, indent: int) -> None:
        for comment in self._pieces[first].comments:
            if comment.blank:
                self._blank_line()
            self._emit(" " * indent + comment.text)

    def _blank_line(self) -> None:
        """A blank line, unless the file or a bracket begins here."""
        self._end_comments()
        if self._lines and not self._opened:
            self._lines.append("")

    def _emit(self, line: str) -> None:
        self._end_comments()
        self._lines.append(line)
        self._opened = False

    def _end_comments(self) -> None:
        """Write the lines that end in comments, the comments under one another."""
        if self._commented:
            column = max(COMMENT_COLUMN, max(len(text) for text, _ in self._commented) + 2)
            self._lines += [f"{text:<{column}}{comment}" for text, comment in self._commented]
            self._commented.clear()
