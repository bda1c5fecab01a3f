"""Short ways to check a text, shared by the checker's tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from dslc.check import check_source, elaborate_model, file_scope
from dslc.check.typed import TypedModel
from dslc.diagnostics import Sink
from dslc.diagnostics.render import render
from dslc.source import Source
from dslc.syntax.parse import parse

Elaborate = Callable[..., TypedModel]
Codes = Callable[[str], list[str]]


@pytest.fixture
def elaborate() -> Elaborate:
    """The model `M` of a text in one mode; the text must be right."""

    def make(text: str, *, training: bool = False, name: str = "M", **hypers: object) -> TypedModel:
        sink = Sink()
        scope = file_scope(parse(Source("m.dl", text), sink), sink)
        values: Mapping[str, object] = hypers
        model = elaborate_model(scope, name, values, training, sink)  # type: ignore[arg-type]
        assert model is not None, render(sink, color=False)
        return model

    return make


@pytest.fixture
def codes() -> Codes:
    """The codes of everything that is found in a text, in order."""
    return lambda text: [d.code for d in check_source(Source("m.dl", text))[1]]
