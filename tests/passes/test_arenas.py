"""What is done to all tensors of a vector is done to the vector; where they are not all of it, nothing changes."""

from __future__ import annotations

import numpy as np
import pytest

from dslc.backends.interpret import interpret
from dslc.check import check_source
from dslc.graph import Builder, Graph, verify
from dslc.ops.ir import Value
from dslc.passes import optimize, rewrite
from dslc.passes.arenas import ARENAS
from dslc.source import Source
from dslc.tensor_type import DType, TensorType
from dslc.training import training_graphs

SHAPES = ((2, 3), (4,), (1,))


def vector(b: Builder, name: str, size: int = 11) -> Value:
    return b.leaf("input", TensorType(DType.F64, (size,)), name=name)


def segments(b: Builder, v: Value, offsets: tuple[int, ...]) -> list[Value]:
    return [b.apply("segment", v, offset=at, sizes=shape) for at, shape in zip(offsets, SHAPES, strict=True)]


def slices(b: Builder, v: Value, offsets: tuple[int, ...]) -> list[Value]:
    """As the gradient of `pack` cuts a vector."""
    sizes = [int(np.prod(shape)) for shape in SHAPES]
    cut = [b.apply("slice", v, starts=(at,), stops=(at + n,)) for at, n in zip(offsets, sizes, strict=True)]
    return [b.apply("reshape", part, sizes=shape) for part, shape in zip(cut, SHAPES, strict=True)]


def operators(graph: Graph) -> list[str]:
    """The operators after the rules, when the numbers were found the same."""
    changed = rewrite(graph, ARENAS)
    verify(changed, "test")
    generator = np.random.default_rng(0)
    feeds = {n.attrs.str("name"): generator.normal(size=n.out.shape) for n in graph.leaves("input")}
    np.testing.assert_array_equal(interpret(changed, feeds)["y"], interpret(graph, feeds)["y"])
    return [node.op for node in changed.order() if node.inputs]


@pytest.mark.parametrize("cut", [segments, slices])
def test_all_parts_of_a_vector_packed_in_order_are_the_vector(cut):
    b = Builder()
    b.graph.outputs["y"] = b.apply("square", b.apply("pack", *cut(b, vector(b, "v"), (0, 6, 10))))
    assert operators(b.graph) == ["square"]


@pytest.mark.parametrize("cut", [segments, slices])
@pytest.mark.parametrize("first", [True, False])
def test_parts_that_are_added_to_others_are_added_as_a_vector(cut, first: bool):
    b = Builder()
    others = [b.leaf("input", TensorType(DType.F64, s), name=f"x{i}") for i, s in enumerate(SHAPES)]
    pairs = zip(cut(b, vector(b, "v"), (0, 6, 10)), others, strict=True)
    b.graph.outputs["y"] = b.apply("pack", *(b.apply("add", *(pair if first else pair[::-1])) for pair in pairs))
    assert operators(b.graph) == ["pack", "add"]


@pytest.mark.parametrize(("offsets", "size"), [((4, 0, 10), 11), ((0, 6, 10), 12), ((1, 7, 11), 12), ((0, 6, 6), 11)])
def test_parts_in_another_order_with_gaps_or_of_a_longer_vector_stay(offsets: tuple[int, ...], size: int):
    b = Builder()
    b.graph.outputs["y"] = b.apply("pack", *segments(b, vector(b, "v", size), offsets))
    assert "pack" in operators(b.graph)


def test_parts_of_two_vectors_stay():
    b = Builder()
    first, _, _ = segments(b, vector(b, "v"), (0, 6, 10))
    _, *rest = segments(b, vector(b, "w"), (0, 6, 10))
    b.graph.outputs["y"] = b.apply("pack", first, *rest)
    assert "pack" in operators(b.graph)


TEXT = """
dim B
model Net { input x: f32[B, 4]; output y: f32[B, 1]; y = x |> a: Dense(3) |> relu |> b: Dense(1) }
data rows { source = npz("rows.npz"); field x: f32[4] = source["x"] }
train net { use net = Net(); data = rows; loss = mean(net.y)PENALTY; optimizer = sgd() }
"""


def calls(penalty: str) -> int:
    """How many operators of a training step compute something."""
    checked, sink = check_source(Source("net.dl", TEXT.replace("PENALTY", penalty)))
    assert not sink.failed, [d.message for d in sink]
    graph = optimize(training_graphs(checked.trains["net"]).steps[0])
    return sum(bool(node.inputs) for node in graph.order())


@pytest.mark.parametrize("penalty", ["l1", "l2"])
def test_a_penalty_on_everything_costs_a_few_operators_whatever_the_model(penalty: str):
    assert calls(f" + {penalty}(0.01)") - calls("") <= 7
    assert calls(f' + {penalty}(0.01, on = "*.weight")') - calls("") > 7
