"""Any text at all gives a file and diagnostics, never an exception."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dslc.diagnostics import Sink
from dslc.diagnostics.render import render, to_json
from dslc.source import Source
from dslc.syntax.lexer import scan
from dslc.syntax.parse import parse
from dslc.syntax.tables import KEYWORDS, PUNCTUATION
from dslc.syntax.tree import File

TEXTS = [path.read_text(encoding="utf-8") for path in sorted((Path(__file__).parent / "programs").glob("*.dl"))]
WORDS = sorted(
    {*KEYWORDS, *PUNCTUATION, "{", "\n", ";", "x", "Net", '"s"', "1", "'", "#", "##", "\\", "\u202e", "\uff08", "True"}
)
QUICK = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def survive(text: str) -> None:
    source = Source("x.dl", text)
    sink = Sink()
    file = parse(source, sink)
    assert isinstance(file, File)
    for declaration in file.decls:
        assert 0 <= declaration.span.start < declaration.span.end <= len(text)
    for diagnostic in sink:
        assert all(0 <= label.span.start <= label.span.end <= len(text) for label in diagnostic.labels)
    printed = render(sink, color=False, width=80)
    assert (printed == "") == (not sink.found)
    assert not set(printed) & set("\x00\x1b\r\u202e\u2066")
    to_json(sink)


@QUICK
@given(st.lists(st.sampled_from(WORDS), max_size=60), st.sampled_from(["", " "]))
def test_words_in_any_order(words: list[str], gap: str) -> None:
    survive(gap.join(words))


@QUICK
@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    survive(text)


@QUICK
@given(st.data(), st.sampled_from(TEXTS))
def test_programs_with_changed_characters(data: st.DataObject, text: str) -> None:
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(text)))
        drop = data.draw(st.integers(0, 3))
        text = text[:at] + data.draw(st.text(max_size=3)) + text[at + drop :]
    survive(text)


@QUICK
@given(st.data(), st.sampled_from(TEXTS))
def test_programs_with_changed_words(data: st.DataObject, text: str) -> None:
    for _ in range(data.draw(st.integers(1, 5))):
        tokens = scan(Source("x.dl", text), Sink())
        token = tokens[data.draw(st.integers(0, len(tokens) - 1))]
        end = token.end if data.draw(st.booleans()) else token.start
        text = f"{text[: token.start]} {data.draw(st.sampled_from(WORDS))} {text[end:]}"
    survive(text)


@QUICK
@given(st.sampled_from(TEXTS), st.data())
def test_programs_that_are_cut_off(text: str, data: st.DataObject) -> None:
    survive(text[: data.draw(st.integers(0, len(text)))])
    survive(text[data.draw(st.integers(0, len(text))) :])


@QUICK
@given(st.binary(max_size=100))
def test_bytes_read_as_text(raw: bytes) -> None:
    survive(raw.decode("utf-8", errors="surrogateescape"))
