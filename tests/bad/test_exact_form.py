"""The six messages that fix the form of all others, to the letter: `exact_form.txt` is compared whole and never rewritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from dslc.check import check_source
from dslc.diagnostics.render import render
from dslc.source import Source

HERE = Path(__file__).parent
EXPECTED = (HERE / "exact_form.txt").read_text(encoding="utf-8").rstrip("\n").split("\n\n")
PROGRAMS = ("ae", "mlp", "tagger", "net", "reg", "rec")


@pytest.mark.parametrize(("name", "expected"), list(zip(PROGRAMS, EXPECTED, strict=True)), ids=PROGRAMS)
def test_a_message_has_the_exact_form(name: str, expected: str) -> None:
    path = HERE / "models" / f"{name}.dl"
    _, sink = check_source(Source(f"models/{name}.dl", path.read_text(encoding="utf-8"), path))
    (diagnostic,) = sink
    assert render([diagnostic], color=False).rpartition("\n\n1 ")[0] == expected
