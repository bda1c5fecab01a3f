"""Causal attention in tensor notation, against NumPy; the mask lets no gradient of later steps through."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from dslc.autodiff import gradients
from dslc.backends.interpret import interpret
from dslc.backends.prove_onnx import prove
from dslc.backends.to_onnx import to_onnx
from dslc.graph import Builder, Graph

Build = Callable[[str, Mapping[str, str], str], Graph]
Q = 'rearrange(x, "b t (h d) -> b h t d", h = 2)'
SCORES = f'einsum("b h t d, b h u d -> b h t u", {Q}, {Q}) / sqrt(4)'
ATTENTION = (
    f'einsum("b h t u, b h u d -> b h t d", softmax(causal_mask({SCORES})), {Q}) |> rearrange("b h t d -> b t (h d)")'
)


def attention(graph_of: Build, dtype: str) -> Graph:
    return graph_of(ATTENTION, {"x": f"{dtype}[B, T, 8]"}, f"{dtype}[B, T, 8]")


def test_it_is_what_numpy_computes_by_hand(graph_of: Build) -> None:
    x = np.random.default_rng(3).normal(size=(2, 5, 8))
    q = x.reshape(2, 5, 2, 4).transpose(0, 2, 1, 3)
    scores = np.where(np.tri(5, dtype=bool), q @ q.swapaxes(-1, -2) / 2, -np.inf)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    expected = (weights @ q).transpose(0, 2, 1, 3).reshape(2, 5, 8)
    np.testing.assert_allclose(interpret(attention(graph_of, "f64"), {"x": x})["y"], expected, rtol=1e-12)


def test_its_gradient_is_that_of_central_differences_and_finite(graph_of: Build) -> None:
    graph = attention(graph_of, "f64")
    x = np.random.default_rng(4).normal(size=(1, 3, 8))
    (leaf,) = (node.out for node in graph.leaves("input"))
    builder = Builder(graph)
    loss = builder.apply("sum", builder.apply("sin", graph.outputs["y"]))
    (slope,) = gradients(builder, loss, [leaf])
    graph.outputs = {"loss": loss, "slope": slope}
    found = interpret(graph, {"x": x})["slope"]
    for index in np.ndindex(x.shape):
        ends = []
        for step in (1e-5, -1e-5):
            moved = x.copy()
            moved[index] += step
            ends.append(float(interpret(graph, {"x": moved})["loss"]))
        np.testing.assert_allclose(found[index], (ends[0] - ends[1]) / 2e-5, rtol=1e-6, atol=1e-9)


def test_a_later_step_changes_nothing_before_it(graph_of: Build) -> None:
    graph = attention(graph_of, "f64")
    x = np.random.default_rng(5).normal(size=(2, 4, 8))
    changed = x.copy()
    changed[:, 2:] += 1
    before, after = (interpret(graph, {"x": given})["y"] for given in (x, changed))
    np.testing.assert_array_equal(before[:, :2], after[:, :2])
    assert not np.allclose(before[:, 2:], after[:, 2:])


def test_onnx_runtime_computes_what_the_numpy_engine_computes(graph_of: Build) -> None:
    graph = attention(graph_of, "f32")
    assert prove(to_onnx(graph, {}, name="M", doc="", metadata={}), graph, {}).sizes
