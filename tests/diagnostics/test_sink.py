"""A sink keeps each diagnostic once, knows its errors, and takes a limited number of them."""

from __future__ import annotations

from dslc.diagnostics import Diagnostic, Label, Sink
from dslc.diagnostics.model import MOST_ERRORS
from dslc.source import Source, Span

SOURCE = Source("s.dl", "x" * 1_000)


def _error(at: int) -> Diagnostic:
    return Diagnostic("DL1001", "no such name", (Label(Span(SOURCE, at, at + 1)),))


def test_equal_diagnostics_are_kept_once() -> None:
    sink = Sink()
    for _ in range(3):
        sink.add(_error(1))
    assert sink.found == [_error(1)]


def test_a_warning_is_no_failure() -> None:
    sink = Sink()
    sink.add(Diagnostic("DL4001", "unused"))
    assert not sink.failed
    sink.add(_error(1))
    assert sink.failed


def test_a_sink_knows_what_was_told_of_a_place() -> None:
    sink = Sink()
    sink.add(_error(1))
    assert sink.has("DL1001", Span(SOURCE, 1, 2))
    assert not sink.has("DL1001", Span(SOURCE, 2, 3))
    assert not sink.has("DL1002", Span(SOURCE, 1, 2))


def test_a_full_sink_says_so_once_and_drops_the_rest() -> None:
    sink = Sink()
    for at in range(MOST_ERRORS):
        sink.add(_error(at))
    assert not sink.full
    for at in range(MOST_ERRORS, MOST_ERRORS + 5):
        sink.add(_error(at))
    assert sink.full
    assert [d.code for d in sink][-2:] == ["DL1001", "DL0070"]
    assert len(sink.found) == MOST_ERRORS + 1


def test_warnings_do_not_fill_a_sink() -> None:
    sink = Sink()
    for at in range(3 * MOST_ERRORS):
        sink.add(Diagnostic("DL4001", "unused", (Label(Span(SOURCE, at, at + 1)),)))
    assert len(sink.found) == 3 * MOST_ERRORS
