"""Recomputation: equal bytes from less memory, and every plan proved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from graphs import ADAM, OPTIMIZERS, SETTINGS, feeds, random_graphs, training_step
from hypothesis import given

from dslc.autodiff import gradients
from dslc.backends.numpy_forms import specialise
from dslc.backends.plan import plan
from dslc.backends.plan_check import check_program
from dslc.backends.to_numpy import compile_numpy
from dslc.graph import Builder, Graph, verify
from dslc.ops.ir import Value
from dslc.optim import Step, apply_optimizer
from dslc.passes import optimize
from dslc.passes.remat import LONGEST, recompute
from dslc.tensor_type import DType, TensorType, evaluate, symbol
from dslc_runtime.program import Program

B = symbol("B")
F32 = DType.F32


def run(graph: Graph, program: Program, sizes: Mapping[str, int]) -> dict[str, npt.NDArray[Any]]:
    """Outputs and new states after two steps."""
    known = feeds(graph, sizes)
    for name, value in graph.updates.items():
        known.setdefault(name, np.zeros([evaluate(dim, sizes) for dim in value.shape], np.float32))
    owned = {name: known[name].copy() for name in (*program.params, *program.states)}
    bound = program.bind(sizes, owned)
    for name, buffer in bound.inputs.items():
        buffer[...] = known[name]
    for spec, buffer in bound.draws:
        buffer[...] = known[spec.stream]
    for number in (1.0, 2.0):
        bound.run(**{name: {"lr": 0.01, "step": number}[name] for name in program.scalars})
    return {name: array.copy() for name, array in bound.outputs.items()} | {f"{name}'": a for name, a in owned.items()}


def assert_same_bytes(graph: Graph, sizes: Mapping[str, int]) -> None:
    kept = run(graph, compile_numpy(graph), sizes)
    again = run(graph, compile_numpy(graph, remat=True), sizes)
    assert kept.keys() == again.keys()
    for name, array in kept.items():
        assert array.tobytes() == again[name].tobytes(), name


def blocks(depth: int, width: int = 16) -> Graph:
    """Residual blocks of two products around a gelu and a dropout, and a training step of them."""
    b = Builder()
    part, size = width * 4 * width, 2 * width * 4 * width
    flat = b.leaf("state", TensorType(F32, (depth * size,)), name="params")
    h = b.leaf("input", TensorType(F32, (B, width)), name="x")
    keyed: list[Value] = []
    for number in range(depth):
        up = b.apply("segment", flat, offset=number * size, sizes=(width, 4 * width))
        down = b.apply("segment", flat, offset=number * size + part, sizes=(4 * width, width))
        keyed += [up, down]
        inner = b.apply("gelu", b.apply("matmul", b.apply("tanh", h), up))
        mask = b.leaf("draw", inner.type, dist="bernoulli", stream=f"drop{number}", p=0.9, value=1 / 0.9)
        h = b.apply("add", h, b.apply("tanh", b.apply("matmul", b.apply("mul", inner, mask), down)))
    b.graph.outputs = {"loss": b.apply("mean", b.apply("square", h))}
    gradient = b.apply("pack", *gradients(b, b.graph.outputs["loss"], keyed))
    lr, number = (b.leaf("input", TensorType(DType.F64), name=name) for name in ("lr", "step"))
    step = Step(b, flat, gradient, lr, number)
    b.graph.updates["params"] = apply_optimizer(step, "adam", ADAM)
    b.graph.updates |= step.updates
    return optimize(b.graph)


@SETTINGS
@given(random_graphs())
def test_random_graphs_give_the_same_bytes_and_their_memory_is_proved(graph: Graph) -> None:
    again = recompute(specialise(graph))
    verify(again, "recompute")
    assert_same_bytes(graph, {"B": 3})
    check_program(again, compile_numpy(graph, remat=True), {"B": 2})


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_training_steps_give_the_same_bytes(optimizer: str) -> None:
    assert_same_bytes(training_step(optimizer), {"B": 5})


def test_a_deep_network_takes_less_memory_and_gives_the_same_bytes() -> None:
    graph = blocks(6)
    assert_same_bytes(graph, {"B": 32})
    special = specialise(graph)
    sizes = {"B": 512}
    assert plan(recompute(special)).scratch_bytes(sizes) < 0.7 * plan(special).scratch_bytes(sizes)


def test_only_elementwise_operators_and_views_are_computed_again() -> None:
    special = specialise(blocks(3))
    counts = [_counts(graph) for graph in (special, recompute(special))]
    assert {name for name in counts[1] if counts[1][name] > counts[0].get(name, 0)} == {
        "add",
        "tanh",
        "mul",
        "normal_cdf",
    }


def test_long_chains_are_kept_in_between() -> None:
    """Each state of a residual network is a sum from the first one on."""
    b = Builder()
    w = b.leaf("state", TensorType(F32, (4, 4)), name="w")
    h = b.leaf("input", TensorType(F32, (B, 4)), name="x")
    for _ in range(3 * LONGEST):
        h = b.apply("add", h, b.apply("tanh", b.apply("matmul", h, w)))
    b.graph.outputs = {"loss": b.apply("mean", h)}
    (b.graph.updates["w"],) = gradients(b, b.graph.outputs["loss"], [w])
    special = specialise(optimize(b.graph))
    again = _counts(recompute(special))["add"] - _counts(special)["add"]
    assert 0 < again < 3 * LONGEST - 1
    assert_same_bytes(optimize(b.graph), {"B": 5})


def test_a_graph_without_a_backward_pass_is_left_as_it_is() -> None:
    b = Builder()
    x = b.leaf("input", TensorType(F32, (B, 3)), name="x")
    b.graph.outputs = {"y": b.apply("tanh", b.apply("neg", x))}
    assert [node.op for node in recompute(b.graph).order()] == [node.op for node in b.graph.order()]


def test_an_output_is_not_computed_twice() -> None:
    b = Builder()
    x = b.leaf("input", TensorType(F32, (4, 4)), name="x")
    y = b.apply("tanh", x)
    b.graph.outputs = {"y": y}
    b.graph.updates = {"s": b.apply("neg", y)}
    assert len(recompute(b.graph).nodes) == len(b.graph.nodes)


def _counts(graph: Graph) -> dict[str, int]:
    found: dict[str, int] = {}
    for node in graph.nodes.values():
        found[node.op] = found.get(node.op, 0) + 1
    return found
