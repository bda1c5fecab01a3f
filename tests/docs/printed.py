"""Whether a command printed what a document says it prints.

Words must be equal. Numbers with a point may differ by 2 %, because sums are rounded differently by each BLAS. Durations and
rounding errors are not compared. A line `...` stands for any lines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_VARIES = ((re.compile(r"\d+\.\d+ s\b"), "_ s"), (re.compile(r"within \d\S*"), "within _"))
_NUMBER = re.compile(r"-?\d+\.\d+(?:e[+-]?\d+)?")
_RELATIVE = 0.02


def agrees(written: str, printed: str) -> bool:
    """Whether `printed` is what the document has `written`."""
    return _lines(_plain(written), _plain(printed))


def _plain(text: str) -> list[str]:
    for pattern, mask in _VARIES:
        text = pattern.sub(mask, text)
    return [line.rstrip() for line in text.strip("\n").splitlines()]


def _lines(written: Sequence[str], printed: Sequence[str]) -> bool:
    if not written:
        return not printed
    if written[0] == "...":
        return any(_lines(written[1:], printed[start:]) for start in range(len(printed) + 1))
    return bool(printed) and _line(written[0], printed[0]) and _lines(written[1:], printed[1:])


def _line(written: str, printed: str) -> bool:
    if " ".join(_NUMBER.sub("_", written).split()) != " ".join(_NUMBER.sub("_", printed).split()):
        return False
    pairs = zip(_NUMBER.findall(written), _NUMBER.findall(printed), strict=True)
    return all(abs(float(a) - float(b)) <= _RELATIVE * max(abs(float(a)), abs(float(b))) for a, b in pairs)
