"""A bracket around a block: the parser reports it and comes to an end."""

from __future__ import annotations

import pytest

from dslc.diagnostics import Sink
from dslc.source import Source
from dslc.syntax.parse import parse


@pytest.mark.parametrize(
    "text", ["data(s{", "data(s{\n", "data d(s{ }", "model M(a {\n}\n", "data(s{ }\n", "data o{}i\ntrain e{"]
)
def test_a_block_inside_a_bracket_ends_in_a_report(text: str) -> None:
    sink = Sink()
    parse(Source("x.dl", text), sink)
    assert sink.failed
