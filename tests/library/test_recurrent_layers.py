"""`RNN`, `LSTM` and `GRU`: keys, masks that stay for a whole sequence, and ONNX Runtime at any batch and length."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from dslc.backends.interpret import interpret
from dslc.backends.to_onnx import to_onnx
from dslc.check.elaborate import elaborate_model
from dslc.check.files import file_scope
from dslc.diagnostics import Sink
from dslc.diagnostics.render import render
from dslc.graph import Graph
from dslc.lower import lower
from dslc.ops.scan import scan_of
from dslc.passes import optimize
from dslc.source import Source
from dslc.syntax.parse import parse
from dslc.tensor_type import evaluate
from dslc_runtime import ort

Array = npt.NDArray[np.float64]

LAYERS = (
    "RNN(4)",
    "RNN(4, activation = relu, reverse = true)",
    "LSTM(4)",
    "LSTM(4, reverse = true, return_sequences = false)",
    "GRU(4)",
    "GRU(4, reset_after = false, return_sequences = false)",
    "LSTM(4, dropout = 0.5, recurrent_dropout = 0.5)",
    "Bidirectional(LSTM(2))",
    "Bidirectional(GRU(2), return_sequences = false)",
)


#: Every recurrence over padded sequences, cells of one's own included.
PADDED = """dim B, T
model M {
 input x: f64[B, T, 3]
 input n: i64[B]
 output both: f64[B, 8]
 output y: f64[B, T, 4]
 output z: f64[B, T, 4]
 layer two = Bidirectional(GRU(4), return_sequences = false)
 both = two(x, n)
 y = x |> a: scan(LSTMCell(4), lengths = n, reverse = true)
 z = x |> b: scan(RNNCell(4), lengths = n, init = { h: 0.5 })
}
"""


def lowered(stages: str, dtype: str, *, training: bool = False) -> Graph:
    """The graph of some stages on a sequence of any batch and length."""
    last = "return_sequences = false" in stages
    sizes = "B, 4" if last else "B, T, 4"
    text = f"dim B, T\nmodel M {{\n input x: {dtype}[B, T, 3]\n output y: {dtype}[{sizes}]\n y = x |> {stages}\n}}\n"
    return lowered_text(text, training=training)


def lowered_text(text: str, *, training: bool = False) -> Graph:
    """The graph of a program's model."""
    sink = Sink()
    model = elaborate_model(file_scope(parse(Source("m.dl", text), sink), sink), "M", {}, training, sink)
    assert model is not None, render(sink, color=False)
    return optimize(lower(model.body, model.outputs))


def drawn(graph: Graph, batch: int, steps: int, seed: int) -> dict[str, Array]:
    """Numbers for the input and the parameters of a graph."""
    generator = np.random.default_rng(seed)
    found = {"x": generator.normal(size=(batch, steps, 3))}
    for node in graph.leaves("param"):
        found[node.attrs.str("key")] = generator.normal(scale=0.5, size=[evaluate(dim, {}) for dim in node.out.shape])
    return found


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def lstm(x: Array, feeds: dict[str, Array], mask: Array) -> Array:
    """The formula of an LSTM, its hidden state multiplied by a mask before each step."""
    weight_ih, weight_hh, bias = (feeds[f"rnn.{name}"] for name in ("weight_ih", "weight_hh", "bias"))
    h, c = np.zeros_like(mask), np.zeros_like(mask)
    found: list[Array] = []
    for t in range(x.shape[1]):
        i, f, g, o = np.split(x[:, t] @ weight_ih + (h * mask) @ weight_hh + bias, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        found.append(h)
    return np.stack(found, axis=1)


def test_parameters_stand_directly_under_the_label_with_the_shapes_of_all_gates() -> None:
    shapes = {
        "RNN(4)": {"weight_ih": (3, 4), "weight_hh": (4, 4), "bias": (4,)},
        "LSTM(4)": {"weight_ih": (3, 16), "weight_hh": (4, 16), "bias": (16,)},
        "GRU(4)": {"weight_ih": (3, 12), "weight_hh": (4, 12), "bias_ih": (12,), "bias_hh": (12,)},
        "LSTM(4, bias = false)": {"weight_ih": (3, 16), "weight_hh": (4, 16)},
    }
    for layer, wanted in shapes.items():
        found = {node.attrs.str("key"): node.out.shape for node in lowered(f"one: {layer}", "f32").leaves("param")}
        assert found == {f"one.{name}": shape for name, shape in wanted.items()}


def test_a_sequence_has_one_mask_for_its_input_and_one_for_its_state() -> None:
    graph = lowered("rnn: LSTM(4, dropout = 0.25, recurrent_dropout = 0.5)", "f64", training=True)
    draws = {node.attrs.str("stream"): node for node in graph.leaves("draw")}
    assert [len(node.out.shape) for node in draws.values()] == [2, 3]
    (of_state, _), (of_input, node) = draws.items()
    assert node.out.shape[1] == 1
    feeds = drawn(graph, batch=3, steps=6, seed=1)
    masks = {
        of_state: np.random.default_rng(2).choice([0.0, 2.0], size=(3, 4)),
        of_input: np.random.default_rng(3).choice([0.0, 4 / 3], size=(3, 1, 3)),
    }
    found = interpret(graph, feeds | masks)["y"]
    wanted = lstm(feeds["x"] * masks[of_input], feeds, masks[of_state])
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("layer", ["RNN", "LSTM", "GRU"])
def test_dropout_does_nothing_in_inference(layer: str) -> None:
    plain = lowered(f"rnn: {layer}(4)", "f64")
    dropped = lowered(f"rnn: {layer}(4, dropout = 0.5, recurrent_dropout = 0.5)", "f64")
    assert not list(dropped.leaves("draw"))
    feeds = drawn(plain, batch=2, steps=5, seed=4)
    np.testing.assert_array_equal(interpret(dropped, feeds)["y"], interpret(plain, feeds)["y"])


@pytest.mark.parametrize("layer", ["RNN", "LSTM", "GRU"])
def test_the_projection_of_the_input_is_one_product_outside_of_the_loop(layer: str) -> None:
    graph = lowered(f"rnn: {layer}(4)", "f32")
    (scan,) = (node for node in graph.nodes.values() if node.op == "scan")
    outside = [node for node in graph.nodes.values() if node.op == "matmul"]
    inside = [node for node in scan_of(scan).body.nodes if node.op == "matmul"]
    assert (len(outside), len(inside)) == (1, 1)


@pytest.mark.parametrize("reverse", ["false", "true"])
def test_a_length_outside_of_the_sequence_counts_as_the_nearest_one(reverse: str) -> None:
    text = (
        "dim B, T\nmodel M {\n input x: f64[B, T, 3]\n input n: i64[B]\n output y: f64[B, T, 4]\n output h: f64[B, 4]\n"
    )
    text += f" layer rnn = LSTM(4, reverse = {reverse}, return_state = true)\n y, h, _c = rnn(x, n)\n}}\n"
    graph = lowered_text(text)
    feeds = drawn(graph, batch=4, steps=3, seed=6)
    found = interpret(graph, feeds | {"n": np.array([-2, 0, 3, 9])})
    wanted = interpret(graph, feeds | {"n": np.array([1, 1, 3, 3])})
    for name, value in wanted.items():
        np.testing.assert_array_equal(found[name], value)
    assert not found["y"][:2, 1:].any()
    assert found["y"][2:].all()


def test_last_states_are_read_by_name_in_both_directions() -> None:
    text = "dim B, T\nmodel M {\n input x: f64[B, T, 3]\n input n: i64[B]\n output ends: f64[B, 8]\n output states: f64[B, 8]\n"
    text += " layer both = Bidirectional(LSTM(4), return_sequences = false)\n ends = both(x, n)\n"
    graph = lowered_text(text + " states = concat(both.forward.h, both.backward.h, axis = -1)\n}\n")
    found = interpret(graph, drawn(graph, batch=3, steps=4, seed=8) | {"n": np.array([4, 2, 1])})
    np.testing.assert_array_equal(found["states"], found["ends"])


def test_one_mask_for_a_sequence_goes_with_lengths() -> None:
    text = "dim B, T\nmodel M {\n input x: f64[B, T, 3]\n input n: i64[B]\n output h: f64[B, 4]\n"
    text += " layer rnn = LSTM(4, recurrent_dropout = 0.5, return_sequences = false)\n h = rnn(x, n)\n}\n"
    graph = lowered_text(text, training=True)
    (draw,) = graph.leaves("draw")
    feeds = drawn(graph, batch=2, steps=5, seed=9)
    mask = np.random.default_rng(10).choice([0.0, 2.0], size=(2, 4))
    found = interpret(graph, feeds | {draw.attrs.str("stream"): mask, "n": np.array([3, 5])})["h"]
    wanted = lstm(feeds["x"], feeds, mask)
    np.testing.assert_allclose(found, np.stack([wanted[0, 2], wanted[1, 4]]), rtol=1e-12)


def test_what_stands_in_the_padding_changes_nothing() -> None:
    graph = lowered_text(PADDED)
    feeds = drawn(graph, batch=2, steps=4, seed=7) | {"n": np.array([2, 4])}
    changed = dict(feeds, x=feeds["x"].copy())
    changed["x"][0, 2:] = np.nan
    for name, value in interpret(graph, feeds).items():
        np.testing.assert_array_equal(interpret(graph, changed)[name], value)


@pytest.mark.skipif(not ort.is_installed(), reason="ONNX Runtime is not installed")
@pytest.mark.parametrize("layer", LAYERS)
def test_onnx_runtime_gives_the_same_at_every_batch_and_length(layer: str) -> None:
    graph = lowered(f"rnn: {layer}", "f32")
    values = drawn(graph, batch=1, steps=1, seed=5)
    params = {name: value.astype(np.float32) for name, value in values.items() if name != "x"}
    session = ort.open_session(to_onnx(graph, params).SerializeToString())
    for batch, steps in ((1, 1), (3, 2), (2, 17)):
        x = np.random.default_rng(steps).normal(size=(batch, steps, 3)).astype(np.float32)
        wanted = interpret(graph, params | {"x": x})["y"]
        np.testing.assert_allclose(session.run({"x": x})["y"], wanted, rtol=1e-5, atol=1e-5)
