"""Pieces between zeros that are added up are joined, where they fill an axis exactly."""

from __future__ import annotations

import numpy as np
import pytest

from dslc.backends.interpret import interpret
from dslc.graph import Builder, Graph, verify
from dslc.ops.ir import Value
from dslc.passes import rewrite
from dslc.passes.joins import JOINS
from dslc.tensor_type import DType, Shape, TensorType, symbol

B = symbol("B")


def summed(whole: Shape, *pieces: tuple[int, Shape, tuple[int, ...]]) -> Graph:
    """The sum, from the left, of pieces: the input they are of, their shape, where they start."""
    b = Builder()
    total: Value | None = None
    for number, shape, starts in pieces:
        x = b.leaf("input", TensorType(DType.F64, shape), name=f"x{number}")
        piece = b.apply("pad_slice", x, sizes=whole, starts=starts, steps=(1,) * len(whole))
        total = piece if total is None else b.apply("add", total, piece)
    assert total is not None
    b.graph.outputs["y"] = total
    return b.graph


def joined(graph: Graph) -> str:
    """The operator that makes the result, after the numbers were found the same."""
    changed = rewrite(graph, JOINS)
    verify(changed, "test")
    generator = np.random.default_rng(0)
    feeds = {
        node.attrs.str("name"): generator.normal(size=[d if isinstance(d, int) else 3 for d in node.out.shape])
        for node in graph.leaves("input")
    }
    np.testing.assert_array_equal(interpret(changed, feeds, {"B": 3})["y"], interpret(graph, feeds, {"B": 3})["y"])
    return changed.producer(changed.outputs["y"]).op


def test_pieces_are_joined_in_the_order_in_which_they_lie():
    assert joined(summed((B, 9), (0, (B, 4), (0, 5)), (1, (B, 2), (0, 0)), (2, (B, 3), (0, 2)))) == "concat"


def test_pieces_along_a_run_time_size_are_joined():
    assert joined(summed((B + 2, 3), (0, (2, 3), (0, 0)), (1, (B, 3), (2, 0)))) == "concat"


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([(0, (B, 4), (0, 0)), (1, (B, 4), (0, 5))], id="a gap"),
        pytest.param([(0, (B, 5), (0, 0)), (1, (B, 5), (0, 4))], id="an overlap"),
        pytest.param([(0, (B, 4), (0, 0)), (1, (B, 4), (0, 0)), (2, (B, 5), (0, 4))], id="one place twice"),
        pytest.param([(0, (B, 5), (0, 0)), (1, (B, 2), (0, 5))], id="the end missing"),
        pytest.param([(0, (1, 5), (0, 0)), (1, (B, 4), (0, 5))], id="two axes"),
        pytest.param([(0, (B, 9), (0, 0)), (1, (B, 9), (0, 0))], id="whole ones"),
    ],
)
def test_pieces_that_do_not_fill_the_axis_stay_a_sum(pieces: list[tuple[int, Shape, tuple[int, ...]]]):
    assert joined(summed((B, 9), *pieces)) == "add"


def test_sums_of_sums_that_are_shared_take_no_more_time_than_their_number():
    graph = summed((B, 9), (0, (B, 4), (0, 0)), (1, (B, 4), (0, 4)))
    b = Builder(graph)
    for _ in range(60):  # a walk along every path would meet 2 ** 60 pieces
        graph.outputs["y"] = b.apply("add", graph.outputs["y"], graph.outputs["y"])
    assert joined(graph) == "add"
