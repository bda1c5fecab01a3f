"""Which declarations of a file later stages may look at: those without a mistake that lean on no other with one.

A declaration in which a mistake was found would only draw messages that follow from it, and so would every declaration
that mentions its name. Leaving both out lets `check` report the independent mistakes of the rest in the same run.
"""

from __future__ import annotations

from collections.abc import Sequence

from dslc.syntax.token import END, Token
from dslc.syntax.tree import File

_HEAD_ENDS = frozenset({"LPAR", "_BLOCK", "LBRACE", "EQUAL"})


def sound_part(file: File, tokens: Sequence[Token], mistakes: Sequence[int]) -> File:
    """The file without the declarations that hold one of the mistakes (offsets) or depend on one that does."""
    segments = _segments(tokens)
    bad = [segment for segment in segments if any(segment[0].start <= at <= segment[-1].end for at in mistakes)]
    good = [segment for segment in segments if segment not in bad]
    while bad:
        names = {name for segment in bad for name in _declared(segment)}
        bad = [segment for segment in good if any(t.kind == "NAME" and t.text in names for t in segment)]
        good = [segment for segment in good if segment not in bad]
    starts = {segment[0].start for segment in good}
    return File(file.source, tuple(decl for decl in file.decls if decl.span.start in starts))


def _segments(tokens: Sequence[Token]) -> list[list[Token]]:
    """The tokens of each declaration, its line end included."""
    segments: list[list[Token]] = [[]]
    for token in tokens:
        if token.kind != END:
            segments[-1].append(token)
        if token.kind == "_NL" and token.depth == 0:
            segments.append([])
    return [segment for segment in segments if segment]


def _declared(segment: Sequence[Token]) -> list[str]:
    """The names a declaration gives: all in front of its brackets or its value."""
    names: list[str] = []
    for token in segment:
        if token.kind in _HEAD_ENDS:
            break
        if token.kind == "NAME":
            names.append(token.text)
    return names
