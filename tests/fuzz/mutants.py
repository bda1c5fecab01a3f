"""Texts made from other texts: tokens and characters left out, put in, repeated and swapped."""

from __future__ import annotations

import re

from hypothesis import strategies as st

from dslc.check.calls import function_names
from dslc.syntax.tables import KEYWORDS, PUNCTUATION

_PARTS = re.compile(r"\w+|\n|[^\S\n]+|[^\w\s]")
_WORDS = sorted(
    {*KEYWORDS, *PUNCTUATION, *function_names(), "f32", "i64", "bool", "float", "B", "T", "x", "y", "net", "all"}
)
_ODD = [
    "0", "1", "-1", "3", "1e-3", "0.5", "1_000_000", "9" * 30, "1e308", '"s"', '"{x}"', '"b t (h d) -> b h t d"', "{", "}", ";",
    "\n", "#", "## d\n", "# allow: unused-value", "\\", "'", "...", "()", "[]", "{}", "[x]", "x.y", "200 steps", "init = 1",
    "true", "none", "if a then b else c", "repeat(3) { relu }", "repeat(100000) { relu }", "scan(Cell())", "|> f", "_BLOCK",
]  # fmt: skip
_CHARACTERS = st.characters() | st.sampled_from("\x00\x1b\r\t\u202e\uff08\u201c\u3000\ufeff\u00e9\ud800")

_Edit = tuple[float, str, str, int]
_EDITS = st.tuples(
    st.floats(0, 1, exclude_max=True),
    st.sampled_from(["drop", "put", "replace", "repeat", "swap", "line", "characters", "nest"]),
    st.sampled_from(_WORDS) | st.sampled_from(_ODD) | st.text(_CHARACTERS, max_size=3),
    st.integers(0, 300) | st.integers(0, 4),
)


@st.composite
def mutants(draw: st.DrawFn, texts: list[str]) -> str:
    """A text of the corpus after a few edits, or the beginning of one and the end of another."""
    text = texts[draw(st.integers(0, len(texts) - 1))]
    if draw(st.integers(0, 9)) == 9:
        other = texts[draw(st.integers(0, len(texts) - 1))]
        text = text[: int(len(text) * draw(st.floats(0, 1)))] + other[int(len(other) * draw(st.floats(0, 1))) :]
    return changed(text, draw(st.lists(_EDITS, min_size=1, max_size=5)))


def changed(text: str, edits: list[_Edit]) -> str:
    """A text after edits, each at a place given as a share of its parts."""
    parts = _PARTS.findall(text)
    for where, kind, word, count in edits:
        at = int(where * len(parts))
        _edit(parts, at, kind, word, count)
    return "".join(parts)


def _edit(parts: list[str], at: int, kind: str, word: str, count: int) -> None:
    if kind == "drop":
        del parts[at : at + 1 + count % 4]
    elif kind == "put":
        parts.insert(at, f" {word} ")
    elif kind == "replace":
        parts[at : at + 1] = [word]
    elif kind == "repeat":
        parts[at:at] = parts[at : at + 1 + count % 3] * count
    elif kind == "swap":
        parts[at : at + 3] = parts[at : at + 3][::-1]
    elif kind == "line":
        _copy_line(parts, at, count)
    elif kind == "nest":
        parts[at : at + 1] = ["(" * count, *parts[at : at + 1], ")" * count]
    else:
        parts.insert(at, word)


def _copy_line(parts: list[str], at: int, count: int) -> None:
    """Repeat a line, or move one to another place."""
    ends = [0, *(n + 1 for n, part in enumerate(parts) if part == "\n")]
    begin = max(end for end in ends if end <= at)
    stop = next((end for end in ends if end > at), len(parts))
    target = ends[count % len(ends)]
    parts[target:target] = parts[begin:stop] * (1 + count % 2)
