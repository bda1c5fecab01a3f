"""Scans as ONNX `Scan`: legal, with names kept, and equal to the interpreter at every length under ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from recurrences import GRAPHS, T, backwards, lstm_like, nested, numbers, plain, random_scans, with_gradients

from dslc.backends.interpret import interpret
from dslc.backends.to_onnx import to_onnx
from dslc.graph import Builder, Graph, retype
from dslc.graph.region import ScanBody
from dslc.passes import optimize
from dslc.record import replace
from dslc.tensor_type import DType, TensorType
from dslc_runtime import ort

needs_ort = pytest.mark.skipif(not ort.is_installed(), reason="ONNX Runtime is not installed")


def with_params(graph: Graph, names: tuple[str, ...]) -> Graph:
    """Some inputs made parameters."""
    for node in graph.leaves("input"):
        name = node.attrs.str("name")
        if name in names:
            attrs = type(node.attrs)({"key": name})
            graph.nodes[node.id] = replace(node, op="param", attrs=attrs)
    return graph


def scans(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    return [node for node in model.graph.node if node.op_type == "Scan"]


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


def assert_onnx_runtime_agrees(graph: Graph, lengths: tuple[int, ...]) -> None:
    graph = retype(graph, {DType.F64: DType.F32})
    model = to_onnx(graph)
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    session = ort.open_session(model.SerializeToString())
    for steps in lengths:
        feeds = {key: array.astype(np.float32) for key, array in numbers(graph, steps).items()}
        wanted = interpret(graph, feeds)
        found = session.run(feeds)
        assert list(found) == list(wanted)
        for key, array in wanted.items():
            scale = 1 + np.abs(array).max(initial=0)
            np.testing.assert_allclose(found[key], array, rtol=0, atol=1e-5 * scale, err_msg=f"{key}, {steps} steps")


@needs_ort
@pytest.mark.parametrize("prepared", [lambda graph: graph, optimize], ids=["as built", "optimised"])
@pytest.mark.parametrize("name", GRAPHS)
def test_onnx_runtime_gives_what_the_loop_gives_at_every_length(name: str, prepared: Callable[[Graph], Graph]):
    assert_onnx_runtime_agrees(prepared(GRAPHS[name]()), (1, 3, 50))


@needs_ort
@pytest.mark.parametrize("name", GRAPHS)
def test_a_gradient_is_exported_like_any_other_graph(name: str):
    assert_onnx_runtime_agrees(optimize(with_gradients(GRAPHS[name]())), (1, 3))


@needs_ort
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(random_scans())
def test_onnx_runtime_gives_what_the_loop_gives_for_random_scans(graph: Graph):
    assert_onnx_runtime_agrees(optimize(graph), (1, 3))


def test_weights_keep_their_names_and_are_read_from_outside():
    graph = with_params(plain(), ("w", "u", "b"))
    arrays = {key: array for key, array in numbers(plain(), 1).items() if key in ("w", "u", "b")}
    model = to_onnx(graph, arrays)
    assert sorted(tensor.name for tensor in model.graph.initializer) == ["b", "u", "w"]
    (scan,) = scans(model)
    body = attributes(scan)["body"]
    assert len(body.input) == 2  # the state and the element; nothing else is handed in
    assert {"b", "u", "w"} <= {name for node in body.node for name in node.input}


def test_results_carry_the_names_of_the_outputs():
    (scan,) = scans(to_onnx(lstm_like()))
    assert list(scan.output) == ["h", "c", "y"]


def test_a_scan_in_reverse_says_so_of_inputs_and_outputs():
    (scan,) = scans(to_onnx(backwards()))
    found = attributes(scan)
    assert found["scan_input_directions"] == [1]
    assert found["scan_output_directions"] == [1]
    assert "scan_input_directions" not in attributes(scans(to_onnx(plain()))[0])


@needs_ort
def test_a_scan_in_reverse_may_give_its_last_state_only():
    graph = backwards()
    del graph.outputs["all"]
    assert_onnx_runtime_agrees(optimize(graph), (1, 3))


def test_no_two_values_of_a_model_share_a_name():
    model = to_onnx(nested())
    made: list[str] = []

    def collect(graph: onnx.GraphProto) -> None:
        made.extend(value.name for value in graph.input)
        for node in graph.node:
            made.extend(node.output)
            for body in (a.g for a in node.attribute if a.name == "body"):
                collect(body)

    collect(model.graph)
    assert len(made) == len(set(made))


def test_the_same_graph_gives_the_same_bytes():
    first, second = (to_onnx(nested()).SerializeToString(deterministic=True) for _ in range(2))
    assert first == second


@needs_ort
def test_sizes_in_a_body_are_read_from_the_inputs_of_the_model():
    """A step divides by the number of steps, and hands its element out as it came."""
    b, step = Builder(), ScanBody()
    x = b.leaf("input", TensorType(DType.F32, (T, 2)), name="x")
    h = step.state(b.apply("full", sizes=(2,), value=0.0, dtype=DType.F32))
    e = step.element(x)
    after = step.builder.apply("add", h, step.builder.apply("divide_by_size", e, size=T))
    mean, same, again = step.finish(b, [after], [e, e], reverse=False)
    b.graph.outputs |= {"mean": mean, "same": same, "again": again}
    session = ort.open_session(to_onnx(b.graph).SerializeToString())
    array = np.arange(10, dtype=np.float32).reshape(5, 2)
    found = session.run({"x": array})
    np.testing.assert_allclose(found["mean"], array.mean(axis=0))
    np.testing.assert_array_equal(found["same"], array)
    np.testing.assert_array_equal(found["again"], array)
