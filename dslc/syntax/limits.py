"""Limits on what a source file may hold, so that hostile text ends in a diagnostic and never in a crash or a long wait."""

from __future__ import annotations

FILE_CHARACTERS = 1_000_000
LINE_CHARACTERS = 100_000
TOKENS = 150_000
NAME_CHARACTERS = 200
NUMBER_CHARACTERS = 100
STRING_CHARACTERS = 20_000
LIST_ITEMS = 10_000
BRACKET_DEPTH = 64
# Later stages walk expressions by recursion, so this must stay well under Python's own limit of 1,000 calls.
TREE_DEPTH = 200
ERRORS = 20
