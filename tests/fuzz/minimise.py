"""A failing text -> a smaller one that fails in the same way."""

from __future__ import annotations

import re
from collections.abc import Callable

_PARTS = re.compile(r"\w+|\s+|[^\w\s]")
ATTEMPTS = 1_000


def minimised(text: str, fails: Callable[[str], bool]) -> str:
    """Leave out lines, then words, in ever smaller groups, as long as the text still fails."""
    left = ATTEMPTS
    for parts in (lambda whole: whole.splitlines(keepends=True), _PARTS.findall):
        text, left = _smaller(parts(text), fails, left)
    return text


def _smaller(parts: list[str], fails: Callable[[str], bool], left: int) -> tuple[str, int]:
    size = max(len(parts) // 2, 1)
    while size and left:
        at, before = 0, len(parts)
        while at < len(parts) and left:
            shorter = parts[:at] + parts[at + size :]
            left -= 1
            if fails("".join(shorter)):
                parts = shorter
            else:
                at += size
        if size > 1 or len(parts) == before:
            size //= 2
    return "".join(parts), left
