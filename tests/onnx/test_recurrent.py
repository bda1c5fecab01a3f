"""Recurrences in ONNX: layers become the operators of their names, with weights that keep theirs; anything else is a `Scan`."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest

from dslc.backends.interpret import interpret
from dslc.backends.to_onnx import to_onnx
from dslc.check.elaborate import elaborate_model
from dslc.check.files import file_scope
from dslc.diagnostics import Sink
from dslc.diagnostics.render import render
from dslc.graph import Graph
from dslc.lower import lower
from dslc.passes.export import optimize_for_export
from dslc.source import Source
from dslc.syntax.parse import parse
from dslc.tensor_type import evaluate
from dslc_runtime import ort

Array = npt.NDArray[Any]

RECURRENT = ("RNN", "LSTM", "GRU", "Scan")
#: Layers, the operators they become and where these begin.
LAYERS: dict[str, list[tuple[str, str]]] = {
    "RNN(4)": [("RNN", "forward")],
    "RNN(4, activation = relu, bias = false)": [("RNN", "forward")],
    "RNN(4, activation = softsign, reverse = true)": [("RNN", "reverse")],
    "LSTM(4)": [("LSTM", "forward")],
    "LSTM(4, reverse = true)": [("LSTM", "reverse")],
    "LSTM(4, bias = false)": [("LSTM", "forward")],
    "LSTM(4, dropout = 0.5, recurrent_dropout = 0.5)": [("LSTM", "forward")],
    "GRU(4)": [("GRU", "forward")],
    "GRU(4, bias = false, reverse = true)": [("GRU", "reverse")],
    "GRU(4, reset_after = false)": [("GRU", "forward")],
    "GRU(4, reset_after = false, bias = false)": [("GRU", "forward")],
    "Bidirectional(LSTM(2))": [("LSTM", "forward"), ("LSTM", "reverse")],
    "Bidirectional(scan(GRUCell(2)))": [("GRU", "forward"), ("GRU", "reverse")],
    "RNN(4, activation = gelu)": [("Scan", "forward")],
}
CELL = """cell Own(units: int) {
  dim D
  input  x: float[B, D]
  state  h: float[B, units] = zeros()
  state  c: float[B, units] = zeros()
  output y: float[B, units]
  param w: float[D, 4 * units]     = normal()
  param u: float[units, 4 * units] = normal()
  i, f, g, o = split(h @ u + x @ w, 4, axis = 1)
  m = tanh(g) * sigmoid(i) + sigmoid(f) * c
  y = tanh(m) * sigmoid(o)CHANGE
  next h = y
  next c = m
}
"""


def lowered(text: str) -> Graph:
    """The inference graph of a program's model."""
    sink = Sink()
    scope = file_scope(parse(Source("m.dl", f"dim B, T\n{text}"), sink), sink)
    model = elaborate_model(scope, "M", {}, training=False, sink=sink)
    assert model is not None, render(sink, color=False)
    return lower(model.body, model.outputs)


def one_layer(layer: str, *, lengths: bool, dtype: str = "f32") -> Graph:
    """A layer over sequences, which may be padded."""
    inputs = f" input x: {dtype}[B, T, 3]\n" + " input n: i64[B]\n" * lengths
    call = "it(x, lengths = n)" if lengths else "it(x)"
    return lowered(f"model M {{\n{inputs} output y: {dtype}[B, T, 4]\n layer it = {layer}\n y = {call}\n}}\n")


def drawn(graph: Graph, seed: int = 0) -> dict[str, Array]:
    """Parameters of a graph."""
    generator = np.random.default_rng(seed)
    leaves = {node.attrs.str("key"): node.out for node in graph.leaves("param")}
    return {
        key: generator.normal(size=[evaluate(dim, {}) for dim in v.shape]).astype("f4") for key, v in leaves.items()
    }


def written(graph: Graph, params: dict[str, Array]) -> onnx.ModelProto:
    """The ONNX model of a graph, checked."""
    model = to_onnx(optimize_for_export(graph), params)
    onnx.checker.check_model(model, full_check=True)
    return onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)


def recurrent(model: onnx.ModelProto) -> list[tuple[str, str]]:
    """The recurrent operators of a model, and their directions."""
    nodes = [node for node in model.graph.node if node.op_type in RECURRENT]
    ways = [[a.s.decode() for a in node.attribute if a.name == "direction"] for node in nodes]
    return [(node.op_type, way[0] if way else "forward") for node, way in zip(nodes, ways, strict=True)]


@pytest.mark.parametrize("lengths", [False, True], ids=["whole", "padded"])
@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_is_the_operator_of_its_name_and_computes_the_same(layer: str, lengths: bool) -> None:
    graph = one_layer(layer, lengths=lengths)
    params = drawn(graph)
    model = written(graph, params)
    assert recurrent(model) == LAYERS[layer]
    if not ort.is_installed():
        pytest.skip("ONNX Runtime is not installed")
    session = ort.open_session(model.SerializeToString())
    generator = np.random.default_rng(1)
    for batch, steps in ((1, 1), (3, 2), (4, 7), (2, 33)):
        feeds: dict[str, Array] = {"x": generator.normal(size=(batch, steps, 3)).astype("f4")}
        if lengths:
            feeds["n"] = generator.integers(-1, steps + 2, size=batch)
        wanted = interpret(graph, params | feeds)["y"]
        np.testing.assert_allclose(session.run(feeds)["y"], wanted, rtol=1e-5, atol=1e-5)


def test_parameters_stay_as_they_are_under_their_names() -> None:
    graph = one_layer("LSTM(4)", lengths=False)
    params = drawn(graph)
    named = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in written(graph, params).graph.initializer}
    for key, value in params.items():
        np.testing.assert_array_equal(named[key], value)


def test_all_results_of_a_layer_are_read_from_one_operator() -> None:
    inputs = " input x: f32[B, T, 3]\n input n: i32[B]\n input a: f32[B, 4]\n input b: f32[B, 4]\n"
    outputs = " output y: f32[B, T, 4]\n output h: f32[B, 4]\n output c: f32[B, 4]\n"
    call = " layer it = LSTM(4, return_state = true)\n y, h, c = it(x, n, a, b)\n"
    graph = lowered(f"model M {{\n{inputs}{outputs}{call}}}\n")
    params = drawn(graph)
    model = written(graph, params)
    assert recurrent(model) == [("LSTM", "forward")]
    assert [output.name for output in model.graph.output] == ["y", "h", "c"]
    if not ort.is_installed():
        pytest.skip("ONNX Runtime is not installed")
    generator = np.random.default_rng(2)
    feeds: dict[str, Array] = {"x": generator.normal(size=(3, 5, 3)).astype("f4"), "n": np.array([5, 1, 3], np.int32)}
    feeds |= {name: generator.normal(size=(3, 4)).astype("f4") for name in ("a", "b")}
    found, wanted = ort.open_session(model.SerializeToString()).run(feeds), interpret(graph, params | feeds)
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("change", "operator"), [("", "LSTM"), (" * 2", "Scan"), (" + x[:, :4]", "Scan")])
def test_a_cell_of_ones_own_is_the_operator_only_where_it_computes_that(change: str, operator: str) -> None:
    cell = CELL.replace("CHANGE", change)
    graph = lowered(f"{cell}model M {{\n input x: f32[B, T, 4]\n output y: f32[B, T, 4] = x |> it: scan(Own(4))\n}}\n")
    params = drawn(graph)
    model = written(graph, params)
    assert recurrent(model) == [(operator, "forward")]
    if ort.is_installed():
        x = np.random.default_rng(3).normal(size=(2, 6, 4)).astype("f4")
        wanted = interpret(graph, params | {"x": x})["y"]
        np.testing.assert_allclose(ort.open_session(model.SerializeToString()).run({"x": x})["y"], wanted, 1e-5, 1e-5)


def test_a_state_that_starts_somewhere_else_is_handed_to_the_operator() -> None:
    stage = "scan(GRUCell(4), init = { h: 0.5 })"
    graph = lowered(f"model M {{\n input x: f32[B, T, 3]\n output y: f32[B, T, 4] = x |> it: {stage}\n}}\n")
    (node,) = (node for node in written(graph, drawn(graph)).graph.node if node.op_type == "GRU")
    assert len(node.input) == 6
    assert node.input[4] == ""  # no lengths
    assert node.input[5] != ""


@pytest.mark.parametrize(("least", "operator"), [("maximum(n, 1)", "RNN"), ("n", "Scan")])
def test_lengths_written_by_hand_are_the_operators_where_no_sample_is_empty(least: str, operator: str) -> None:
    cell = "cell Held() {\n input x: f32[B, 3]\n input real: bool[B]\n state h: f32[B, 4] = zeros()\n output y: f32[B, 4]\n"
    cell += " param w: f32[3, 4] = normal()\n param u: f32[4, 4] = normal()\n y = tanh(x @ w + h @ u)\n"
    cell += " next h = where(expand_dims(real, axis = 1), y, h)\n}\n"
    model = "model M {\n input x: f32[B, T, 3]\n input n: i64[B]\n output h: f32[B, 4]\n layer run = scan(Held(), axis = 0)\n"
    model += f" real = expand_dims(arange(T, dtype = i64), axis = 1) < {least}\n"
    model += " _y = run(transpose(x, [1, 0, 2]), real)\n h = run.h\n}\n"
    graph = lowered(cell + model)
    assert recurrent(written(graph, drawn(graph))) == [(operator, "forward")]


def test_in_float64_a_layer_stays_a_scan() -> None:
    graph = one_layer("LSTM(4)", lengths=False, dtype="f64")
    assert recurrent(written(graph, {k: v.astype("f8") for k, v in drawn(graph).items()})) == [("Scan", "forward")]
