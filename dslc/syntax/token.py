"""A token: a terminal of the grammar with the text it covers."""

from __future__ import annotations

from typing import NamedTuple

END = "$END"

# Kinds that only the lexer makes and `layout` settles; the grammar never sees them.
NEWLINE = "NEWLINE"
SEMICOLON = "SEMICOLON"
DOC = "DOC"
CUT = "CUT"


class Token(NamedTuple):
    """`depth` counts the blocks around it; `doc` is the doc comment above the declaration that it begins."""

    kind: str
    text: str
    start: int
    end: int
    depth: int = 0
    doc: str = ""
