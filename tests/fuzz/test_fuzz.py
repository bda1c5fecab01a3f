"""2,000 generated and broken programs: each is accepted or refused with diagnostics, in time and in memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from judge import Tally, judge, shape_of
from minimise import minimised
from mutants import changed

from dslc.diagnostics import Sink
from dslc.source import Source
from dslc.syntax.parse import parse

HERE = Path(__file__).parent


def test_two_thousand_cases_end_in_acceptance_or_in_diagnostics(tmp_path: Path) -> None:
    command = [sys.executable, str(HERE), "--cases", "2000", "--seed", "1", "--save", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("text", ["y = a + (b * c)", "y = x |> f |> g"])
def test_trees_of_other_programs_have_other_shapes(text: str) -> None:
    """The comparison of trees can fail."""
    other = text.replace("(", "").replace(")", "").replace("+", "-").replace("|> f", "|> h")
    shapes = {shape_of(parse(Source("x.dl", f"model M {{\n  {line}\n}}\n"), Sink())) for line in (text, other)}
    assert len(shapes) == 2


def test_what_raises_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("judge.check_source", lambda source: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        judge("dim B\n", Tally())


def test_what_does_not_end_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def forever(source: Source) -> None:
        while True:
            pass

    monkeypatch.setattr("judge.check_source", forever)
    monkeypatch.setattr("judge.CHECK_SECONDS", 0.1)
    with pytest.raises(AssertionError, match="checking took more than"):
        judge("dim B\n", Tally())


def test_edits_change_the_text_where_they_say() -> None:
    assert changed("a b\nc d\n", [(0.0, "drop", "", 0)]) == " b\nc d\n"
    assert changed("a b\n", [(0.0, "repeat", "", 2)]) == "a ba ba b\n"
    assert changed("a b\n", [(0.5, "nest", "", 2)]) == "a ((b))\n"


def test_a_failing_text_is_made_as_small_as_it_gets() -> None:
    text = "dim B\nmodel M {\n  y = f(x) + bad(z)\n}\ndim C\n"
    assert minimised(text, lambda smaller: "bad" in smaller) == "bad"
    assert minimised(text, lambda smaller: smaller.count("dim") == 2 and "bad" in smaller) == "dimbaddim"
