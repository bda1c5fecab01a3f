"""Products are written in the order of axes in which they are read on, so that nothing is copied; where nobody else reads them."""

from __future__ import annotations

import numpy as np
import pytest

from dslc.autodiff import gradients
from dslc.backends.interpret import interpret
from dslc.backends.numpy_forms import specialise
from dslc.backends.plan_check import check_program
from dslc.backends.to_numpy import compile_numpy
from dslc.graph import Builder, Graph, verify
from dslc.ops.ir import Value
from dslc.passes import optimize
from dslc.passes.turning import turn_products
from dslc.tensor_type import DType, TensorType, symbol

B = symbol("B")
STEPS, HEADS, WIDTH = 5, 2, 3
ALL = HEADS * WIDTH


def attention() -> Graph:
    """Two heads over f64[B, 5, 6], the loss, and the gradients of queries, keys and values."""
    b = Builder()
    leaves = [b.leaf("input", TensorType(DType.F64, (B, STEPS, ALL)), name=name) for name in "qkv"]
    q, k, v = (
        b.apply("transpose", b.apply("reshape", x, sizes=(B, STEPS, HEADS, WIDTH)), axes=(0, 2, 1, 3)) for x in leaves
    )
    weights = b.apply("softmax", b.apply("matmul", q, b.apply("transpose", k, axes=(0, 1, 3, 2))), axis=-1)
    mixed = b.apply("transpose", b.apply("matmul", weights, v), axes=(0, 2, 1, 3))
    loss = b.apply("sum", b.apply("sin", b.apply("reshape", mixed, sizes=(B, STEPS, ALL))))
    found = gradients(b, loss, leaves)
    b.graph.outputs = {"loss": loss} | {f"g{name}": value for name, value in zip("qkv", found, strict=True)}
    return optimize(b.graph)


def test_heads_and_their_gradients_are_computed_where_they_are_read():
    graph = attention()
    turned = turn_products(graph)
    verify(turned, "test")
    ops = [node.op for node in turned.order()]
    assert (ops.count("matmul_turned"), ops.count("matmul")) == (4, 2)
    generator = np.random.default_rng(1)
    feeds = {name: generator.normal(size=(4, STEPS, ALL)) for name in "qkv"}
    expected, found = interpret(graph, feeds, {"B": 4}), interpret(turned, feeds, {"B": 4})
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-13, atol=1e-14, err_msg=name)


def test_no_line_of_the_program_copies_a_head():
    graph = attention()
    program = compile_numpy(graph)
    assert "\n        reshape(" not in program.source
    assert program.source.count("\n        matmul_turned(") == 4
    check_program(specialise(graph), program, {"B": 3})


def turned(case: str) -> bool:
    """Whether a product is computed in another order of axes."""
    b = Builder()
    x, y = (b.leaf("input", TensorType(DType.F64, (2, 3, 4, 4)), name=name) for name in "xy")
    product: Value = b.apply("matmul", x, y)
    axes = (0, 2, 3, 1) if case == "the last axis is none of a matrix" else (0, 3, 1, 2)
    moved = b.apply("transpose", product, axes=axes)
    flat = b.apply("reshape", moved, sizes=(2, 48))
    b.graph.outputs = {"flat": flat}
    others = {
        "another reads the product": lambda: b.apply("tanh", product),
        "the product is a result": lambda: product,
        "another reads what is turned": lambda: b.apply("tanh", moved),
        "what is turned is a result": lambda: moved,
        "two reshape it": lambda: b.apply("reshape", moved, sizes=(8, 12)),
    }
    if case in others:
        b.graph.outputs["other"] = others[case]()
    changed = turn_products(b.graph)
    verify(changed, "test")
    return any(node.op == "matmul_turned" for node in changed.order())


@pytest.mark.parametrize("case", ["alone", "two reshape it"])
def test_a_product_that_is_only_reshaped_is_turned(case: str):
    assert turned(case)


@pytest.mark.parametrize(
    "case",
    [
        "another reads the product",
        "the product is a result",
        "another reads what is turned",
        "what is turned is a result",
        "the last axis is none of a matrix",
    ],
)
def test_a_product_that_others_read_too_stays(case: str):
    assert not turned(case)


def test_a_vector_times_matrices_stays():
    b = Builder()
    x = b.leaf("input", TensorType(DType.F64, (4,)), name="x")
    y = b.leaf("input", TensorType(DType.F64, (2, 3, 4, 5)), name="y")
    moved = b.apply("transpose", b.apply("matmul", x, y), axes=(1, 0, 2))
    b.graph.outputs = {"flat": b.apply("reshape", moved, sizes=(30,))}
    assert "matmul" in [node.op for node in turn_products(b.graph).order()]
