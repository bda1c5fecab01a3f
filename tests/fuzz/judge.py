"""One text through the front of the compiler: it is accepted or refused with diagnostics, in time, or `judge` raises."""

from __future__ import annotations

import re
import signal
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import process_time
from types import FrameType
from typing import Any
from zlib import crc32

from dslc.backends.numpy_forms import specialise
from dslc.backends.plan import plan
from dslc.backends.to_numpy import compile_numpy
from dslc.check import CheckedFile, check_source
from dslc.diagnostics import CODES, DslcError, Sink
from dslc.diagnostics.render import render, to_json
from dslc.lower import lower
from dslc.passes import optimize
from dslc.source import Source, Span
from dslc.syntax.format import format_source
from dslc.syntax.lexer import scan
from dslc.syntax.parse import parse
from dslc.syntax.token import DOC
from dslc.syntax.tree import File
from dslc.training import training_graphs

CHECK_SECONDS = 2.0
FORMAT_SECONDS = 6.0  # formatted and parsed twice each
COMPILE_SECONDS = 10.0
FORMATTED_SHARE = 3  # of the texts, one in so many is formatted
COMPILED_SHARE = 4  # of the programs that check, one in so many is compiled


class TooSlow(BaseException):
    """Raised inside whatever runs when its time is over; no `except Exception` stops it."""


@dataclass
class Tally:
    """What came of the cases so far."""

    cases: int = 0
    accepted: int = 0
    formatted: int = 0
    compiled: int = 0
    slowest: float = 0.0
    codes: Counter[str] = field(default_factory=Counter)

    def text(self) -> str:
        return (
            f"{self.cases:_} cases: {self.accepted:_} accepted, {self.cases - self.accepted:_} refused with "
            f"{len(self.codes)} different codes, {self.formatted:_} formatted, {self.compiled:_} compiled; "
            f"slowest check {self.slowest:.2f} s"
        )


def judge(text: str, tally: Tally) -> None:
    """Check, format and, if it is its turn, compile a text.

    Raises:
        Exception: what no user should see.
    """
    source = Source("case.dl", text)
    start = process_time()
    with _limit(CHECK_SECONDS, "checking"):
        checked, sink = check_source(source)
        _judge_diagnostics(sink)
    tally.cases += 1
    tally.slowest = max(tally.slowest, process_time() - start)
    tally.codes.update({found.code for found in sink})
    turn = crc32(text.encode("utf-8", "surrogatepass"))
    if turn % FORMATTED_SHARE == 0:
        with _limit(FORMAT_SECONDS, "formatting"):
            tally.formatted += _judge_format(checked.scope.file)
    if sink.failed:
        return
    tally.accepted += 1
    if turn // FORMATTED_SHARE % COMPILED_SHARE == 0:
        with _limit(COMPILE_SECONDS, "compiling"):
            tally.compiled += _compile(checked)


@contextmanager
def _limit(seconds: float, what: str) -> Generator[None]:
    """Raise inside the block once it has used this much of the processor."""

    def stop(signum: int, frame: FrameType | None) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    except TooSlow as late:
        raise AssertionError(f"{what} took more than {seconds} s") from late
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _judge_diagnostics(sink: Sink) -> None:
    for found in sink:
        assert found.code in CODES
        for label in found.labels:
            assert 0 <= label.span.start <= label.span.end <= len(label.span.source.text)
    printed = render(sink, color=False, width=80)
    assert not set(printed) & set("\x00\x1b\r\u202e\u2066"), "a control character reached the terminal"
    to_json(sink)


def _judge_format(file: File) -> bool:
    """Whether the text has a layout; if so, it keeps tree and comments, and is final."""
    try:
        pretty = format_source(file.source)
    except DslcError:
        return False
    again = Source("formatted.dl", pretty)
    sink = Sink()
    assert shape_of(parse(again, sink)) == shape_of(file), "formatting changed the tree"
    assert _comments(again) == _comments(file.source), "formatting changed the comments"
    assert format_source(again) == pretty, "formatting again changed the text"
    return True


def shape_of(node: Any) -> Any:
    """A tree without places: tuples of the node's kind and its parts."""
    if isinstance(node, tuple):
        return tuple(shape_of(part) for part in node)
    if isinstance(node, Span | Source):
        return None
    if not hasattr(node, "__match_args__"):
        return node
    return (type(node).__name__, *(shape_of(getattr(node, name)) for name in node.__match_args__))


def _comments(source: Source) -> list[str]:
    end, found = 0, list[str]()
    for token in scan(source, Sink()):
        begin = token.end if token.kind == DOC else token.start
        found += [comment.rstrip() for comment in re.findall("#[^\n]*", source.text[end:begin])]
        end = token.end
    return found


def _compile(checked: CheckedFile) -> bool:
    """Lower, optimise and plan everything that a program without errors declares."""
    for model in checked.models.values():
        compile_numpy(optimize(lower(model.body, model.outputs)))
    for train in checked.trains.values():
        for step in training_graphs(train).steps:
            plan(specialise(optimize(step)))
    return bool(checked.models or checked.trains)


def corpus(root: Path) -> list[str]:
    """The programs of the project, good and bad, without those that go to the limits: they take most of the time there is."""
    paths = sorted([*(root / "models").glob("*.dl"), *(root / "tests").rglob("*.dl")])
    paths = [path for path in paths if path.parent.name != "limits"]
    return [path.read_text("utf-8", errors="replace") for path in paths if path.stat().st_size < 4_000]
