"""Optimizers as graphs: their equations, how many passes over memory they take, and the table the language sees.

That whole trainings equal PyTorch's is shown in `tests/training`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from dslc.backends.interpret import interpret
from dslc.graph import Builder, Graph, verify
from dslc.ops.optimizers import OPTIMIZERS
from dslc.optim import Step, apply_optimizer, nadam_product
from dslc.passes import optimize
from dslc.tensor_type import DType, TensorType

Array = npt.NDArray[Any]
N = 7


def step_graph(name: str, dtype: DType = DType.F64, **options: float | bool) -> Graph:
    """One step with a gradient that is fed."""
    b = Builder()
    flat, scalar = TensorType(dtype, (N,)), TensorType(DType.F64)
    every: dict[str, Any] = {option.name: option.default for option in OPTIMIZERS[name].options}
    step = Step(
        b,
        b.leaf("state", flat, name="params"),
        b.leaf("input", flat, name="g"),
        b.leaf("input", scalar, name="lr"),
        b.leaf("input", scalar, name="step"),
    )
    b.graph.updates["params"] = apply_optimizer(step, name, every | options)
    b.graph.updates |= step.updates
    assert step.slots.keys() == step.updates.keys()
    verify(b.graph, name)
    return b.graph


def run(graph: Graph, rate: float, steps: int, dtype: Any = np.float64) -> list[Array]:
    """The parameters after each step, gradients drawn at random."""
    generator = np.random.default_rng(3)
    state = {node.attrs.str("name"): np.zeros(N, dtype) for node in graph.leaves("state")}
    state["params"] = generator.normal(size=N).astype(dtype)
    found: list[Array] = [state["params"]]
    for t in range(1, steps + 1):
        g = generator.normal(size=N).astype(dtype)
        new = interpret(graph, {**state, "g": g, "lr": np.array(rate), "step": np.array(float(t))})
        state = {name: new[f"{name}'"] for name in state}
        found.append(state["params"])
    return found


def textbook(name: str, rate: float, steps: int, **o: Any) -> list[Array]:
    """The equations of `dslc.ops.optimizers`, written down once more with the moments as they are."""
    generator = np.random.default_rng(3)
    p = generator.normal(size=N)
    b, m, v = np.zeros(N), np.zeros(N), np.zeros(N)
    found = [p]
    for t in range(1, steps + 1):
        g = generator.normal(size=N) + o.get("weight_decay", 0.0) * p
        if name == "adam":
            m = o["beta1"] * m + (1 - o["beta1"]) * g
            v = o["beta2"] * v + (1 - o["beta2"]) * g**2
            p = p - rate * (m / (1 - o["beta1"] ** t)) / (np.sqrt(v / (1 - o["beta2"] ** t)) + o["eps"])
        else:
            momentum = o.get("momentum", 0.0)
            b = momentum * b + g
            p = p - rate * (g + momentum * b if o.get("nesterov") else b)
        found.append(p)
    return found


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("sgd", {}),
        ("sgd", {"weight_decay": 0.1}),
        ("sgd", {"momentum": 0.9}),
        ("sgd", {"momentum": 0.7, "nesterov": True, "weight_decay": 0.01}),
        ("adam", {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8}),
        ("adam", {"beta1": 0.5, "beta2": 0.9, "eps": 1e-3, "weight_decay": 0.1}),
        ("adam", {"beta1": 0.0, "beta2": 0.0, "eps": 1e-8}),
    ],
)
def test_thirty_steps_follow_the_equations(name: str, options: dict[str, Any]):
    found, wanted = run(step_graph(name, **options), 0.05, 30), textbook(name, 0.05, 30, **options)
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-13)
    assert np.abs(found[-1] - found[0]).max() > 0.01


@pytest.mark.parametrize(
    ("name", "options", "passes"),
    [
        ("sgd", {}, 2),
        ("sgd", {"momentum": 0.9}, 4),
        ("sgd", {"momentum": 0.9, "nesterov": True}, 6),
        ("sgd", {"weight_decay": 0.1}, 4),
        ("adam", {}, 10),
        ("adam", {"weight_decay": 0.1}, 12),
        ("adamw", {}, 11),
        ("rmsprop", {}, 8),
        ("rmsprop", {"eps_inside": True}, 8),
        ("adagrad", {}, 7),
        ("adadelta", {}, 13),
        ("lion", {}, 7),
    ],
)
def test_a_step_takes_so_many_passes_over_the_parameters(name: str, options: dict[str, Any], passes: int):
    graph = optimize(step_graph(name, DType.F32, **options))
    assert sum(bool(node.inputs and node.out.shape) for node in graph.order()) == passes


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_what_depends_on_rate_and_step_alone_is_worked_out_in_float64(name: str):
    graph = optimize(step_graph(name, DType.F32))
    narrow = [node for node in graph.order() if not node.out.shape and node.out.dtype is DType.F32]
    assert {node.op for node in narrow} <= {"constant", "cast"}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_rate_is_an_input_and_not_a_constant(name: str):
    assert {node.attrs["name"] for node in optimize(step_graph(name)).leaves("input")} >= {"lr", "step", "g"}
    slow, fast = (run(step_graph(name), rate, 1) for rate in (0.001, 0.1))
    np.testing.assert_allclose((fast[1] - fast[0]) / (slow[1] - slow[0]), 100.0, rtol=1e-9)


def test_adams_first_step_has_the_size_of_the_rate():
    before, after = run(step_graph("adam"), 0.01, 1)
    np.testing.assert_allclose(np.abs(after - before), 0.01, rtol=1e-6)


def test_adam_in_float32_stays_close_to_float64_over_many_steps():
    short = run(step_graph("adam", DType.F32), 0.01, 200, np.float32)[-1]
    np.testing.assert_allclose(short, run(step_graph("adam"), 0.01, 200)[-1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("decay", [0.0, 0.004, 0.5])
@pytest.mark.parametrize("steps", [1, 2, 40, 3000])
def test_nadams_product_of_momenta_needs_no_state(decay: float, steps: int):
    b = Builder()
    number = b.leaf("input", TensorType(DType.F64), name="step")
    vector = b.leaf("state", TensorType(DType.F64, (N,)), name="params")
    b.graph.outputs["product"] = nadam_product(Step(b, vector, vector, number, number), 0.99, decay)
    found = interpret(b.graph, {"step": np.array(float(steps)), "params": np.zeros(N)})["product"]
    wanted = np.prod(0.99 * (1 - 0.5 * 0.96 ** (np.arange(1, steps + 1) * decay)))
    np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-300)


@pytest.mark.parametrize("name", ["adamw", "lion"])
def test_decoupled_decay_shrinks_parameters_whose_gradient_is_zero(name: str):
    graph = step_graph(name, weight_decay=0.5)
    state = {node.attrs.str("name"): np.zeros(N) for node in graph.leaves("state")} | {"params": np.ones(N)}
    found = interpret(graph, {**state, "g": np.zeros(N), "lr": np.array(0.1), "step": np.array(1.0)})
    np.testing.assert_allclose(found["params'"], 0.95, rtol=1e-15)
    assert all(not found[f"{slot}'"].any() for slot in state.keys() - {"params"})


def test_centered_rmsprop_of_an_unchanging_gradient_takes_no_root_of_a_negative_number():
    graph = step_graph("rmsprop", DType.F32, centered=True, alpha=0.5)
    state = {node.attrs.str("name"): np.zeros(N, np.float32) for node in graph.leaves("state")}
    g = np.linspace(-3, 3, N, dtype=np.float32)
    for t in range(1, 200):
        new = interpret(graph, {**state, "g": g, "lr": np.array(1e-9), "step": np.array(float(t))})
        state = {name: new[f"{name}'"] for name in state}
        assert all(np.isfinite(value).all() for value in state.values())


def test_plain_gradient_descent_keeps_nothing_but_parameters():
    assert list(step_graph("sgd").updates) == ["params"]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_states_rate_first_and_a_default_for_every_option(name: str):
    optimizer = OPTIMIZERS[name]
    assert (optimizer.name, optimizer.options[0].name) == (name, "lr")
    assert all(isinstance(option.default, bool | float) for option in optimizer.options)
    assert {option.kind for option in optimizer.options} <= {"float", "bool"}
    assert "Source:" in optimizer.doc
