"""Updates of rows: for which optimizers they are the whole update, when they are made, and what they compute."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dslc.backends.interpret import interpret
from dslc.backends.sparse_rows import leaves_alone
from dslc.graph import Builder, Graph, verify
from dslc.ops.optimizers import OPTIMIZERS
from dslc.optim import Step, apply_optimizer
from dslc.passes import optimize
from dslc.tensor_type import DType, TensorType

ALONE: list[tuple[str, dict[str, float | bool]]] = [
    ("sgd", {}),
    ("adagrad", {}),
    ("adagrad", {"initial": 0.1}),
    ("adagrad", {"lr_decay": 0.01}),
]
TOGETHER: list[tuple[str, dict[str, float | bool]]] = [
    ("sgd", {"momentum": 0.9}),
    ("sgd", {"momentum": 0.9, "nesterov": True}),
    ("sgd", {"weight_decay": 0.1}),
    ("adagrad", {"weight_decay": 0.1}),
    ("adagrad", {"eps": 0.0}),  # an element without a gradient becomes 0 / 0
    *((name, {}) for name in OPTIMIZERS if name not in ("sgd", "adagrad")),
]


def updates(name: str, options: dict[str, float | bool], dtype: DType = DType.F32) -> tuple[Graph, int]:
    """An optimizer's step as it is planned, and its gradient."""
    b = Builder()
    vector, scalar = TensorType(dtype, (6,)), TensorType(DType.F64)
    every: dict[str, Any] = {option.name: option.default for option in OPTIMIZERS[name].options}
    lr, number = (b.leaf("input", scalar, name=each) for each in ("lr", "step"))
    step = Step(b, b.leaf("state", vector, name="params"), b.leaf("input", vector, name="g"), lr, number)
    b.graph.updates["params"] = apply_optimizer(step, name, every | options)
    b.graph.updates |= step.updates
    graph = optimize(b.graph)
    (gradient,) = (node.id for node in graph.leaves("input") if node.attrs["name"] == "g")
    return graph, gradient


def is_left_alone(name: str, options: dict[str, float | bool]) -> bool:
    """Whether an optimizer is proved to leave elements alone that have no gradient."""
    graph, gradient = updates(name, options)
    verify(graph, name)
    return leaves_alone(graph, graph.nodes[gradient].out, graph.updates)


def stays(name: str, options: dict[str, float | bool]) -> bool:
    """Whether it does leave elements alone that have no gradient: one step of its graph."""
    graph, _ = updates(name, options)
    states = {node.attrs.str("name"): np.linspace(0.5, 2.0, 6, dtype=np.float32) for node in graph.leaves("state")}
    numbers = {"lr": np.array(0.1), "step": np.array(3.0)}
    new = interpret(graph, {**states, **numbers, "g": np.zeros(6, np.float32)})
    return all(new[f"{state}'"].tobytes() == old.tobytes() for state, old in states.items())


@pytest.mark.parametrize(("name", "options"), ALONE)
def test_an_optimizer_that_leaves_elements_without_a_gradient_alone_is_proved_to(
    name: str, options: dict[str, float | bool]
):
    assert is_left_alone(name, options)
    assert stays(name, options)


@pytest.mark.parametrize(("name", "options"), TOGETHER)
def test_an_optimizer_that_moves_elements_without_a_gradient_is_not(name: str, options: dict[str, float | bool]):
    assert not is_left_alone(name, options)


def test_one_that_is_not_proved_to_moves_them_indeed():
    still = [(name, options) for name, options in TOGETHER if stays(name, options)]
    # Its slot is above zero here: with a slot of zero it would divide zero by zero.
    assert still == [("adagrad", {"eps": 0.0})]
