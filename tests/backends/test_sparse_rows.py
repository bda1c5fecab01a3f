"""Updates of rows: for which optimizers they are the whole update, when they are made, and what they compute."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sparse_rows_cases import BATCH, COLUMNS, FEW_ROWS, OPTIMIZERS, PROGRAM, ROWS, batch

from dslc.backends.interpret import interpret
from dslc.backends.numpy_forms import specialise
from dslc.backends.plan import plan
from dslc.backends.plan_check import check_program
from dslc.backends.sparse_rows import leaves_alone, pays
from dslc.backends.to_numpy import compile_numpy
from dslc.check import check_source
from dslc.check.typed import TypedTrain
from dslc.graph import Builder, Graph, verify
from dslc.ops import optimizers
from dslc.optim import Step, apply_optimizer
from dslc.passes import optimize
from dslc.sharding import Sharding, shard
from dslc.source import Source
from dslc.tensor_type import Dim, DType, TensorType, symbol
from dslc.training import training_graphs

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
    *((name, {}) for name in optimizers.OPTIMIZERS if name not in ("sgd", "adagrad")),
]


def updates(name: str, options: dict[str, float | bool], dtype: DType = DType.F32) -> tuple[Graph, int]:
    """An optimizer's step as it is planned, and its gradient."""
    b = Builder()
    vector, scalar = TensorType(dtype, (6,)), TensorType(DType.F64)
    every: dict[str, Any] = {option.name: option.default for option in optimizers.OPTIMIZERS[name].options}
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


# ---------------------------------------------------------------------------------------------- the graphs of trainings


def block(optimizer: str, more: str = "", program: str = PROGRAM) -> TypedTrain:
    """The train block of the goldens with another optimizer, and further settings."""
    text = program.replace("OPTIMIZER", optimizer).replace("batch     = 6", f"batch = 6\n  {more}")
    checked, sink = check_source(Source("words.dl", text))
    assert not sink.failed, [d.message for d in sink.found]
    train = checked.trains["words"]
    assert train is not None
    return train


def step(optimizer: str, more: str = "", program: str = PROGRAM) -> Graph:
    """What is done with every batch, as it is planned."""
    return specialise(optimize(training_graphs(block(optimizer, more, program)).steps[0]))


def has_few_rows(graph: Graph) -> bool:
    """Whether the table is updated by rows, which needs nothing of its size besides."""
    ops = {node.op for node in graph.nodes.values()}
    made = {node.op for node in graph.nodes.values() if node.out.shape == (ROWS, COLUMNS)}
    by_rows = "scatter_update" in ops
    assert not by_rows or made == {"segment", "scatter_update"}
    assert by_rows != ("scatter_add" in ops)
    return by_rows


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_table_is_updated_by_rows_where_the_optimizer_leaves_others_alone(optimizer: str):
    assert has_few_rows(step(OPTIMIZERS[optimizer])) == (optimizer in FEW_ROWS)


def test_what_adds_gradients_up_over_batches_adds_rows():
    assert has_few_rows(step("adam()", "accumulate = 2"))


@pytest.mark.parametrize(
    ("optimizer", "more"),
    [
        ("sgd(lr = 0.1, weight_decay = 0.1)", ""),
        ("sgd(lr = 0.1)", "clip_norm = 1.0"),
        ("sgd(lr = 0.1)", "clip_value = 1.0"),
        ("sgd(lr = 0.1)", "ema = 0.9"),
    ],
)
def test_a_table_is_updated_as_a_whole_where_something_needs_all_of_its_gradient(optimizer: str, more: str):
    assert not has_few_rows(step(optimizer, more))


def test_a_penalty_on_a_table_needs_all_of_it():
    program = PROGRAM.replace("data.label)", 'data.label) + l2(0.1, on = "table")')
    assert not has_few_rows(step("sgd(lr = 0.1)", program=program))


def test_a_table_that_is_read_in_two_ways_has_a_dense_gradient():
    """Its rows are words, and its columns are scores: the gradient is a sum, which is no sum of rows."""
    program = PROGRAM.replace("axes = 1)", "axes = 1) * mean(table, axes = 0)")
    graph = step("sgd(lr = 0.1)", program=program)
    assert not any(node.op == "scatter_update" for node in graph.nodes.values())


def test_the_gradient_of_a_shard_is_whole():
    sharding = shard(training_graphs(block("sgd(lr = 0.1)")).steps[0], 2)
    assert isinstance(sharding, Sharding)
    for graph in (sharding.part, sharding.rest):
        assert not any(node.op == "scatter_update" for node in specialise(optimize(graph)).nodes.values())


@pytest.mark.parametrize(
    ("rows", "columns", "ids", "expected"),
    [
        (20_000, 8, 100, True),
        (20_000, 8, 625, True),
        (20_000, 8, 626, False),  # too many of the rows
        (1_000, 8, 10, False),  # a small table
        (20_000, 8, symbol("B") * 19, True),
        (20_000, 8, symbol("B") * 20, False),
    ],
)
def test_rows_pay_where_a_large_table_has_many_elements_for_each_id(rows: int, columns: int, ids: Dim, expected: bool):
    b = Builder()
    names = b.leaf("input", TensorType(DType.I64, (ids,)), name="ids")
    values = b.leaf("input", TensorType(DType.F32, (ids, columns)), name="values")
    gradient = b.apply("scatter_add", values, names, rows=rows)
    assert pays(b.graph.producer(gradient)) == expected


# ---------------------------------------------------------------------------------------------- what they compute


def fed(graph: Graph) -> dict[str, Any]:
    """A batch, numbers, and states that are not zero."""
    generator = np.random.default_rng(1)
    states = {node.attrs.str("name"): node.out.shape for node in graph.leaves("state")}
    made = {name: generator.uniform(0.1, 1.0, [int(str(dim)) for dim in shape]) for name, shape in states.items()}
    return made | batch(0) | {name: np.array(0.5) for name in ("lr", "step", "rows")}


@pytest.mark.parametrize("optimizer", FEW_ROWS)
@pytest.mark.parametrize("more", ["", "accumulate = 2"])
def test_the_interpreter_computes_by_rows_what_it_computes_of_the_whole_table(optimizer: str, more: str):
    plain = training_graphs(block(OPTIMIZERS[optimizer], more)).steps[0]
    special = specialise(optimize(plain))
    assert has_few_rows(special)
    given = fed(plain)
    found, expected = (interpret(graph, given, {"B": BATCH}) for graph in (special, plain))
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-12, err_msg=name)


@pytest.mark.parametrize("optimizer", FEW_ROWS)
@pytest.mark.parametrize("poison", [False, True])
def test_the_memory_of_an_update_by_rows_is_proved_and_no_table_is_copied(optimizer: str, poison: bool):
    graph = optimize(training_graphs(block(OPTIMIZERS[optimizer])).steps[0])
    program = compile_numpy(graph, poison=poison)
    for size in (1, BATCH):
        check_program(specialise(graph), program, {"B": size})
    assert plan(specialise(graph)).scratch_bytes({"B": BATCH}) < ROWS * COLUMNS
