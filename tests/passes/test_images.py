"""What is done to images for the NumPy engine: what it is for. That it changes no result, `test_random_graphs` shows."""

from __future__ import annotations

from collections.abc import Callable

from dslc.autodiff import gradients
from dslc.graph import Builder, Graph
from dslc.ops.ir import Value
from dslc.passes import arrange_images, optimize
from dslc.tensor_type import DType, TensorType, symbol

B = symbol("B")


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
