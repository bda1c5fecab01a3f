"""Gradients of composed graphs are central differences; of gradients too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from dslc.autodiff import gradients
from dslc.backends.interpret import interpret
from dslc.diagnostics import InternalError
from dslc.graph import Builder, Graph, parse_graph, print_graph, retype, verify
from dslc.ops.ir import Value
from dslc.passes import optimize
from dslc.tensor_type import DType, Shape, TensorType, evaluate, symbol

Array = npt.NDArray[Any]
B = symbol("B")
F32, F64, I64 = DType.F32, DType.F64, DType.I64

SHAPES: dict[str, Shape] = {"x": (B, 4), "w": (4, 3), "v": (3,), "u": (B, 3), "s": ()}


class Made:
    """A graph under construction over the leaves of SHAPES, in float64."""

    def __init__(self) -> None:
        self.b = Builder()
        self.leaves = {name: self.b.leaf("input", TensorType(F64, shape), name=name) for name, shape in SHAPES.items()}

    def __call__(self, op: str, *operands: Value | float, **attrs: Any) -> Value:
        made = [self.b.constant(x, F64) if isinstance(x, int | float) else x for x in operands]
        return self.b.apply(op, *made, **attrs)


def affine(m: Made) -> Value:
    x, w, v = m.leaves["x"], m.leaves["w"], m.leaves["v"]
    return m("add", m("matmul", x, w), v)


def used_twice(m: Made) -> Value:
    h = m("tanh", affine(m))
    return m("sum", m("mul", h, m("add", h, m("square", h))))


def broadcast(m: Made) -> Value:
    v, u, s = m.leaves["v"], m.leaves["u"], m.leaves["s"]
    return m("mean", m("mul", m("sub", u, v), m("sigmoid", m("mul", s, v))))


def rows_against_columns(m: Made) -> Value:
    u = m.leaves["u"]
    products = m("mul", m("expand_dims", u, axis=1), m("expand_dims", u, axis=2))
    return m("sum", m("tanh", products))


def normalised(m: Made) -> Value:
    h = affine(m)
    centred = m("sub", h, m("mean", h, axes=(1,), keepdims=True))
    scale = m("sqrt", m("add", m("mean", m("square", centred), axes=(1,), keepdims=True), 0.1))
    return m("sum", m("mul", m("div", centred, scale), m.leaves["u"]))


def attention(m: Made) -> Value:
    x = m.leaves["x"]
    scores = m("softmax", m("matmul", x, m("transpose", x)), axis=-1)
    return m("mean", m("square", m("matmul", scores, m.leaves["u"])))


def branches(m: Made) -> Value:
    u, v = m.leaves["u"], m.leaves["v"]
    chosen = m("where", m("gt", u, v), m("square", u), m("mul", u, v))
    return m("sum", m("gelu", chosen))


def pieces(m: Made) -> Value:
    x, u = m.leaves["x"], m.leaves["u"]
    joined = m("concat", m("slice", x, starts=(0, 1), stops=(B, 3), steps=(1, 1)), u, axis=1)
    return m("sum", m("exp", m("mul", m("reshape", joined, sizes=(B * 5,)), 0.3)))


def loss_of_losses(m: Made) -> Value:
    h = affine(m)
    ids = m("argmax", m.leaves["u"], axis=1)
    return m("add", m("cross_entropy", h, ids), m("mul", m("mse", h, m.leaves["u"]), m.leaves["s"]))


CASES = [
    used_twice,
    broadcast,
    rows_against_columns,
    normalised,
    attention,
    branches,
    pieces,
    loss_of_losses,
]


def feeds(batch: int, seed: int = 0) -> dict[str, Array]:
    generator = np.random.default_rng(seed)
    sizes = {name: [evaluate(dim, {"B": batch}) for dim in shape] for name, shape in SHAPES.items()}
    return {name: generator.normal(size=shape) for name, shape in sizes.items()}


def differences(graph: Graph, given: Mapping[str, Array], name: str, step: float = 1e-5) -> Array:
    """Central differences of the result "loss" by one leaf."""
    found = np.zeros_like(given[name])
    for index in np.ndindex(found.shape):
        ends: list[float] = []
        for sign in (1.0, -1.0):
            moved = {n: array.copy() for n, array in given.items()}
            moved[name][index] += sign * step
            ends.append(float(interpret(graph, moved)["loss"]))
        found[index] = (ends[0] - ends[1]) / (2 * step)
    return found


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_gradients_are_central_differences(case: Callable[[Made], Value], batch: int):
    m = Made()
    m.b.graph.outputs["loss"] = case(m)
    found = gradients(m.b, m.b.graph.outputs["loss"], list(m.leaves.values()))
    m.b.graph.outputs |= dict(zip(m.leaves, found, strict=True))
    verify(m.b.graph, "autodiff")
    given = feeds(batch)
    for graph in (m.b.graph, optimize(m.b.graph)):
        computed = interpret(graph, given)
        for name in SHAPES:
            wanted = differences(m.b.graph, given, name)
            np.testing.assert_allclose(computed[name], wanted, rtol=1e-6, atol=1e-8, err_msg=name)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_gradients_of_gradients_are_central_differences(case: Callable[[Made], Value]):
    m = Made()
    given, generator = feeds(2), np.random.default_rng(7)
    leaves = list(m.leaves.values())
    total: Value = m.b.constant(0.0, F64)
    for leaf, g in zip(leaves, gradients(m.b, case(m), leaves), strict=True):
        name = f"direction {leaf.id}"
        direction = m.b.leaf("input", leaf.type, name=name)
        given[name] = generator.normal(size=given[m.b.graph.producer(leaf).attrs.str("name")].shape)
        total = m("add", total, m("sum", m("mul", g, direction)))
    m.b.graph.outputs["loss"] = total
    m.b.graph.outputs |= dict(zip(m.leaves, gradients(m.b, total, leaves), strict=True))
    verify(m.b.graph, "autodiff")
    computed = interpret(m.b.graph, given)
    for name in SHAPES:
        wanted = differences(m.b.graph, given, name)
        np.testing.assert_allclose(computed[name], wanted, rtol=1e-5, atol=1e-7, err_msg=name)


# ---------------------------------------------------------------------------------------------- what flows where


def test_a_value_the_loss_does_not_depend_on_gets_zeros_of_its_shape():
    m = Made()
    loss = m("sum", m.leaves["x"])
    (found,) = gradients(m.b, loss, [m.leaves["u"]])
    m.b.graph.outputs["g"] = found
    assert found.type == m.leaves["u"].type
    assert not interpret(m.b.graph, feeds(3))["g"].any()


def test_the_loss_itself_has_the_gradient_one():
    m = Made()
    loss = m("sum", m.leaves["x"])
    m.b.graph.outputs["g"] = gradients(m.b, loss, [loss])[0]
    assert interpret(m.b.graph, feeds(1))["g"] == 1.0


def test_no_gradient_passes_a_stop():
    m = Made()
    s = m.leaves["s"]
    loss = m("mul", s, m("stop_gradient", s))
    m.b.graph.outputs["g"] = gradients(m.b, loss, [s])[0]
    given = feeds(1)
    assert interpret(m.b.graph, given)["g"] == given["s"]


def test_the_gradient_of_an_inner_value_is_asked_for_like_any_other():
    m = Made()
    h = m("tanh", m.leaves["u"])
    loss = m("sum", m("square", h))
    by_h, by_u = gradients(m.b, loss, [h, m.leaves["u"]])
    m.b.graph.outputs |= {"by_h": by_h, "by_u": by_u}
    given = feeds(2)
    computed, h_now = interpret(m.b.graph, given), np.tanh(given["u"])
    np.testing.assert_allclose(computed["by_h"], 2 * h_now, rtol=1e-14)
    np.testing.assert_allclose(computed["by_u"], 2 * h_now * (1 - h_now**2), rtol=1e-12)


def test_cotangents_are_summed_to_a_broadcast_operand_once():
    graph = parse_graph(
        "%0: f32[B, 4] = input(name='x')\n%1: f32[1, 4] = input(name='y')\n%2: f32[B, 4] = add(%0, %1)\n"
        "%3: f32[] = sum(%2, axes=(0, 1), keepdims=False)\n"
    )
    b = Builder(graph)
    (g,) = gradients(b, graph.nodes[3].out, [graph.nodes[1].out])
    graph.outputs["g"] = g
    assert g.shape == (1, 4)
    assert print_graph(optimize(graph)).count("sum(") == 1


def test_nothing_is_built_for_operands_that_need_no_gradient():
    m = Made()
    loss = m("sum", m("mul", m("add", m.leaves["u"], m.leaves["v"]), m.leaves["s"]))
    before = len(m.b.graph.nodes)
    gradients(m.b, loss, [m.leaves["s"]])
    made = [node.op for number, node in m.b.graph.nodes.items() if number >= before]
    assert made.count("sum") == 1


def test_integers_and_comparisons_stop_the_gradient():
    m = Made()
    u = m.leaves["u"]
    known = m("cast", m("gt", u, 0.0), dtype=F64)
    loss = m("sum", m("mul", known, u))
    m.b.graph.outputs["g"] = gradients(m.b, loss, [u])[0]
    given = feeds(3)
    np.testing.assert_array_equal(interpret(m.b.graph, given)["g"], (given["u"] > 0).astype(np.float64))


@pytest.mark.parametrize("shape", [(3,), (B,)])
def test_a_loss_that_is_no_scalar_is_a_defect(shape: Shape):
    b = Builder()
    x = b.leaf("input", TensorType(F32, shape), name="x")
    with pytest.raises(InternalError, match="not a floating-point scalar"):
        gradients(b, x, [x])


def test_gradients_carry_the_span_of_what_they_are_gradients_of(xor_graph: Graph):
    made = [node for node in xor_graph.order() if node.op in ("matmul", "transpose", "sum", "tanh", "sigmoid")]
    assert len(made) > 8
    assert all(node.span is not None for node in made)


def test_a_float32_gradient_is_close_to_the_float64_one():
    m = Made()
    loss = used_twice(m)
    m.b.graph.outputs |= {"loss": loss} | dict(
        zip(m.leaves, gradients(m.b, loss, list(m.leaves.values())), strict=True)
    )
    narrow = retype(m.b.graph, {F64: F32})
    verify(narrow, "retype")
    given = feeds(3)
    wide = interpret(m.b.graph, given)
    short = interpret(narrow, {name: array.astype(np.float32) for name, array in given.items()})
    for name in SHAPES:
        assert short[name].dtype == np.float32
        np.testing.assert_allclose(short[name], wide[name], rtol=1e-4, atol=1e-5)


def test_a_deep_graph_needs_no_deep_stack():
    b = Builder()
    x = b.leaf("input", TensorType(F64), name="x")
    y = x
    for _ in range(1200):
        y = b.apply("tanh", y)
    b.graph.outputs["g"] = gradients(b, y, [x])[0]
    assert len(optimize(b.graph).nodes) > 1200
