"""What operators cost: figures by hand, and a figure for every sample of every operator."""

from __future__ import annotations

import pytest
from sample import Sample
from samples import SAMPLES

from dslc.graph import Builder
from dslc.graph.ir import LEAVES
from dslc.ops import OPS
from dslc.tensor_type import DType, TensorType, symbol

B = symbol("B")


def flops(op: str, *shapes: tuple[object, ...], out: tuple[object, ...] = ()) -> object:
    types = tuple(TensorType(DType.F32, shape) for shape in shapes)  # type: ignore[arg-type]
    return OPS[op].flops(types, TensorType(DType.F32, out))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("op", "shapes", "out", "cost"),
    [
        ("add", ((B, 3), (3,)), (B, 3), 3 * B),
        ("exp", ((B, 3),), (B, 3), 3 * B),
        ("matmul", ((B, 5), (5, 7)), (B, 7), 2 * 5 * 7 * B),
        ("matmul", ((4, B, 5), (5, 7)), (4, B, 7), 2 * 4 * 5 * 7 * B),
        ("matmul", ((5,), (5, 7)), (7,), 2 * 5 * 7),
        ("matmul", ((3, 5), (5,)), (3,), 2 * 3 * 5),
        ("gemm", ((B, 7), (B, 5), (5, 7), (), ()), (B, 7), 2 * 5 * 7 * B + 3 * 7 * B),
        ("sum", ((B, 3),), (B,), 3 * B),
        ("max", ((B, 3),), (), 3 * B),
        ("softmax", ((B, 3),), (B, 3), 15 * B),
        ("reshape", ((B, 6),), (B, 2, 3), 0),
        ("transpose", ((B, 6),), (6, B), 0),
        ("gather", ((100, 8), (B,)), (B, 8), 0),
        ("concat", ((B, 2), (B, 4)), (B, 6), 0),
        ("cast", ((B,),), (B,), 0),
    ],
)
def test_the_cost_is_a_size(op: str, shapes: tuple[tuple[object, ...], ...], out: tuple[object, ...], cost: object):
    assert flops(op, *shapes, out=out) == cost


@pytest.mark.parametrize("op", SAMPLES)
def test_every_sample_has_a_cost(op: str):
    for sample in SAMPLES[op]:
        assert _cost(op, sample) >= 0


def _cost(op: str, sample: Sample) -> int:
    builder = Builder()
    builder.apply(op, *sample.build(builder), **sample.attrs)
    nodes = [node for node in builder.graph.order() if node.op not in LEAVES]
    costs = [OPS[node.op].flops(tuple(value.type for value in node.inputs), node.out.type) for node in nodes]
    assert all(isinstance(cost, int) for cost in costs)
    return sum(cost for cost in costs if isinstance(cost, int))


def test_a_view_is_free():
    views = [opdef for opdef in OPS.values() if opdef.view]
    x = TensorType(DType.F32, (2, 3))
    assert {opdef.name: opdef.flops((x,), x) for opdef in views} == {opdef.name: 0 for opdef in views}
