"""The text form of graphs: printing and parsing are each other's inverse."""

from __future__ import annotations

import math

import pytest

from dslc.graph import Builder, Graph, GraphTextError, parse_graph, print_graph, verify
from dslc.ops.ir import Data, Node
from dslc.record import replace
from dslc.tensor_type import Dim, DType, TensorType, divide, floor_div, symbol

B, T = symbol("B"), symbol("T")
F32 = DType.F32


def without_spans(graph: Graph) -> dict[int, Node]:
    return {number: replace(node, span=None) for number, node in graph.nodes.items()}


def assert_round_trip(graph: Graph) -> None:
    text = print_graph(graph)
    parsed = parse_graph(text)
    assert parsed.nodes == without_spans(graph)
    assert (parsed.outputs, parsed.updates) == (graph.outputs, graph.updates)
    assert list(parsed.outputs) == list(graph.outputs)
    assert sorted(parsed.net.edges(keys=True)) == sorted(graph.net.edges(keys=True))
    assert print_graph(parsed) == text


def test_a_graph_is_one_line_per_node_and_result():
    b = Builder()
    x = b.leaf("input", TensorType(F32, (B, 4)), name="x")
    y = b.named(b.apply("mul", x, b.constant(0.5, F32)), "hidden.y")
    b.graph.outputs["y"] = b.apply("sum", y, axes=(1,))
    b.graph.updates["s"] = y
    assert print_graph(b.graph) == (
        "%0: f32[B, 4] = input(name='x')\n"
        "%1: f32[] = constant(value=0.5)\n"
        "%2: f32[B, 4] = mul(%0, %1)  # 'hidden.y'\n"
        "%3: f32[B] = sum(%2, axes=(1,), keepdims=False)\n"
        "output 'y' = %3\n"
        "update 's' = %2\n"
    )
    assert_round_trip(b.graph)


@pytest.mark.parametrize(
    "value",
    [0.0, -0.0, 1e-30, 1e22, -2.5, math.inf, -math.inf, 3, -7, True, False, Data(b"\x00\xff\x10\x20"), Data(b"")],
    ids=repr,
)
def test_constants_keep_value_and_kind(value: float | Data):
    b = Builder()
    dtype = DType.BOOL if isinstance(value, bool) else DType.I64 if isinstance(value, int) else F32
    shape = (len(value.bytes) // 4,) if isinstance(value, Data) else ()
    b.graph.outputs["c"] = b.leaf("constant", TensorType(dtype, shape), value=value)
    assert_round_trip(b.graph)


def test_a_nan_constant_is_printed_and_parsed():
    text = "%0: f32[] = constant(value=nan)\noutput 'c' = %0\n"
    assert print_graph(parse_graph(text)) == text


@pytest.mark.parametrize(
    "size",
    [
        B,
        B + 1,
        2 * B - 3,
        -1 * B + T,
        B * B * T + B * T + 7,
        divide(B, 2),
        divide(B * T + T, 6),
        floor_div(B - 1, 2),
        floor_div(floor_div(B, 3) + T, 2) * B + 1,
        floor_div(B, T),
    ],
    ids=str,
)
def test_symbolic_sizes_survive_in_types_and_attributes(size: Dim):
    b = Builder()
    b.leaf("input", TensorType(F32, (size, 3)), name="x")
    b.leaf("size", TensorType(DType.I64), size=size)
    b.graph.outputs["s"] = b.leaf("size", TensorType(DType.I64), size=(size, (1, size), ()))
    assert_round_trip(b.graph)


@pytest.mark.parametrize(
    "name",
    [
        "f32",
        "inf",
        "None",
        "it's",
        '"',
        "\\",
        "a\nb",
        "a\rb",
        "\u2028\u202e",
        "%0 = x()",
        "# '",
        "data'00'",
        "",
        " ",
        "\ud800",
    ],
    ids=ascii,
)
def test_hostile_names_stay_on_their_line(name: str):
    b = Builder()
    x = b.named(b.leaf("input", TensorType(F32), name=name), name)
    b.graph.outputs[name] = x
    b.graph.updates[name] = x
    assert print_graph(b.graph).isascii() or name.isprintable()
    assert len(print_graph(b.graph).splitlines()) == 3
    assert_round_trip(b.graph)


def test_a_size_named_like_a_word_is_no_attribute_word():
    b = Builder()
    sizes = (symbol("f32"), symbol("inf"), symbol("nan"), symbol("None"))
    b.graph.outputs["x"] = b.leaf("input", TensorType(F32, sizes), name="x", sizes=(*sizes, DType.F32, math.inf, None))
    assert_round_trip(b.graph)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("%1: f32[] = neg(%0)", "line 1: %0 is read before it is made"),
        ("%0: f33[] = input(name='x')", "line 1: 'f33'"),
        ("%0: f32[] = input(name='x'", "line 1: the line ends too early"),
        ("%0: f32[] = input(name='x') x", "line 1: column 28: the line goes on"),
        ("\n%0: f32[] input()", "line 2: column 10: '=' was expected"),
        ("result 'x' = %0", "line 1: 'result' starts neither a node nor a result"),
        ("%0: f32[] = input()\n%0: f32[] = input()", "line 2: %0 is made twice"),
        ("%0: f32[] = f(a=" + "(" * 100_000, "line 1: "),
    ],
)
def test_a_malformed_text_is_refused_with_its_line(text: str, message: str):
    with pytest.raises(GraphTextError) as error:
        parse_graph(text)
    assert str(error.value).startswith(message)


def test_a_parsed_graph_can_be_verified_and_built_on():
    graph = parse_graph("%2: f32[B] = input(name='x')\n%5: f32[B] = neg(%2)\noutput 'y' = %5\n")
    verify(graph, "test")
    b = Builder(graph)
    made = b.apply("neg", graph.outputs["y"])
    assert made.id == 6
    assert b.apply("neg", graph.nodes[2].out).id == 5
