"""How many blanks stand between two neighbours on one line: by their kinds, none or one."""

from __future__ import annotations

_TIGHT_AFTER = frozenset({"CALL", "GROUP", "COUNT", "INDEX", "LIST", "DOT", "SLICE", "NEGATIVE"})
_TIGHT_BEFORE = frozenset({"RPAR", "RSQB", "COMMA", "COLON", "SLICE", "DOT", "CALL", "COUNT", "INDEX"})


def blanks(before: str, kind: str) -> int:
    """The blanks between a piece of kind `before` and the next one of `kind`."""
    if before in _TIGHT_AFTER:
        return 0
    if kind not in _TIGHT_BEFORE:
        return 0 if (before, kind) in (("LBRACE", "RBRACE"), ("_BLOCK", "_END")) else 1
    if kind == "SLICE":
        return 1 if before == "COMMA" else 0
    # `1.x` would be read as a number that goes on.
    return 1 if before == "NUMBER" and kind == "DOT" else 0
