"""From equal first values, gradients and steps equal PyTorch's (`tests/goldens/make_training.py`).

Programs go the whole way from text. Each is run by the interpreter and by the compiled NumPy program.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from training_cases import NETS, OPTIMIZERS, STEPS, Array, batch, first_values, summary

from dslc.backends.interpret import interpret
from dslc.backends.to_numpy import compile_numpy
from dslc.check import check_source
from dslc.check.typed import TypedTrain
from dslc.graph import Graph
from dslc.passes import optimize
from dslc.source import Source
from dslc.training import GRADIENT, TrainingGraphs, gradient_graph, training_graphs

GOLDEN = np.load(Path(__file__).parent.parent / "goldens" / "training.npz")
CASES = [(net, optimizer) for net in NETS for optimizer in OPTIMIZERS]

State = dict[str, Array]
Step = Callable[[State, State, float, float], float]


def train_block(net: str, optimizer: str, dtype: str) -> TypedTrain:
    text = NETS[net].program.replace("TYPE", dtype).replace("OPTIMIZER", OPTIMIZERS[optimizer][0])
    checked, sink = check_source(Source(f"{net}.dl", text))
    assert not sink.found, [d.message for d in sink.found]
    train = checked.trains["net"]
    assert train is not None
    return train


def fields(net: str, step: int, dtype: str) -> State:
    target = np.float32 if dtype == "f32" else np.float64
    return {name: a.astype(target) if a.dtype.kind == "f" else a for name, a in batch(net, step).items()}


def first_state(made: TrainingGraphs, net: str, dtype: str) -> State:
    target = np.float32 if dtype == "f32" else np.float64
    (group,) = made.groups
    flat = group.layout.pack(first_values(net), target)
    return {group.params: flat, **{f"{name}/all": np.zeros_like(flat) for name in group.slots}}


def interpreted(graph: Graph) -> Step:
    def step(state: State, inputs: State, lr: float, number: float) -> float:
        scalars = {"lr": np.array(lr), "step": np.array(number)}
        found = interpret(graph, {**state, **inputs, **scalars})
        for name in state:
            state[name][...] = found[f"{name}'"]
        return float(found["loss"])

    return step


def compiled(graph: Graph) -> Step:
    program = compile_numpy(graph)

    def step(state: State, inputs: State, lr: float, number: float) -> float:
        bound = program.bind(program.sizes_of({name: a.shape for name, a in inputs.items()}), state)
        for name, array in inputs.items():
            bound.inputs[name][...] = array
        numbers = {"lr": lr, "step": number}
        bound.run(**{name: numbers[name] for name in bound.scalars})
        return float(bound.outputs["loss"])

    return step


def trained(
    net: str, optimizer: str, dtype: str, steps: int, engine: Callable[[Graph], Step]
) -> tuple[list[float], State]:
    """Losses, and parameters by key after some steps."""
    block = train_block(net, optimizer, dtype)
    made = training_graphs(block)
    step, state = engine(optimize(made.steps[0])), first_state(made, net, dtype)
    (stage,) = block.steps[0].optimizer.lr
    assert stage.start is not None
    rate = stage.start
    losses = [step(state, fields(net, t, dtype), rate, float(t + 1)) for t in range(steps)]
    return losses, made.groups[0].layout.views(state["params/all"])


def assert_equal(found: Any, case: str, tolerance: float) -> None:
    wanted = GOLDEN[case]
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance, err_msg=case)


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize(("dtype", "tolerance"), [("f32", 1e-5), ("f64", 1e-12)])
def test_gradients_equal_those_of_pytorch(net: str, dtype: str, tolerance: float):
    block = train_block(net, "sgd", dtype)
    graph = optimize(gradient_graph(block, block.steps[0]))
    target = np.float32 if dtype == "f32" else np.float64
    params = {key: value.astype(target) for key, value in first_values(net).items()}
    found = interpret(graph, {**params, **fields(net, 0, dtype)})
    for key in NETS[net].shapes:
        assert found[GRADIENT + key].dtype == target
        assert_equal(summary(found[GRADIENT + key], key), f"{net}/{dtype}/gradient/{key}", tolerance)


@pytest.mark.parametrize("engine", [interpreted, compiled])
@pytest.mark.parametrize(("net", "optimizer"), CASES)
def test_one_step_in_float32_equals_that_of_pytorch(net: str, optimizer: str, engine: Callable[[Graph], Step]):
    losses, params = trained(net, optimizer, "f32", 1, engine)
    assert_equal(losses, f"{net}/{optimizer}/f32/loss", 1e-5)
    for key, value in params.items():
        assert_equal(summary(value, key), f"{net}/{optimizer}/f32/after/{key}", 1e-5)


@pytest.mark.parametrize("engine", [interpreted, compiled])
@pytest.mark.parametrize(("net", "optimizer"), CASES)
def test_twenty_steps_in_float64_equal_those_of_pytorch(net: str, optimizer: str, engine: Callable[[Graph], Step]):
    losses, params = trained(net, optimizer, "f64", STEPS, engine)
    assert_equal(losses, f"{net}/{optimizer}/f64/loss", 1e-10)
    for key, value in params.items():
        assert_equal(summary(value, key), f"{net}/{optimizer}/f64/after/{key}", 1e-10)


def test_the_optimizers_of_the_goldens_lead_to_different_places():
    ends = [GOLDEN[f"xor/{optimizer}/f64/after/hidden.weight"] for optimizer in OPTIMIZERS]
    apart = [np.abs(a - b).max() for i, a in enumerate(ends) for b in ends[:i]]
    assert min(apart) > 1e-4
