"""What is done to images for the NumPy engine changes no result: all of it, each pass alone, and all but each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dslc.autodiff import gradients
from dslc.backends.interpret import interpret
from dslc.backends.numpy_forms import specialise
from dslc.backends.plan_check import check_program
from dslc.backends.to_numpy import compile_numpy
from dslc.graph import Builder, Graph, verify
from dslc.ops.ir import Value
from dslc.passes import IMAGE_PASSES, arrange_images, optimize
from dslc.passes.pools import POOLS
from dslc.passes.rewrite import Rules, rewrite
from dslc.passes.scans import Pass
from dslc.tensor_type import DType, TensorType, evaluate, symbol

B = symbol("B")
BATCH = 2
SETTINGS = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
LAYERS = ("conv", "conv", "bias", "relu", "tanh", "max_pool", "max_pool", "avg_pool", "norm", "skip", "join", "turn")


@st.composite
def networks(draw: st.DrawFn) -> Graph:
    """A few layers over images, a loss of everything, and its gradients by the image and all parameters."""
    b = Builder()
    x = image = b.leaf("input", TensorType(DType.F64, (B, draw(st.integers(1, 3)), 9, 8)), name="image")
    known = [image]
    for number in range(draw(st.integers(2, 7))):
        layer = draw(st.sampled_from(LAYERS))
        x = _layer(draw, b, layer, x, known, number)
        known.append(x)
    loss = b.apply("sum", b.apply("mul", x, b.leaf("draw", x.type, dist="normal", stream="weights", mean=0.0, std=1.0)))
    leaves = {"image": image} | {node.attrs.str("key"): node.out for node in b.graph.leaves("param")}
    found = gradients(b, loss, list(leaves.values()))
    b.graph.outputs["loss"] = loss
    b.graph.outputs |= {f"d {name}": value for name, value in zip(leaves, found, strict=True)}
    if draw(st.booleans()):
        b.graph.outputs["inside"] = draw(st.sampled_from(known))
    return b.graph


def _layer(draw: st.DrawFn, b: Builder, layer: str, x: Value, known: list[Value], number: int) -> Value:
    channels, height, width = (int(str(size)) for size in x.shape[1:])

    def param(name: str, *shape: int) -> Value:
        return b.leaf("param", TensorType(DType.F64, shape), key=f"{name}{number}")

    match layer:
        case "conv":
            kernel = draw(st.sampled_from([(1, 1), (3, 3), (2, 3)]))
            groups = draw(st.sampled_from([1, 1, 1, channels]))
            w = param("w", groups * draw(st.integers(1, 3)), channels // groups, *kernel)
            if height < 3 or width < 3:
                return x
            pad, stride = draw(st.sampled_from([0, 1, "same"])), draw(st.sampled_from([1, 1, 2]))
            return b.apply("conv", x, w, pad=pad, stride=stride, groups=groups)
        case "bias":
            return b.apply("add", x, param("b", channels, 1, 1))
        case "max_pool" | "avg_pool" if height > 1 and width > 1:
            stride = draw(st.sampled_from([None, None, 1]))
            return b.apply(layer, x, window=draw(st.sampled_from([(2, 2), (2, 1)])), stride=stride)
        case "norm":
            mean, variance = b.apply("channel_mean", x), b.apply("channel_variance", x)
            return b.apply("batch_norm", x, param("s", channels), param("t", channels), mean, variance, eps=0.1)
        case "skip":
            same = [value for value in known if value.type == x.type]
            return b.apply("add", x, draw(st.sampled_from(same)))
        case "join":
            beside = [value for value in known if value.shape[2:] == x.shape[2:]]
            return b.apply("concat", x, draw(st.sampled_from(beside)), axis=1)
        case "turn":
            return b.apply("transpose", x, axes=(0, 1, 3, 2))
        case "relu" | "tanh":
            return b.apply(layer, x)
        case _:
            return x


def numbers(graph: Graph) -> dict[str, npt.NDArray[Any]]:
    """Small whole numbers for every leaf, so that elements of a window are often equal and sums exact."""
    generator = np.random.default_rng(5)
    found: dict[str, npt.NDArray[Any]] = {}
    for op, key in (("input", "name"), ("param", "key"), ("draw", "stream")):
        for node in graph.leaves(op):
            shape = [evaluate(size, {"B": BATCH}) for size in node.out.shape]
            found[node.attrs.str(key)] = generator.integers(-2, 3, shape).astype(float)
    return found


def assert_equivalent(graph: Graph, changed: Graph):
    verify(changed, "test")
    feeds = numbers(graph)
    before, after = interpret(graph, feeds, {"B": BATCH}), interpret(changed, feeds, {"B": BATCH})
    assert list(before) == list(after)
    for name, wanted in before.items():
        np.testing.assert_allclose(after[name], wanted, rtol=1e-10, atol=1e-10, err_msg=name)


@SETTINGS
@given(networks())
def test_arranging_images_changes_no_result(graph: Graph):
    assert_equivalent(graph, arrange_images(optimize(graph)))


@pytest.mark.parametrize("run", [run for _, run in IMAGE_PASSES], ids=[name for name, _ in IMAGE_PASSES])
@SETTINGS
@given(graph=networks())
def test_each_pass_alone_changes_no_result(graph: Graph, run: Pass):
    assert_equivalent(graph, run(graph))


@pytest.mark.parametrize("without", [run for _, run in IMAGE_PASSES], ids=[name for name, _ in IMAGE_PASSES])
@SETTINGS
@given(graph=networks())
def test_all_passes_but_one_change_no_result(graph: Graph, without: Pass):
    changed = optimize(graph)
    for _, run in IMAGE_PASSES:
        changed = changed if run is without else run(changed)
    assert_equivalent(graph, changed)


@pytest.mark.parametrize("op", POOLS)
@SETTINGS
@given(graph=networks())
def test_each_rule_for_pools_alone_and_all_but_it_change_no_result(graph: Graph, op: str):
    alone: Rules = {op: POOLS[op]}
    rest: Rules = {name: rules for name, rules in POOLS.items() if name != op}
    for rules in (alone, rest):
        assert_equivalent(graph, rewrite(graph, rules))


@SETTINGS
@given(networks())
def test_programs_of_arranged_graphs_use_their_memory_rightly(graph: Graph):
    optimized = optimize(graph)
    check_program(specialise(optimized), compile_numpy(optimized), {"B": BATCH})


# ---------------------------------------------------------------------------------------------- what it is for


def trained(build: Callable[[Builder, Value], Value]) -> Graph:
    """A network from `[B, 3, 8, 8]` to features, and its gradients by all parameters."""
    b = Builder()
    x = build(b, b.leaf("input", TensorType(DType.F32, (B, 3, 8, 8)), name="image"))
    loss = b.apply("sum", b.apply("square", x))
    params = {node.attrs.str("key"): node.out for node in b.graph.leaves("param")}
    found = gradients(b, loss, list(params.values()))
    b.graph.outputs |= dict(zip(params, found, strict=True))
    return optimize(b.graph)


def usual(b: Builder, x: Value) -> Value:
    """Two convolutions with bias, relu and pool."""
    for key, channels, filters in (("1", 3, 4), ("2", 4, 5)):
        w = b.leaf("param", TensorType(DType.F32, (filters, channels, 3, 3)), key=f"w{key}")
        bias = b.leaf("param", TensorType(DType.F32, (filters, 1, 1)), key=f"b{key}")
        x = b.apply("relu", b.apply("add", b.apply("conv", x, w, pad=1), bias))
        x = b.apply("max_pool", x, window=2)
    return x


def test_bias_and_relu_of_a_pooled_convolution_see_what_the_pool_leaves():
    arranged = arrange_images(trained(usual))
    shapes = {node.out.shape[1:-1] for node in arranged.nodes.values() if node.op in ("relu", "relu_grad", "add")}
    assert shapes == {(4, 4), (2, 2)}


def test_the_usual_network_is_worked_out_with_channels_last_throughout():
    arranged = arrange_images(trained(usual))
    transposed = [node for node in arranged.nodes.values() if node.op == "transpose"]
    leaves = {arranged.producer(node.inputs[0]).op for node in transposed}
    assert leaves <= {"input", "expand_dims", "constant"}
    assert not any(node.op in ("conv", "max_pool", "put_tap") for node in arranged.nodes.values())


def test_a_convolution_that_something_else_reads_too_is_not_worked_out_twice():
    def forked(b: Builder, x: Value) -> Value:
        w = b.leaf("param", TensorType(DType.F32, (4, 3, 3, 3)), key="w")
        y = b.apply("conv", x, w)
        return b.apply("add", b.apply("max_pool", y, window=2), b.apply("mean", y))

    arranged = arrange_images(trained(forked))
    assert [node.op for node in arranged.nodes.values() if node.op.startswith("conv_last")] == ["conv_last"]


def test_a_graph_without_images_stays_as_it_is():
    b = Builder()
    b.graph.outputs["y"] = b.apply("tanh", b.leaf("input", TensorType(DType.F32, (B, 3)), name="x"))
    assert arrange_images(b.graph) is b.graph
