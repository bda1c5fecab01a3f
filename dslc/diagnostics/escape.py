"""Text from a program as a terminal may show it: nothing in it can move the cursor, change colours or reorder letters."""

from __future__ import annotations

import unicodedata

TAB = "    "
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})


def escape(text: str) -> str:
    """The text with control, bidirectional, invisible and unassigned characters written as `\\u{1b}`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(shown, text))


def shown(character: str) -> str:
    """One character as it is printed."""
    if character == "\t":
        return TAB
    if unicodedata.category(character) in _HIDDEN:
        return f"\\u{{{ord(character):x}}}"
    return character


def width(text: str) -> int:
    """How many columns printed text takes: wide East Asian characters two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
