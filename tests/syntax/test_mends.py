"""A proposed edit mends the mistake it belongs to."""

from __future__ import annotations

from pathlib import Path

import pytest

from dslc.diagnostics import Diagnostic, Help, Sink
from dslc.diagnostics.mend import apply_edits
from dslc.source import Source
from dslc.syntax.parse import parse

BAD = sorted((Path(__file__).parent.parent / "bad" / "syntax").glob("*.dl"))


def found(text: str) -> list[Diagnostic]:
    sink = Sink()
    parse(Source("x.dl", text), sink)
    return list(sink)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_an_edit_mends_its_mistake(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for diagnostic in found(text):
        for help_ in diagnostic.footers:
            if isinstance(help_, Help) and help_.edits:
                mended = apply_edits(text, help_.edits)
                label = diagnostic.labels[0]
                left = [(d.code, d.labels[0].span.start) for d in found(mended)]
                assert (diagnostic.code, label.span.start) not in left, mended


def test_most_mistakes_have_an_edit_or_a_help() -> None:
    told = [diagnostic for path in BAD for diagnostic in found(path.read_text(encoding="utf-8"))]
    assert sum(any(isinstance(f, Help) for f in d.footers) for d in told) > 0.55 * len(told)
