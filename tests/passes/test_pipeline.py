"""Pipelines prove what comes out of them, and name the pass that went wrong."""

from __future__ import annotations

import pytest

from dslc.diagnostics import InternalError
from dslc.graph import Graph, parse_graph
from dslc.ops.ir import Value
from dslc.passes.pipeline import Pipeline, run_all
from dslc.record import replace
from dslc.tensor_type import DType, TensorType


def kept(graph: Graph) -> Graph:
    return graph


def wrongly_typed(graph: Graph) -> Graph:
    """The graph with other types than operators give."""
    changed = Graph()
    for node in graph.order():
        out = Value(node.id, TensorType(DType.BOOL)) if node.inputs else node.out
        changed.add(replace(node, outputs=(out,)))
    return changed


def stumbling(graph: Graph) -> Graph:
    if any(node.out.dtype is DType.BOOL for node in graph.nodes.values()):
        raise KeyError("a type that there is not")
    return graph


@pytest.mark.parametrize(
    "pipeline",
    [
        (("first", kept), ("second", wrongly_typed)),
        (("first", kept), ("second", wrongly_typed), ("third", kept)),
        (("first", kept), ("second", wrongly_typed), ("third", stumbling)),
    ],
)
def test_the_first_pass_that_made_an_illegal_graph_is_named(pipeline: Pipeline):
    graph = parse_graph("%0: f32[2] = input(name='x')\n%1: f32[2] = neg(%0)\n")
    with pytest.raises(InternalError, match="internal error in second, at neg %1"):
        run_all(graph, pipeline)


def test_what_a_pass_raises_itself_is_raised():
    graph = parse_graph("%0: bool[2] = input(name='x')\n")
    with pytest.raises(KeyError, match="a type that there is not"):
        run_all(graph, (("first", stumbling),))
