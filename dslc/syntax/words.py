"""Tokens in words for messages: what was found, and what could stand there."""

from __future__ import annotations

from collections.abc import Iterable

from dslc.syntax.tables import KEYWORDS, PUNCTUATION
from dslc.syntax.token import END, Token

COMPARISONS = frozenset({"EQ", "NE", "LT", "LE", "GT", "GE"})
ARITHMETIC = frozenset({"PLUS", "MINUS", "TIMES", "DIVIDE", "REMAINDER", "MATMUL", "POWER"})
OPERATORS = COMPARISONS | ARITHMETIC | {"AND", "OR"}
ENDS = frozenset({"_NL", "_END", END})
RESERVED = frozenset({"IF", "THEN", "ELSE", "AND", "OR", "NOT", "TRUE", "FALSE", "NONE", "AS"})

_VALUE = frozenset(
    {"NAME", "NUMBER", "STRING", "LPAR", "LSQB", "LBRACE", "TRUE", "FALSE", "NONE", "MINUS", "NOT", "IF", "ELLIPSIS"}
)
_AFTER_VALUE = OPERATORS | {"PIPE", "DOT", "LPAR", "LSQB", "ABOUT"}
_TEXTS = {kind: f"`{text}`" for texts in (PUNCTUATION, KEYWORDS) for text, kind in texts.items()} | {
    "NAME": "a name", "NUMBER": "a number", "STRING": 'a string `"..."`', "_BLOCK": "`{`", "_END": "`}`",
    "_NL": "the end of the line", END: "the end of the file",
}  # fmt: skip


def short(text: str) -> str:
    """A text from the program for a message: its beginning where it is long."""
    return text if len(text) <= 40 else f"{text[:37]}..."


def is_value_expected(expected: frozenset[str]) -> bool:
    """Whether an expression can begin."""
    return "NUMBER" in expected


def found(token: Token) -> str:
    """What stands there."""
    if token.kind == "_NL" and token.text != ";":
        return "the line ends"
    if token.kind == END:
        return "the file ends"
    return f"found `{short(token.text)}`"


def expected_words(expected: frozenset[str]) -> str:
    """What could stand there, in as few words as tell it."""
    if "MODEL" in expected:
        return "a declaration such as `model`, `data` or `train`"
    if "INPUT" in expected:
        return "a statement"
    left = set(expected)
    words: list[str] = []
    if is_value_expected(expected):
        words.append("a value")
        left -= _VALUE
    else:
        left = left - _AFTER_VALUE or left & {"PIPE"}
    if {"_NL", "_END"} <= left:
        left -= {"_NL", "_END"}
        words.append("the end of the statement")
    words += sorted(_TEXTS[kind] for kind in left)
    return one_of(words) if words else "an operator"


def one_of(words: Iterable[str]) -> str:
    """`a, b or c`, with at most five of them."""
    shown = list(words)[:5]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"


def near(word: str, words: Iterable[str]) -> str:
    """The first of the words that is one letter away: changed, missing, added or swapped with its neighbour; else ""."""
    return next((other for other in words if other != word and _one_step(word, other)), "")


def _one_step(a: str, b: str) -> bool:
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    end = 0
    while end < min(len(a), len(b)) - start and a[-1 - end] == b[-1 - end]:
        end += 1
    left, right = a[start : len(a) - end], b[start : len(b) - end]
    return max(len(left), len(right)) <= 1 or (len(left) == 2 and left == right[::-1])
