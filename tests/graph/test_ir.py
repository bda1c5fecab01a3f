"""Graphs, their builder and `verify`."""

from __future__ import annotations

import copy
import re

import pytest

from dslc.diagnostics import InternalError
from dslc.graph import Builder, parse_graph, retype, verify
from dslc.ops.ir import Attr, Attrs, Data
from dslc.tensor_type import DType, TensorType, symbol

B = symbol("B")
F32 = DType.F32


def test_the_builder_shares_equal_nodes():
    b = Builder()
    x = b.leaf("input", TensorType(F32, (B,)), name="x")
    assert b.apply("neg", x) is b.apply("neg", x)
    assert b.constant(1, F32) is b.constant(1.0, F32)


def test_constants_that_python_calls_equal_are_different_nodes():
    b = Builder()
    made = [b.constant(v, d) for v, d in ((1, DType.I64), (1.0, F32), (True, DType.BOOL), (0.0, F32), (-0.0, F32))]
    assert len({value.id for value in made}) == 5


def test_a_square_of_one_value_has_two_edges():
    b = Builder()
    x = b.leaf("input", TensorType(F32, (B,)), name="x")
    y = b.apply("mul", x, x)
    assert b.graph.net.number_of_edges(x.id, y.id) == 2
    assert [position for _, position in b.graph.uses(x)] == [0, 1]
    verify(b.graph, "test")


def test_composite_operators_are_expanded():
    b = Builder()
    x = b.leaf("input", TensorType(F32, (B,)), name="x")
    b.apply("mse", x, b.leaf("input", TensorType(F32, (B,)), name="y"))
    assert "mse" not in {node.op for node in b.graph.nodes.values()}


def test_an_operator_that_does_not_fit_is_a_defect_of_ours():
    b = Builder()
    x = b.leaf("input", TensorType(F32, (B,)), name="x")
    with pytest.raises(InternalError, match=r"internal error in graph, at add\(f32\[B\], f32\[3\]\)"):
        b.apply("add", x, b.leaf("input", TensorType(F32, (3,)), name="y"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("%0: f32[2] = input(name='x')\n%1: f32[3] = neg(%0)\n", "has type f32[3], its operands give f32[2]"),
        ("%5: f32[2] = input(name='x')\n%1: f32[2] = neg(%5)\n", "input 0 is made after it"),
        ("%0: f32[2] = input(name='x')\n%1: i64[] = argmax(%0, axis=4, keepdims=False)\n", "has unfit attributes"),
        ("%0: f32[2] = input(name='x')\n%1: f32[] = sum(%0)\n", "has unfit attributes"),
        ("%0: f32[2] = input(name='x')\n%1: f32[2] = conjure(%0)\n", "is no operator"),
    ],
)
def test_verify_refuses_what_is_not_legal(text: str, message: str):
    with pytest.raises(InternalError, match=f"internal error in stage, .*{re.escape(message)}"):
        verify(parse_graph(text), "stage")


@pytest.mark.parametrize("edges", [[], [(0, 1, 0), (0, 1, 1)]])
def test_verify_refuses_a_graph_whose_edges_do_not_mirror_inputs(edges: list[tuple[int, int, int]]):
    graph = parse_graph("%0: f32[2] = input(name='x')\n%1: f32[2] = neg(%0)\n")
    graph.net.remove_edge(0, 1)
    for source, target, position in edges:
        graph.net.add_edge(source, target, key=position)
    with pytest.raises(InternalError, match="is not an edge, or an edge is no input"):
        verify(graph, "stage")


def test_verify_refuses_a_result_that_is_not_there():
    graph = parse_graph("%0: f32[2] = input(name='x')\noutput 'x' = %0\n")
    graph.outputs["y"] = Builder().constant(1.0, F32)
    with pytest.raises(InternalError, match="a result is not in the graph"):
        verify(graph, "stage")


# ---------------------------------------------------------------------------------------------- attributes


@pytest.mark.parametrize(
    ("one", "other"), [(1, 1.0), (1, True), (0.0, -0.0), ((1, 2), (1, 2.0)), ((1,), (1, 1)), (-1, -2)]
)
def test_attributes_that_python_may_call_equal_are_different_to_a_graph(one: Attr, other: Attr):
    assert Attrs({"a": one}) != Attrs({"a": other})


@pytest.mark.parametrize("value", [(B * 2, 1), 0.5, Data(b"\x00"), None, "text"])
def test_attributes_made_twice_are_equal(value: Attr):
    assert Attrs({"a": copy.deepcopy(value)}) == Attrs({"a": value})


# ---------------------------------------------------------------------------------------------- retype


def test_retype_replaces_types_of_leaves_attributes_and_constants():
    b = Builder()
    x = b.leaf("input", TensorType(F32, (B, 2)), name="x")
    ids = b.leaf("input", TensorType(DType.I64, (B,)), name="ids")
    table = b.leaf("constant", TensorType(F32, (2,)), value=Data(b"\x00\x00\x80\x3f\x00\x00\x00\x40"))
    code = b.apply("one_hot", ids, classes=2, dtype=F32)
    wide = b.apply("cast", b.apply("add", b.apply("mul", x, table), code), dtype=F32)
    b.graph.outputs["y"] = wide
    graph = retype(b.graph, {F32: DType.F64})
    verify(graph, "test")
    assert {node.out.dtype for node in graph.nodes.values()} == {DType.F64, DType.I64}
    assert graph.outputs["y"].type == TensorType(DType.F64, (B, 2))
    (constant,) = graph.leaves("constant")
    assert constant.attrs["value"] == Data(bytes.fromhex("000000000000f03f0000000000000040"))
