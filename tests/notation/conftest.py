"""Programs of one expression, run on given arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from dslc.check import check_source, elaborate_model
from dslc.diagnostics import Sink
from dslc.diagnostics.render import render
from dslc.graph import Graph
from dslc.lower import lower
from dslc.source import Source

Build = Callable[[str, Mapping[str, str], str], Graph]


def build(expression: str, inputs: Mapping[str, str], result: str) -> Graph:
    """The graph of a model `M` with the inputs (name: type) whose output `y` is the expression. Capitals are run-time sizes."""
    dims = sorted({c for type_ in (*inputs.values(), result) for c in type_ if c.isupper()})
    lines = [f"dim {', '.join(dims)}"] if dims else []
    lines += ["model M() {", *(f"  input {name}: {type_}" for name, type_ in inputs.items())]
    text = "\n".join([*lines, f"  output y: {result}", f"  y = {expression}", "}"])
    checked, sink = check_source(Source("m.dl", text))
    assert not sink.failed, f"{text}\n{render(sink, color=False)}"
    model = elaborate_model(checked.scope, "M", {}, False, Sink())
    assert model is not None
    return lower(model.body, model.outputs)


@pytest.fixture
def graph_of() -> Build:
    return build
