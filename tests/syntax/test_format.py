"""`dslc fmt`: the one layout, comments and blank lines kept, idempotent, and what the program means left alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from dslc.diagnostics import DslcError, Sink
from dslc.source import Source
from dslc.syntax.format import format_source
from dslc.syntax.layout import settle
from dslc.syntax.lexer import scan
from dslc.syntax.parse import parse
from dslc.syntax.token import Token

TESTS = Path(__file__).parent.parent
LAYOUTS = sorted((Path(__file__).parent / "layouts").glob("*.dl"))
PRETTY = sorted([*(TESTS / "syntax" / "programs").glob("*.dl"), *(TESTS.parent / "models").glob("*.dl")])
SHIPPED = [path.read_text("utf-8") for path in PRETTY]
QUICK = settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

Shape = Callable[[Any], Any]


def formatted(text: str) -> str:
    return format_source(Source("x.dl", text))


def comments(text: str) -> list[str]:
    """All comments of a text, in order."""
    source, sink = Source("x.dl", text), Sink()
    ends, found = 0, list[str]()
    for token in [t for t in settle(scan(source, sink), source, sink) if t.kind != "_NL"]:
        found += [comment.rstrip() for comment in re.findall("#[^\n]*", text[ends : token.start])]
        ends = token.end
    return found


def assert_means_the_same(text: str, shape: Shape) -> None:
    """Formatted, a text has the same tree and the same comments, and formatting it again changes nothing."""
    pretty = formatted(text)
    before, after = Sink(), Sink()
    assert shape(parse(Source("x.dl", text), before)) == shape(parse(Source("x.dl", pretty), after))
    assert not before.failed
    assert not after.failed
    assert comments(pretty) == comments(text)
    assert formatted(pretty) == pretty


@pytest.mark.parametrize("path", PRETTY, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_shipped_programs_are_in_the_one_layout(path: Path) -> None:
    text = path.read_text("utf-8")
    assert formatted(text) == text


@pytest.mark.parametrize("path", LAYOUTS, ids=lambda path: path.stem)
def test_a_text_comes_out_as_the_golden_beside_it(path: Path, shape: Shape, request: pytest.FixtureRequest) -> None:
    text, golden = path.read_text("utf-8"), path.with_suffix(".txt")
    pretty = formatted(text)
    if request.config.getoption("--update"):
        golden.write_text(pretty, "utf-8")
    assert pretty == golden.read_text("utf-8")
    assert_means_the_same(text, shape)


@pytest.mark.parametrize(
    "path", sorted((TESTS / "bad").rglob("*.dl")), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_a_bad_program_is_refused_for_its_form_or_keeps_its_meaning(path: Path, shape: Shape) -> None:
    text = path.read_text("utf-8", "replace")
    sink = Sink()
    parse(Source("x.dl", text), sink)
    if sink.failed:
        with pytest.raises(DslcError):
            formatted(text)
    else:
        assert_means_the_same(text, shape)


# Between these, blanks may be left out or put in; elsewhere too many of them could ask for a column, or too few join tokens.
CLOSE = frozenset("()[]{},=")
COLUMNS = frozenset({"=", "|>", "~", "{"})


@st.composite
def respaced(draw: st.DrawFn, text: str) -> str:
    """A formatted text with other blanks, blank lines and indents, but what is aligned left as it is."""
    source, sink = Source("x.dl", text), Sink()
    tokens = [t for t in settle(scan(source, sink), source, sink) if t.kind != "_NL"]
    shift = " " * draw(st.integers(0, 5))
    parts = [draw(st.sampled_from(["", "\n", "  \n\n"])), draw(respaced_lines(text[: tokens[0].start], shift))]
    for token, following in pairwise(tokens):
        between = text[token.end : following.start]
        if "\n" in between or "#" in between:
            between = draw(respaced_lines(between, shift))
        elif len(between) < 2:
            least = 0 if {token.text[-1], following.text[0]} & CLOSE else len(between)
            asks = token.text in (":", ",") or following.text in COLUMNS
            if token.text != "[":
                between = " " * draw(st.integers(least, len(between) if asks else 3))
        parts += [token.text, between]
    return "".join(parts)


@st.composite
def respaced_lines(draw: st.DrawFn, between: str, shift: str) -> str:
    """The line ends and comments between two tokens, with as many comments and no fewer blank lines."""
    blanks = st.sampled_from(["", " ", "   ", "\t"])
    first, *lines = between.split("\n")
    parts = [draw(blanks) + first + draw(blanks)]
    for line in lines[:-1]:
        often = 1 if line.strip() else draw(st.integers(1, 3))
        parts += [draw(blanks) + line + draw(blanks) for _ in range(often)]
    parts += [shift + line for line in lines[-1:]]
    return "\n".join(parts)


@QUICK
@given(st.data(), st.sampled_from(SHIPPED))
def test_a_text_with_other_blanks_is_put_back(data: st.DataObject, text: str) -> None:
    assert formatted(data.draw(respaced(text))) == text


BREAKS = ("", "  ", "\n", "\n\n", "# c\n", "\n# c\n  ", "\n\n# c\n\n# d\n")


@QUICK
@given(st.sampled_from(SHIPPED), st.lists(st.tuples(st.integers(0, 10_000), st.sampled_from(BREAKS)), max_size=12))
def test_a_text_with_other_lines_in_brackets_keeps_its_meaning(
    shape: Shape, text: str, changes: list[tuple[int, str]]
) -> None:
    source, sink = Source("x.dl", text), Sink()
    places = in_brackets(settle(scan(source, sink), source, sink))
    for at, between in sorted(((places[nth % len(places)], between) for nth, between in changes), reverse=True):
        text = f"{text[:at].rstrip(' ')} {between}{text[at:]}"
    parse(Source("x.dl", text), sink)
    assume(not sink.failed)  # a line that begins as a statement does is taken for one where a bracket was forgotten
    assert_means_the_same(text, shape)


def in_brackets(tokens: list[Token]) -> list[int]:
    """Where tokens begin before which a line may end."""
    places: list[int] = []
    depth = 0
    for token in tokens:
        if depth:
            places.append(token.start)
        depth += (token.kind in ("LPAR", "LSQB", "LBRACE")) - (token.kind in ("RPAR", "RSQB", "RBRACE"))
    return places


def test_the_time_grows_with_the_length_of_a_line_and_not_with_its_square() -> None:
    short, long = (", ".join([item] * 2_500) for item in ('"a",  "b"', '"aa", "b"'))
    text = f"data d {{\n  source = f(\n    [{short}],\n    [{long}],\n  )\n}}\n"
    start = process_time()
    assert formatted(text) == text
    assert process_time() - start < 5
