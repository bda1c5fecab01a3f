"""Norms and gelu spelled out for the NumPy engine: the same values and gradients, and what both directions need computed once."""

from __future__ import annotations

import numpy as np
import pytest

from dslc.autodiff import gradients
from dslc.backends.interpret import interpret
from dslc.graph import Builder, Graph, verify
from dslc.ops.ir import Attr
from dslc.passes import optimize, rewrite
from dslc.passes.spelling import SPELLING
from dslc.tensor_type import DType, TensorType, evaluate

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
