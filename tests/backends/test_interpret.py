"""The interpreter: what it is fed, how it resolves sizes, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from dslc.backends.interpret import evaluate, interpret
from dslc.diagnostics import InternalError
from dslc.graph import Builder
from dslc.ops.ir import Data
from dslc.tensor_type import DType, TensorType, symbol

B = symbol("B")


def f32(*shape: object) -> TensorType:
    return TensorType(DType.F32, shape)  # type: ignore[arg-type]


def numbers(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def test_leaves_are_fed_by_name_key_and_stream_and_updates_come_out_primed():
    b = Builder()
    x, w = b.leaf("input", f32(B), name="x"), b.leaf("param", f32(), key="fc.weight")
    old, noise = b.leaf("state", f32(B), name="m"), b.leaf("draw", f32(B), dist="uniform", stream="drop/1")
    b.graph.outputs["y"] = b.apply("mul", x, w)
    b.graph.updates["m"] = b.apply("add", old, noise)
    feeds = {"x": numbers(1, 2), "fc.weight": np.float32(3), "m": numbers(10, 20), "drop/1": numbers(0.5, 0.25)}
    found = interpret(b.graph, feeds)
    assert {name: array.tolist() for name, array in found.items()} == {"y": [3.0, 6.0], "m'": [10.5, 20.25]}


def test_run_time_sizes_come_from_the_arrays_that_are_fed():
    b = Builder()
    x = b.leaf("input", f32(B, 3), name="x")
    size = b.leaf("size", TensorType(DType.I64), size=2 * B + 1)
    b.graph.outputs |= {"x": b.apply("neg", x), "size": size}
    for batch in (1, 4):
        found = interpret(b.graph, {"x": np.ones((batch, 3), np.float32)})
        assert found["x"].shape == (batch, 3)
        assert found["size"] == 2 * batch + 1


def test_a_size_that_no_leaf_states_is_given():
    b = Builder()
    b.graph.outputs["size"] = b.leaf("size", TensorType(DType.I64), size=B)
    assert interpret(b.graph, {}, {"B": 5})["size"] == 5
    with pytest.raises(InternalError, match="no leaf states the size B"):
        interpret(b.graph, {})


def test_constants_hold_numbers_or_elements():
    b = Builder()
    elements = b.leaf("constant", f32(2, 2), value=Data(np.arange(4, dtype="<f4").tobytes()))
    b.graph.outputs["y"] = b.apply("add", elements, b.constant(0.5, DType.F32))
    assert interpret(b.graph, {})["y"].tolist() == [[0.5, 1.5], [2.5, 3.5]]


@pytest.mark.parametrize(
    ("feeds", "message"),
    [
        ({}, "nothing was fed for 'x'"),
        ({"x": np.ones((2, 2), np.float32)}, "was fed rank 2, not f32"),
        ({"x": np.ones(2)}, "gave float64"),
    ],
)
def test_a_feed_that_does_not_fit_is_refused(feeds: dict[str, np.ndarray], message: str):
    b = Builder()
    b.graph.outputs["y"] = b.leaf("input", f32(B), name="x")
    with pytest.raises(InternalError, match=message):
        interpret(b.graph, feeds)


def test_two_leaves_that_disagree_on_a_size_are_refused():
    b = Builder()
    x, y = b.leaf("input", f32(B), name="x"), b.leaf("input", f32(B), name="y")
    b.graph.outputs["z"] = b.apply("add", x, y)
    with pytest.raises(InternalError, match="its type is f32"):
        interpret(b.graph, {"x": numbers(1, 2), "y": numbers(1)})


def test_every_value_can_be_looked_at():
    b = Builder()
    x = b.leaf("input", f32(B), name="x")
    log = b.apply("log", x)
    b.graph.outputs["y"] = b.apply("exp", log)
    values = evaluate(b.graph, {"x": numbers(0, 1)})
    assert values[log.id].tolist() == [-np.inf, 0.0]
