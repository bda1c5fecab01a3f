"""The shape of training graphs: states, updates, outputs, and what is trained."""

from __future__ import annotations

import numpy as np
import pytest

from dslc.backends.interpret import interpret
from dslc.check import check_source
from dslc.check.typed import TypedTrain
from dslc.graph import Graph, print_graph, verify
from dslc.passes import optimize
from dslc.record import replace
from dslc.source import Source
from dslc.training import GRADIENT, TrainingGraphs, gradient_graph, training_graphs

TEXT = """
dim B
model Net {
  input  x: f32[B, 4]
  output logits: f32[B, 3]
  logits = x |> fc1: Dense(5) |> relu |> Dropout(0.5) |> Dropout(0.25) |> fc2: Dense(3)
}
data d {
  source = npz("d.npz")
  field x: f32[4] = source["x"]
  field label: i64[] = source["label"]
}
train net {
  use net   = Net()
  data      = d
  loss      = cross_entropy(net.logits, data.label)
  metrics   = { acc: accuracy(net.logits, data.label) }
  optimizer = OPTIMIZER
}
"""


def block(optimizer: str = "adam()") -> TypedTrain:
    checked, sink = check_source(Source("net.dl", TEXT.replace("OPTIMIZER", optimizer)))
    assert not sink.found, [d.message for d in sink.found]
    train = checked.trains["net"]
    assert train is not None
    return train


def made(optimizer: str = "adam()") -> TrainingGraphs:
    return training_graphs(block(optimizer))


def frozen(train: TypedTrain, key: str) -> TypedTrain:
    (step,) = train.steps
    return replace(train, steps=(replace(step, updates=tuple(k for k in step.updates if k != key)),))


def names(graph: Graph, op: str, attr: str) -> list[str]:
    return [node.attrs.str(attr) for node in graph.leaves(op)]


@pytest.mark.parametrize(
    ("optimizer", "slots"), [("sgd()", ()), ("sgd(momentum = 0.9)", ("velocity",)), ("adam()", ("m", "v"))]
)
def test_parameters_and_slots_are_states_that_are_updated(optimizer: str, slots: tuple[str, ...]):
    step = made(optimizer)
    assert step.groups[0].slots == slots
    assert set(step.steps[0].updates) == {"params/all", *(f"{slot}/all" for slot in slots)}
    graph = optimize(step.steps[0])
    assert {node.attrs["name"]: node.out.type for node in graph.leaves("state")} == {
        name: value.type for name, value in graph.updates.items()
    }
    assert graph.updates["params/all"].shape == (step.groups[0].layout.size,) == (4 * 5 + 5 + 5 * 3 + 3,)


def test_the_layout_is_in_the_order_of_the_program_without_gaps():
    layout = made().groups[0].layout
    assert [s.key for s in layout.segments] == ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"]
    assert [s.offset for s in layout.segments] == [0, 20, 25, 40]


def test_loss_and_metrics_are_the_outputs():
    assert list(made().steps[0].outputs) == ["loss", "acc"]
    assert all(not value.shape for value in made().steps[0].outputs.values())


def test_two_dropouts_draw_from_two_streams_and_the_passes_keep_both():
    streams = names(optimize(made().steps[0]), "draw", "stream")
    assert len(streams) == len(set(streams)) == 2


def test_the_same_text_gives_the_same_graph():
    assert print_graph(optimize(made().steps[0])) == print_graph(optimize(made().steps[0]))


def test_an_optimised_training_graph_is_legal_and_computes_the_same():
    step = made()
    verify(step.steps[0], "training")
    generator = np.random.default_rng(0)
    given = {
        "params/all": step.groups[0].layout.pack(
            {s.key: generator.normal(size=s.shape) for s in step.groups[0].layout.segments}, np.float32
        ),
        "m/all": generator.normal(size=step.groups[0].layout.size).astype(np.float32),
        "v/all": generator.uniform(size=step.groups[0].layout.size).astype(np.float32),
        "x": generator.normal(size=(6, 4)).astype(np.float32),
        "label": generator.integers(0, 3, 6),
        "lr": np.float64(0.1),
        "step": np.float64(3),
    }
    for node in step.steps[0].leaves("draw"):
        given[node.attrs.str("stream")] = generator.integers(0, 2, (6, 5)).astype(np.float32) * 2
    before, after = interpret(step.steps[0], given), interpret(optimize(step.steps[0]), given)
    assert before.keys() == after.keys()
    for name, value in before.items():
        np.testing.assert_allclose(after[name], value, rtol=1e-6, atol=1e-7, err_msg=name)


def test_a_frozen_parameter_is_a_leaf_that_no_update_changes():
    train = block()
    step = training_graphs(frozen(train, "fc1.weight"))
    assert "fc1.weight" not in [s.key for s in step.groups[0].layout.segments]
    assert names(step.steps[0], "param", "key") == ["fc1.weight"]
    graph = gradient_graph(train, frozen(train, "fc1.weight").steps[0])
    assert [name for name in graph.outputs if name.startswith(GRADIENT)] == [
        GRADIENT + key for key in ("fc1.bias", "fc2.weight", "fc2.bias")
    ]


def test_gradients_by_key_have_the_shapes_of_the_parameters():
    graph = optimize(gradient_graph(block(), block().steps[0]))
    shapes = {name.removeprefix(GRADIENT): v.shape for name, v in graph.outputs.items() if name.startswith(GRADIENT)}
    assert shapes == {"fc1.weight": (4, 5), "fc1.bias": (5,), "fc2.weight": (5, 3), "fc2.bias": (3,)}
    assert not graph.updates
    assert sorted(names(graph, "param", "key")) == sorted(shapes)


def test_nothing_superfluous_is_left_in_a_step():
    """Every operator of the step of a two-layer net: what a person would have written by hand."""
    graph = optimize(made("sgd()").steps[0])
    found: dict[str, int] = {}
    for node in graph.order():
        if node.inputs:
            found[node.op] = found.get(node.op, 0) + 1
    assert found == {
        "segment": 4,
        "matmul": 2 + 3,  # forward; by fc2.weight, by the hidden layer, by fc1.weight
        "transpose": 3,
        "add": 2,
        "relu": 1,
        "relu_grad": 1,
        "mul": 2 + 2 + 1,  # dropout twice, forward and backward; the learning rate
        "softmax_cross_entropy": 1,
        "softmax_cross_entropy_grad": 1,
        "mean": 2,
        "argmax": 1,
        "eq": 1,
        "cast": 2,
        "divide_by_size": 1,
        "expand": 1,
        "sum": 2,  # biases
        "pack": 1,
        "sub": 1,
    }


def test_the_element_type_of_the_arena_is_that_of_the_parameters():
    assert made().groups[0].dtype == np.float32
