"""Norms, gelu and cross entropy spelled out for the NumPy engine: the same values, and what both directions need computed once."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from dslc.autodiff import gradients
from dslc.backends.interpret import interpret
from dslc.backends.to_numpy import compile_numpy
from dslc.graph import Builder, Graph, verify
from dslc.graph.arrays import numpy_dtype
from dslc.ops.ir import Attr
from dslc.passes import optimize, rewrite
from dslc.passes.spelling import SPELLING
from dslc.tensor_type import DType, TensorType, evaluate
from dslc_runtime.kernels import KERNELS

CASES: dict[str, tuple[str, int, dict[str, Attr]]] = {
    "layer_norm": ("layer_norm", 2, {"eps": 1e-3}),
    "standardize": ("standardize", 0, {"axes": -1}),
    "variance": ("variance", 0, {"axes": -1}),
    "variance of channels": ("variance", 0, {"axes": (0, 1)}),
    "gelu": ("gelu", 0, {}),
}


def learning(case: str) -> Graph:
    """An operator on f64[2, 3, 5], and the gradients of a sum over its result."""
    op, parameters, attrs = CASES[case]
    b = Builder()
    x = b.leaf("input", TensorType(DType.F64, (2, 3, 5)), name="x")
    others = [b.leaf("input", TensorType(DType.F64, (5,)), name=f"w{i}") for i in range(parameters)]
    y = b.apply(op, x, *others, **attrs)
    found = gradients(b, b.apply("sum", b.apply("sin", y)), [x, *others])
    b.graph.outputs |= {"y": y} | {f"g{i}": g for i, g in enumerate(found)}
    return optimize(b.graph)


@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients_stay_what_they_were(case: str) -> None:
    graph = learning(case)
    spelled = rewrite(graph, SPELLING)
    verify(spelled, "spelling")
    assert not {node.op for node in spelled.order()} & set(SPELLING)
    generator = np.random.default_rng(7)
    shapes = {node.attrs.str("name"): [evaluate(n, {}) for n in node.out.shape] for node in graph.leaves("input")}
    feeds = {name: generator.normal(size=shape) for name, shape in shapes.items()}
    expected, found = interpret(graph, feeds), interpret(spelled, feeds)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-12, atol=1e-14, err_msg=name)


@pytest.mark.parametrize(("case", "once"), [("layer_norm", "reciprocal"), ("gelu", "normal_cdf")])
def test_what_forward_and_backward_need_is_computed_once(case: str, once: str) -> None:
    ops = [node.op for node in rewrite(learning(case), SPELLING).order()]
    assert ops.count(once) == 1


@pytest.mark.parametrize(
    ("op", "attrs"), [("standardize", {"axes": (1,)}), ("variance", {"axes": -1, "correction": 1})]
)
def test_other_axes_and_corrections_stay_one_operator(op: str, attrs: dict[str, Attr]) -> None:
    b = Builder()
    b.graph.outputs["y"] = b.apply(op, b.leaf("input", TensorType(DType.F64, (2, 3, 5)), name="x"), **attrs)
    assert op in {node.op for node in rewrite(b.graph, SPELLING).order()}


def classifying(classes: int, dtype: DType, axis: int = -1) -> Graph:
    """The cross entropy of x with ids, of 6 samples, and the gradient of its sum, with weights so that no row is like another."""
    b = Builder()
    shape = (6, classes) if axis == -1 else (classes, 6)
    x = b.leaf("input", TensorType(dtype, shape), name="x")
    ids = b.leaf("input", TensorType(DType.I64, (6,)), name="ids")
    weights = b.leaf("input", TensorType(dtype, (6,)), name="weights")
    losses = b.apply("softmax_cross_entropy", x, ids, axis=axis)
    (g,) = gradients(b, b.apply("sum", b.apply("mul", losses, weights)), [x])
    b.graph.outputs |= {"losses": losses, "g": g}
    return optimize(b.graph)


def samples_of(graph: Graph, classes: int) -> dict[str, npt.NDArray[Any]]:
    generator = np.random.default_rng(11)
    x = {node.attrs.str("name"): node.out for node in graph.leaves("input")}["x"]
    shape = [evaluate(size, {}) for size in x.shape]
    dtype = numpy_dtype(x.dtype)
    return {
        "x": (30 * generator.normal(size=shape)).astype(dtype),
        "ids": generator.integers(0, classes, 6),
        "weights": generator.normal(size=6).astype(dtype),
    }


@pytest.mark.parametrize("dtype", [DType.F32, DType.F64])
@pytest.mark.parametrize("axis", [-1, 0])
@pytest.mark.parametrize("classes", [2, 10, 32])
def test_a_cross_entropy_in_parts_and_its_gradient_are_the_same_to_the_last_bit(
    dtype: DType, axis: int, classes: int
) -> None:
    graph = classifying(classes, dtype, axis)
    feeds = samples_of(graph, classes)
    bound = compile_numpy(graph).bind({}, {})
    for name, array in bound.inputs.items():
        np.copyto(array, feeds[name])
    bound.run()
    for name, kernel, operands in (
        ("losses", "softmax_cross_entropy", (feeds["x"], feeds["ids"])),
        ("g", "softmax_cross_entropy_grad", (feeds["x"], feeds["ids"], feeds["weights"])),
    ):
        result = bound.outputs[name]
        expected = np.empty_like(result)
        KERNELS[kernel].into(*operands, axis=axis % 2, out=expected)
        np.testing.assert_array_equal(result, expected, err_msg=name)


def test_the_exponentials_of_a_cross_entropy_are_computed_once() -> None:
    graph = classifying(10, DType.F64)
    spelled = rewrite(graph, SPELLING)
    verify(spelled, "spelling")
    ops = [node.op for node in spelled.order()]
    assert ops.count("entropy_parts") == 1
    assert not set(ops) & set(SPELLING)
    feeds = samples_of(graph, 10)
    expected, found = interpret(graph, feeds), interpret(spelled, feeds)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-12, atol=1e-14, err_msg=name)


def test_a_cross_entropy_of_many_classes_stays_one_operator() -> None:
    ops = {node.op for node in rewrite(classifying(33, DType.F64), SPELLING).order()}
    assert {"softmax_cross_entropy", "softmax_cross_entropy_grad"} <= ops
