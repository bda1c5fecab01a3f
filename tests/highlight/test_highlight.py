"""Both highlighters class every keyword, number, string and comment of real programs as the compiler's lexer does."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
from pygments.token import Comment, Error, Keyword, Name, Number, Operator, String, Token
from textmate import Tokenizer

from dslc.diagnostics import Sink
from dslc.doc import catalogue
from dslc.highlight import words
from dslc.highlight.__main__ import TEXTMATE
from dslc.highlight.lexer import DlLexer
from dslc.highlight.textmate import grammar
from dslc.resources import models_path
from dslc.source import Source
from dslc.syntax.layout import settle
from dslc.syntax.lexer import scan
from dslc.syntax.tables import KEYWORDS

ROOT = Path(__file__).parents[2]
EXAMPLES = Path(os.environ.get("DSLC_DATA", ROOT.parent / "shared" / "data")).parent / "design" / "examples"
FENCED = re.compile(r"^```dl\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _programs() -> dict[str, str]:
    files = [*models_path().glob("*.dl"), *(ROOT / "dslc" / "library").glob("*.dl"), *EXAMPLES.glob("*.dl")]
    texts = {f"{path.parent.name}/{path.name}": path.read_text(encoding="utf-8") for path in files}
    for page in sorted((ROOT / "docs").glob("*.md")):
        texts[page.name] = "\n".join(FENCED.findall(page.read_text(encoding="utf-8")))
    texts["imports"] = 'from "nets.dl" import A, B\nimport "other.dl" as other\ny = net.import\n'
    return {name: text for name, text in texts.items() if text}


PROGRAMS = _programs()
TEXTMATE_GRAMMAR = Tokenizer(grammar())


def _wanted(text: str) -> dict[tuple[int, int], str]:
    """The class of each token by its place: what the compiler's lexer says, and comments, which lie between its tokens."""
    source, sink = Source("text", text), Sink()
    found: dict[tuple[int, int], str] = {}
    at = 0
    for token in settle(scan(source, sink), source, sink):
        found |= {(at + m.start(), at + m.end()): "comment" for m in re.finditer("#[^\n]*", text[at : token.start])}
        at = max(at, token.end)
        if token.end > token.start and token.kind not in ("_NL", "$END"):
            found[token.start, token.end] = _kind(token.kind)
    return found


def _kind(kind: str) -> str:
    if kind in KEYWORDS.values():
        return "keyword"
    return {"NUMBER": "number", "STRING": "string", "NAME": "name"}.get(kind, "sign")


def _pygments_class(token: type(Token)) -> str:
    if token in Keyword.Type:
        return "name"
    classes = {Keyword: "keyword", Operator.Word: "keyword", Number: "number", String: "string", Comment: "comment"}
    classes[Name] = "name"
    return next((name for kind, name in classes.items() if token in kind), "sign")


def _textmate_class(scope: str) -> str:
    if scope.startswith(("keyword.operator.dl", "keyword.operator.pipe", "punctuation")):
        return "sign"
    roots = {"keyword": "keyword", "constant.language": "keyword", "constant.numeric": "number", "comment": "comment"}
    roots |= {"string": "string", "constant.character": "string", "": "nothing"}
    return next(
        (name for root, name in roots.items() if root and scope.startswith(root)), "name" if scope else "nothing"
    )


@pytest.mark.parametrize("name", PROGRAMS)
def test_pygments_agrees_with_the_compiler(name: str) -> None:
    text = PROGRAMS[name]
    tokens = list(DlLexer().get_tokens_unprocessed(text))
    assert "".join(value for _, _, value in tokens) == text
    assert [(at, value) for at, kind, value in tokens if kind in Error] == []
    classes = [_pygments_class(kind) for _, kind, value in tokens for _ in value]
    assert _differences(text, classes) == []


@pytest.mark.parametrize("name", PROGRAMS)
def test_textmate_agrees_with_the_compiler(name: str) -> None:
    text = PROGRAMS[name]
    assert _differences(text, list(map(_textmate_class, TEXTMATE_GRAMMAR.scopes(text)))) == []


def _differences(text: str, classes: list[str]) -> list[str]:
    return [
        f"line {text.count(chr(10), 0, start) + 1}: {text[start:end]!r} is {wanted}, not {set(classes[start:end])}"
        for (start, end), wanted in _wanted(text).items()
        if set(classes[start:end]) != {wanted}
    ]


@pytest.mark.parametrize(
    ("text", "word", "kind"),
    [
        ("model Net(n: int = 2) { input x: f32[n] }", "Net", Name.Class),
        ("y = x |> fc: Dense(units = 3) |> relu", "fc", Name.Label),
        ("y = x |> fc: Dense(units = 3) |> relu", "Dense", Name.Builtin),
        ("y = x |> fc: Dense(units = 3) |> relu", "units", Name.Attribute),
        ("y = x |> fc: Dense(units = 3) |> relu", "relu", Name.Builtin),
        ("y = x |> Mine(3)", "Mine", Name.Class),
        ("y = net.data", "data", Name.Attribute),
        ("data = mnist", "data", Name),
        ("input x: f32[B]", "f32", Keyword.Type),
        ("block A(n: int | string) { }", "string", Keyword.Type),
        ("y = if training then x else z", "training", Name.Builtin.Pseudo),
        ("y = a and not b", "not", Operator.Word),
        ("y = none", "none", Keyword.Constant),
        ("x = 1_000", "1_000", Number.Integer),
        ("x = 1e-3", "1e-3", Number.Float),
        (r'x = "a\n"', r"\n", String.Escape),
        ("## Says.\nmodel A { }", "## Says.", Comment.Special),
    ],
)
def test_names_are_classed_by_what_they_are(text: str, word: str, kind: type(Token)) -> None:
    assert (kind, word) in [(found, value) for _, found, value in DlLexer().get_tokens_unprocessed(text)]


@pytest.mark.parametrize(
    ("text", "word", "scope"),
    [
        ("## Says.", "## Says.", "comment.line.documentation.dl"),
        ("model Net(n: int) { }", "Net", "entity.name.type.class.dl"),
        ("model Net(n: int) { }", "model", "keyword.declaration.dl"),
        ("model Net(n: int) { }", "int", "storage.type.dl"),
        ("input x: f32[B]", "f32", "storage.type.dl"),
        ("y = x |> fc: Dense(3)", "Dense", "support.class.dl"),
        ("y = x |> fc: Dense(3)", "|>", "keyword.operator.pipe.dl"),
        ("y = x |> relu", "relu", "support.function.dl"),
        ("y = relu(x)", "relu", "support.function.dl"),
        ("relu = x", "relu", "variable.other.dl"),
        ("y = if training then x else z", "training", "variable.language.dl"),
        ("y = x[..., 0]", "...", "punctuation.other.ellipsis.dl"),
    ],
)
def test_textmate_scopes_are_those_that_themes_know(text: str, word: str, scope: str) -> None:
    at = text.index(word)
    assert set(TEXTMATE_GRAMMAR.scopes(text)[at : at + len(word)]) == {scope}


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text(st.sampled_from("abAB01 \n\"#{}()[];:=.,|>&'\\\u00e9"), max_size=60))
def test_pygments_keeps_every_character_of_any_text(text: str) -> None:
    assert "".join(value for _, _, value in DlLexer().get_tokens_unprocessed(text)) == text


def test_pygments_finds_the_lexer_by_name_and_by_file() -> None:
    assert isinstance(get_lexer_by_name("dl"), DlLexer)
    assert isinstance(get_lexer_for_filename("net.dl"), DlLexer)


def test_every_keyword_has_a_rule() -> None:
    special = {"repeat", "error", "within"}
    assert words.STATEMENTS | words.INLINE | words.CONSTANTS | words.LOGIC | special == words.KEYWORDS


def test_every_documented_name_that_is_called_has_a_colour() -> None:
    called = {entry.name for entry in catalogue() if entry.kind != "setting"}
    assert called == words.FUNCTIONS | words.LAYERS


def test_the_textmate_grammar_is_that_of_the_tables() -> None:
    assert TEXTMATE.read_text(encoding="utf-8") == grammar(), "run: python -m dslc.highlight"
