"""The Pygments lexer `dl`, registered as an entry point. The compiler's own lexer reads the text; here its tokens get classes.

What the compiler mends or leaves out stays as it is written: between two tokens lie spaces, comments, and text that means
nothing, which is an `Error` to Pygments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from pygments.lexer import Lexer
from pygments.token import Comment, Error, Keyword, Name, Number, Operator, Punctuation, String, Whitespace, _TokenType  # pyright: ignore[reportPrivateUsage]

from dslc.diagnostics import Sink
from dslc.highlight import words
from dslc.source import Source
from dslc.syntax import token as raw
from dslc.syntax.layout import DECLARATIONS, settle
from dslc.syntax.lexer import scan
from dslc.syntax.tables import KEYWORDS
from dslc.syntax.words import OPERATORS

Class: TypeAlias = _TokenType

_GAP = re.compile(
    r"(?P<space>\s+|\ufeff)|(?P<doc>##(?!#)[^\n]*)|(?P<comment>#[^\n]*)|(?P<end>;)|(?P<error>.)", re.DOTALL
)
_GAP_CLASSES = {
    "space": Whitespace,
    "doc": Comment.Special,
    "comment": Comment.Single,
    "end": Punctuation,
    "error": Error,
}
_ESCAPE = re.compile(r"(\\(?:u[0-9a-fA-F]{4}|.))")
_WORD_OF = {kind: word for word, kind in KEYWORDS.items()}
_SIGNS = OPERATORS | {"EQUAL", "PIPE", "ABOUT", "TILDE", "VBAR"}


class DlLexer(Lexer):
    """Programs of the `.dl` language."""

    name = "dl"
    aliases = ("dl", "dslc")
    filenames = ("*.dl",)
    mimetypes = ("text/x-dl",)

    def get_tokens_unprocessed(self, text: str) -> Iterator[tuple[int, Class, str]]:
        """Every character of the text once, in order."""
        source, sink = Source("text", text), Sink()
        tokens = settle(scan(source, sink), source, sink)
        at = 0
        for index, token in enumerate(tokens):
            if token.start < at or token.start == token.end or token.kind in ("_NL", raw.END):
                continue
            yield from _gap(text, at, token.start)
            yield from _token(text, tokens, index)
            at = token.end
        yield from _gap(text, at, len(text))


def _gap(text: str, start: int, end: int) -> Iterator[tuple[int, Class, str]]:
    for match in _GAP.finditer(text, start, end):
        yield match.start(), _GAP_CLASSES[match.lastgroup or "error"], match[0]


def _token(text: str, tokens: Sequence[raw.Token], index: int) -> Iterator[tuple[int, Class, str]]:
    token = tokens[index]
    written = text[token.start : token.end]
    if token.kind != "STRING":
        yield token.start, _class(tokens, index), written
        return
    at = token.start
    for part in filter(None, _ESCAPE.split(written)):
        yield at, String.Escape if part.startswith("\\") else String.Double, part
        at += len(part)


def _class(tokens: Sequence[raw.Token], index: int) -> Class:
    token = tokens[index]
    word = _WORD_OF.get(token.kind, "")
    if word in words.CONSTANTS:
        return Keyword.Constant
    if word in words.LOGIC:
        return Operator.Word
    if word:
        return Keyword.Declaration if word in DECLARATIONS else Keyword
    if token.kind == "NUMBER":
        return Number.Float if set(token.text) & set(".eE") else Number.Integer
    if token.kind == "NAME":
        before = tokens[index - 1].kind if index else ""
        return _name(token.text, before, tokens[index + 1].kind if index + 1 < len(tokens) else "")
    return Operator if token.kind in _SIGNS else Punctuation


def _name(text: str, before: str, after: str) -> Class:
    if before in ("MODEL", "BLOCK", "CELL"):
        return Name.Class
    if before == "DOT" or (after in ("COLON", "EQUAL") and before in ("LPAR", "LBRACE", "COMMA")):
        return Name.Attribute
    if after == "COLON" and before == "PIPE":
        return Name.Label
    if text in words.TYPES and (after == "LSQB" or before in ("COLON", "VBAR", "COMMA")):
        return Keyword.Type
    if text == "training":
        return Name.Builtin.Pseudo
    if text in words.LAYERS or (text in words.FUNCTIONS and (after == "LPAR" or before == "PIPE")):
        return Name.Builtin
    return Name.Class if text[:1].isupper() and after == "LPAR" else Name
