"""Graphs inside nodes: equality, text form, legality, other element types."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from recurrences import F64, GRAPHS, Made, N, T, nested, numbers, plain

from dslc.backends.interpret import interpret
from dslc.diagnostics import InternalError
from dslc.graph import Builder, GraphTextError, parse_graph, print_graph, retype, verify
from dslc.graph.region import ScanBody, graft, graph_of, region_of
from dslc.ops.ir import Data, Region
from dslc.ops.scan import scan_of
from dslc.tensor_type import DType, TensorType

SUM = """\
%0: f32[T, 2] = input(name='x')
%1: f32[2] = input(name='h')
%2: bool[] = scan(%1, %0, reverse=False, sequences=1, states=1)
  %0: f32[2] = input(name='s0')
  %1: f32[2] = input(name='x0')
  %2: f32[2] = add(%0, %1)
  result %2
  result %2
%3: f32[2] = item(%2, dtype=f32, index=0, sizes=(2,))
%4: f32[T, 2] = item(%2, dtype=f32, index=1, sizes=(<T>, 2))
output 'last' = %3
output 'all' = %4
"""


# ---------------------------------------------------------------------------------------------- regions


def region(first: str = "x0", value: float | Data = 1.0, name: str = "") -> Region:
    b = Builder()
    x = b.leaf("input", TensorType(F64, (1,)), name=first)
    made = b.leaf("constant", TensorType(F64, () if isinstance(value, float) else (1,)), value=value)
    b.graph.outputs["0"] = b.named(b.apply("mul", x, made), name)
    return region_of(b.graph)


def test_regions_are_equal_where_they_compute_the_same():
    assert region() == region(name="y")
    assert hash(region()) == hash(region(name="y"))
    assert region() != region(first="x1")
    assert region() != region(value=2.0)


def test_regions_with_other_bytes_of_a_constant_differ():
    one, two = (Data(np.array([v]).tobytes()) for v in (1.0, 2.0))
    assert region(value=one) == region(value=one)
    assert region(value=one) != region(value=two)


def test_a_region_is_a_graph_and_back():
    (scan,) = [node for node in plain().order() if node.op == "scan"]
    body = scan_of(scan).body
    assert region_of(graph_of(body)) == body


def test_equal_scans_are_one_node():
    b = Builder()
    x, h = b.leaf("input", TensorType(F64, (T, N)), name="x"), b.leaf("input", TensorType(F64, (N,)), name="h")
    found = []
    for _ in range(2):
        step = ScanBody()
        after = step.builder.apply("add", step.state(h), step.element(x))
        found.append(step.finish(b, [after], [after], reverse=False))
    assert found[0] == found[1]


def test_an_operand_used_twice_is_one_leaf_for_each_use():
    m, step = Made(), ScanBody()
    x = m.leaf("x", T, T)
    assert step.element(x) is step.element(x)
    assert step.constant(x) is step.constant(x)
    assert step.element(x) is not step.constant(x)


def test_a_graft_copies_what_is_needed_and_no_more():
    source = Made()
    x = source.leaf("x", N)
    wanted, _other = source("tanh", source("neg", x)), source("exp", x)
    target = Made()
    y = target.leaf("y", N)
    (made,) = graft(target.b, source.b.graph.order(), [wanted], {x.id: y})
    assert [node.op for node in target.b.graph.order()] == ["input", "neg", "tanh"]
    assert target.b.graph.producer(made).op == "tanh"


# ---------------------------------------------------------------------------------------------- text


def test_the_text_of_a_scan_has_its_body_under_it():
    assert print_graph(parse_graph(SUM)) == SUM


@pytest.mark.parametrize("name", GRAPHS)
def test_text_gives_the_graph_again(name: str):
    graph = GRAPHS[name]()
    again = parse_graph(print_graph(graph))
    verify(again, "test")
    assert again.nodes == graph.nodes
    assert print_graph(again) == print_graph(graph)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.replace("  result %2\n", "  result %7\n", 1), "line 7: %7 is read before it is made"),
        (lambda t: t.replace("  result %2\n", "  output 'y' = %2\n", 1), "line 7: 'output' starts neither"),
        (lambda t: t.replace("output 'all'", "result"), "line 12: 'result' starts neither"),
        (lambda t: t.replace("  %1: f32[2] = input", "      %1: f32[2] = input"), "line 4: `input` has no body"),
    ],
)
def test_a_malformed_body_is_named_by_its_line(change: Callable[[str], str], message: str):
    with pytest.raises(GraphTextError) as caught:
        parse_graph(change(SUM))
    assert str(caught.value).startswith(message)


def test_bodies_that_lie_very_deep_are_refused():
    text = "".join(f"{' ' * depth}%0: f32[] = neg(%0)\n" for depth in range(5000))
    with pytest.raises(GraphTextError, match="too deep"):
        parse_graph(text)


# ---------------------------------------------------------------------------------------------- legality


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("%2: f32[2] = add(%0, %1)", "%2: f32[3] = add(%0, %1)", r"state 0 is f32\[2\] and becomes f32\[3\]"),
        ("%1: f32[2] = input(name='x0')", "%1: f32[2] = input(name='x1')", "the body reads x0 as nothing"),
        ("%1: f32[2] = input(name='x0')", "%1: f32[3] = input(name='x0')", r"reads x0 as f32\[3\], it is f32\[2\]"),
        ("%1: f32[2] = input(name='x0')", "%1: f32[2] = param(key='x0')", "the body reads x0 as nothing"),
        ("sequences=1, states=1", "sequences=0, states=1", "1 states and 0 sequences do not fit 2 operands"),
        ("sequences=1, states=1", "sequences=2, states=1", "1 states and 2 sequences do not fit 2 operands"),
        ("index=0, sizes=(2,)", "index=5, sizes=(2,)", "the scan gives nothing"),
        ("%3: f32[2] = item(%2, dtype=f32, index=0", "%3: f32[2] = item(%2, dtype=f32, index=1", "the scan gives f32"),
        ("output 'last' = %3", "output 'last' = %2", "is a result; only `item` reads it"),
        ("%3: f32[2] = item(%2,", "%3: f32[2] = item(%1,", "`item` reads a result of a `scan`"),
    ],
)
def test_an_illegal_scan_is_found(before: str, after: str, message: str):
    text = SUM.replace(before, after)
    assert text != SUM
    with pytest.raises(InternalError, match=message):
        verify(parse_graph(text), "test")


def test_an_illegal_node_in_a_body_is_found():
    text = SUM.replace("%2: f32[2] = add(%0, %1)", "%2: f32[2] = add(%0, %1)\n  %3: f32[7] = neg(%2)")
    with pytest.raises(InternalError, match=r"neg %3: has type f32\[7\]"):
        verify(parse_graph(text), "test")


def test_a_body_holds_no_parameters():
    text = SUM.replace("  result %2\n", "  %5: f32[2] = param(key='w')\n  result %2\n", 1)
    with pytest.raises(InternalError, match="its body has a leaf param"):
        verify(parse_graph(text), "test")


# ---------------------------------------------------------------------------------------------- other element types


def test_bodies_get_other_element_types_too():
    graph = nested()
    narrow = retype(graph, {DType.F64: DType.F32})
    verify(narrow, "retype")
    feeds = numbers(graph, 3)
    wanted = interpret(graph, feeds)
    found = interpret(narrow, {name: array.astype(np.float32) for name, array in feeds.items()})
    for name, array in wanted.items():
        assert found[name].dtype == np.float32
        np.testing.assert_allclose(found[name], array, rtol=1e-4, atol=1e-5)
