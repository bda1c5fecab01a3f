"""Settled tokens + the text between them -> pieces: tokens with their comments, and where each stood in the source.

Kinds are made finer here than the grammar needs, so that what may stand between two neighbours depends on their kinds alone:
a unary minus is not a binary one, the colon of a slice not that of a label, the parenthesis of a call not that of a group.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from dslc.source import Source
from dslc.syntax.token import END, Token

OPENERS = frozenset({"CALL", "GROUP", "COUNT", "INDEX", "LIST", "LBRACE", "_BLOCK", "REPEATED"})
CLOSERS = frozenset({"RPAR", "RSQB", "RBRACE", "_END"})
# Brackets whose items are parted by commas, so that a last comma changes nothing.
COMMA_LISTS = frozenset({"CALL", "INDEX", "LIST", "LBRACE"})

_ENDS_OPERAND = frozenset(
    {"NAME", "NUMBER", "STRING", "RPAR", "RSQB", "RBRACE", "TRUE", "FALSE", "NONE", "ELLIPSIS"}
)  # fmt: skip
_BETWEEN = re.compile(r"\n|#[^\n]*")


class Comment(NamedTuple):
    """A comment on a line of its own; `blank` tells whether a blank line stood above it."""

    text: str
    blank: bool


class Piece(NamedTuple):
    """A token as the formatter sees it.

    Attributes:
        starts: it begins a statement or a declaration.
        newline: it stood on a later line than the piece before it.
        blank: a blank line stood right above it.
        gap: how many blanks stood before it on its line.
        line: the line it stood on, counted from 0.
        column: the column it stood at, counted from 0.
        comments: the comments on lines of their own above it.
        trailing: the comment after it on its line, or nothing.
    """

    kind: str
    text: str
    starts: bool = False
    newline: bool = False
    blank: bool = False
    gap: int = 0
    line: int = 0
    column: int = 0
    comments: tuple[Comment, ...] = ()
    trailing: str = ""


def pieces_of(source: Source, tokens: list[Token]) -> list[Piece]:
    """The pieces of a text without mistakes; the last one is `$END`, which holds the comments at the end of the file."""
    text, kinds = source.text, _Kinds()
    found: list[Piece] = []
    end = line = line_start = 0
    starts = True
    for token in tokens:
        if token.kind == "_NL":
            starts = True
            continue
        between = text[end : token.start]
        newlines, blank, comments, trailing = 0, False, (), ""
        if "\n" in between or "#" in between:
            newlines, blank, comments, trailing = _trivia(between, first=not found)
            if newlines:
                line, line_start = line + newlines, text.rfind("\n", 0, token.start) + 1
            if trailing:
                found[-1] = found[-1]._replace(trailing=trailing)
        closes = token.kind in CLOSERS or token.kind == END
        kind = kinds.of(token, starts)
        found.append(
            Piece(
                kind, token.text, starts and not closes, newlines > 0, blank, 0 if newlines else len(between), line,
                token.start - line_start, comments, "",
            )
        )  # fmt: skip
        end, starts = token.end, kind == "_BLOCK"
    return found


def _trivia(between: str, first: bool) -> tuple[int, bool, tuple[Comment, ...], str]:
    """Line ends, a blank line above what follows, comments of their own, and one that ends the line before."""
    total = since = 0
    comments: list[Comment] = []
    trailing = ""
    for match in _BETWEEN.finditer(between):
        if match[0] == "\n":
            total, since = total + 1, since + 1
        elif total == 0 and not first:
            trailing = match[0].rstrip()
        else:
            comments.append(Comment(match[0].rstrip(), since > 1))
            since = 0
    return total, since > 1, tuple(comments), trailing


class _Kinds:
    """Makes kinds finer, by the tokens before and the brackets around."""

    def __init__(self) -> None:
        self._previous = self._before = ""
        self._open: list[str] = []
        self._repeats: list[int] = []  # depths at which the block of a `repeat` is still to come

    def of(self, token: Token, starts: bool) -> str:
        kind = self._fine(token.kind, starts)
        if kind in OPENERS:
            self._open.append(kind)
        elif kind in CLOSERS:
            self._open.pop()
        elif kind == "REPEAT":
            self._repeats.append(len(self._open))
        self._before, self._previous = self._previous, kind
        return kind

    def _fine(self, kind: str, starts: bool) -> str:
        after_operand = self._previous in _ENDS_OPERAND and not starts
        if kind == "LPAR":
            return "COUNT" if self._previous == "REPEAT" else "CALL" if after_operand else "GROUP"
        if kind == "LSQB":
            return "INDEX" if after_operand else "LIST"
        if kind == "MINUS" and not after_operand:
            return "NEGATIVE"
        if kind == "COLON" and self._open[-1:] == ["INDEX"] and self._before != "PIPE":
            return "SLICE"
        if kind == "_BLOCK" and self._repeats[-1:] == [len(self._open)]:
            self._repeats.pop()
            return "REPEATED"
        return kind
