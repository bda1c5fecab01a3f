"""What is told of a model: its layers and their costs, in inference and in a training step. Figures are worked out by hand."""

from __future__ import annotations

import re

import pytest
from toy import TOY

from dslc.backends.to_numpy import compile_numpy
from dslc.diagnostics import DslcError
from dslc.driver.cost import cost_by_layer
from dslc.driver.frontend import check_program
from dslc.driver.info import ModelFacts, describe
from dslc.driver.info_text import facts_json, facts_text
from dslc.driver.models import choose_model, initial_params
from dslc.lower import lower
from dslc.passes import optimize
from dslc.source import Source
from dslc.tensor_type import evaluate, symbol

B, T = symbol("B"), symbol("T")

LINEAR = """\
dim B
model Net(units: int = 7) {
  input  x: f32[B, 5]
  output y: f32[B, 3]
  y = x |> a: Dense(units, bias = false) |> b: Dense(3, bias = false)
}
data rows {
  source = inline({ x: [[0, 0, 0, 0, 0]], t: [[1, 2, 3]] })
  field x: f32[5] = source["x"]
  field t: f32[3] = source["t"]
}
train net { use net = Net(); data = rows; loss = mse(net.y, data.t); optimizer = sgd(lr = 1) }
"""

RECURRENT = """\
dim B, T
cell Rec(units: int) {
  dim D
  input  x: float[B, D]
  output h: float[B, units]
  state  s: float[B, units] = zeros()
  param w: float[D, units] = zeros()
  param u: float[units, units] = zeros()
  h = tanh(x @ w + s @ u)
  next s = h
}
model Tagger {
  input  x: f32[B, T, 5]
  output y: f32[B, T, 4]
  y = x |> rec: scan(Rec(4))
}
"""

TWO = """\
dim B
model Lift { input z: f32[B, 2]; output x: f32[B, 3] = z |> up: Dense(3) }
model Drop { input x: f32[B, 3]; output s: f32[B, 1] = x |> down: Dense(1, bias = false) }
data rows {
  source = inline({ z: [[0, 1]] })
  field z: f32[2] = source["z"]
}
train both {
  use lift = Lift()
  use drop = Drop()
  data = rows
  loss = mean(drop(lift.x))
}
"""


def facts(text: str, name: str | None = None, **given: object) -> list[ModelFacts]:
    return describe(check_program(Source("net.dl", text)), name, **given)  # type: ignore[arg-type]


def one(text: str, name: str | None = None, **given: object) -> ModelFacts:
    (found,) = facts(text, name, **given)
    return found


def flops(found: ModelFacts) -> dict[str, object]:
    return {layer.path: layer.inference.flops for layer in found.layers}


def test_a_matrix_product_costs_two_operations_for_each_pair() -> None:
    assert flops(one(LINEAR)) == {"a": 2 * 5 * 7 * B, "b": 2 * 7 * 3 * B, "": 0}


def test_a_training_step_adds_a_product_for_each_gradient_that_is_needed() -> None:
    found = one(LINEAR)
    step = {layer.path: layer.step.flops for layer in found.layers if layer.step is not None}
    # Each weight gets its gradient; the gradient of `a`'s operand, which is the data, is not computed.
    assert step == {"a": 2 * 2 * 5 * 7 * B, "b": 3 * 2 * 7 * 3 * B, "": 0}


def test_memory_of_a_layer_is_what_it_computes_and_kept_is_what_the_gradient_reads() -> None:
    first, second, _ = one(LINEAR).layers
    assert first.inference.memory == 4 * 7 * B
    assert first.step is not None
    assert second.step is not None
    assert first.step.memory == 4 * (7 * B + 5 * 7)  # the value, and the gradient of the weight
    assert first.step.kept == 4 * 7 * B  # what `b` multiplies
    assert second.step.kept == 0  # the gradient of the loss reads the difference, which is its own


BAG = """\
dim B
model Bag {
  input  ids: i64[B, 3]
  output y: f32[B, 16]
  y = ids |> table: Embedding(20_000, 16) |> mean(axis = 1)
}
data rows {
  source = inline({ ids: [[1, 2, 3]], t: [[0]] })
  field ids: i64[3] = source["ids"]
  field t: f32[1] = source["t"]
}
train net { use net = Bag(); data = rows; loss = mean(square(net.y - data.t)); optimizer = OPTIMIZER(lr = 1) }
"""


@pytest.mark.parametrize(("optimizer", "elements"), [("sgd", 3 * 16), ("adam", 20_000 * 16)])
def test_a_large_embedding_costs_the_rows_that_its_optimizer_updates(optimizer: str, elements: int) -> None:
    found = one(BAG.replace("OPTIMIZER", optimizer), "net", batch=1).step
    assert found is not None
    assert elements <= evaluate(found.rest.flops, {"B": 1}) < 20 * elements


def test_a_recurrent_layer_costs_its_step_for_every_element() -> None:
    found = one(RECURRENT)
    assert flops(found) == {"rec": (2 * 5 * 4 + 2 * 4 * 4 + 4 + 4) * B * T, "": 0}


def test_a_layer_that_is_used_twice_costs_twice_and_holds_its_parameters_once() -> None:
    text = "model M { input x: f32[2, 3]; output y: f32[2, 3]; layer d = Dense(3, bias = false); y = d(d(x)) }"
    found = one(text)
    assert flops(found) == {"d": 2 * (2 * 2 * 3 * 3), "": 0}
    assert [layer.parameters for layer in found.layers] == [9, 0]


def test_what_a_model_does_besides_its_layers_is_its_own() -> None:
    found = one("model M { input x: f32[4, 3]; output y: f32[4, 2]; y = relu(x |> d: Dense(2)) * 2 }")
    assert flops(found) == {"d": 2 * 4 * 3 * 2 + 4 * 2, "": 2 * 4 * 2}


def test_layers_inside_blocks_have_rows_of_their_own() -> None:
    text = """block Twice { input x: float[...]; output y: float[...]; y = 2 * (x |> inner: Dense(3)) }
    model M { input x: f32[1, 3]; output y: f32[1, 3]; y = x |> s: repeat(2) { Twice() } }"""
    found = flops(one(text))
    assert found == {"s.0": 3, "s.0.inner": 21, "s.1": 3, "s.1.inner": 21, "": 0}


@pytest.mark.parametrize("text", [LINEAR, RECURRENT, TOY])
def test_the_layers_together_cost_what_the_graph_costs(text: str) -> None:
    typed = choose_model(check_program(Source("net.dl", text)), None, {})
    whole = sum((cost.flops for cost in cost_by_layer(optimize(lower(typed.body, typed.outputs))).values()), 0)
    assert sum(flops(one(text)).values(), 0) == whole  # type: ignore[arg-type]


def test_planned_memory_is_that_of_a_binding() -> None:
    typed = choose_model(check_program(Source("net.dl", LINEAR)), None, {})
    program = compile_numpy(optimize(lower(typed.body, typed.outputs)))
    bound = program.bind({"B": 6}, initial_params(typed.body.params, 0))
    inputs = sum(array.nbytes for array in bound.inputs.values())
    outputs = 6 * 3 * 4
    taken = bound.arena_bytes + inputs + outputs
    assert taken <= one(LINEAR, batch=6).planned < taken + 64  # each buffer begins at a multiple of 64


def test_sizes_make_costs_numbers_and_the_rest_stays_nominal() -> None:
    found = one(RECURRENT, sizes={"T": 10})
    assert dict(found.sizes) == {"B": 32, "T": 10}
    assert facts_json(found)["flops"] == {"inference": 80 * 32 * 10}
    assert facts_json(one(RECURRENT))["flops"] == {"inference": "80 * B * T"}
    assert dict(one(RECURRENT, batch=2).sizes) == {"B": 2, "T": 32}


def test_sizes_that_do_not_work_out_are_an_error() -> None:
    halves = "dim H\nmodel M { input x: f32[H]; output y: f32[2, H / 2] = reshape(x, [2, H / 2]) }"
    with pytest.raises(DslcError, match=r"DL6041.*these sizes do not fit the model"):
        facts(halves, sizes={"H": 7})


def test_a_train_block_is_told_of_where_it_uses_the_model_otherwise() -> None:
    wider = LINEAR.replace("use net = Net()", "use net = Net(units = 9)")
    default = one(wider)
    assert default.step is None
    assert facts_text(default).endswith("train block `net` uses Net(units = 9); name it to see that: FILE:net")
    trained = one(wider, "net")
    assert trained.hypers == {"units": 9}
    assert [layer.step.flops for layer in trained.layers if layer.step] == [180 * B, 162 * B, 0]


def test_hyper_parameters_that_are_layers_or_functions_are_those_of_the_train_block() -> None:
    text = """dim B
    model Net(head: layer = Dense(3), act: fn = relu) { input x: f32[B, 2]; output y: f32[B, 3]; y = x |> fc: head |> act }
    data rows { source = inline({ x: [[0, 1]] }); field x: f32[2] = source["x"] }
    train t { use net = Net(head = Dense(3, bias = false)); data = rows; loss = mean(net.y) }
    train u { use net = Net(act = gelu); data = rows; loss = mean(net.y) }"""
    assert one(text).step is None
    assert set(one(text).trained_as) == {"t", "u"}
    assert flops(one(text, "t")) == {"fc": 2 * 2 * 3 * B, "": 3 * B}
    assert one(text, "t").parameters.keys() == {"fc.weight"}
    assert flops(one(text, "u"))[""] != 3 * B


def test_of_several_models_each_has_its_part_of_the_step() -> None:
    lift, drop = facts(TWO, "both")
    assert [(layer.path, layer.inference.flops) for layer in lift.layers] == [("up", 15 * B), ("", 0)]
    in_lift = {layer.path: layer.step.flops for layer in lift.layers if layer.step is not None}
    in_drop = {layer.path: layer.step.flops for layer in drop.layers if layer.step is not None}
    assert in_lift == {"up": 2 * 12 * B + 2 * 3 * B, "": 0}
    assert in_drop == {"down": 3 * 6 * B, "": 0}
    assert "loss, optimizer of all" in facts_text(lift)


def test_what_is_not_trained_is_marked() -> None:
    text = "model M { input x: f32[2, 3]; output y: f32[2, 3]; buffer shift: f32[3] = zeros(); y = x + shift }"
    found = one(text)
    assert "shift      f32[3], not trained      3" in facts_text(found)
    assert facts_json(found)["parameters"] == {"shift": {"type": "f32[3]", "count": 3, "trained": False}}


def test_models_may_call_their_batch_differently() -> None:
    text = TWO.replace("dim B\n", "dim B, N\n").replace(
        "input x: f32[B, 3]; output s: f32[B, 1]", "input x: f32[N, 3]; output s: f32[N, 1]"
    )
    lift, drop = facts(text, "both", batch=5)
    assert dict(lift.sizes) == {"B": 5}
    assert dict(drop.sizes) == {"N": 5, "B": 5}
    in_lift, in_drop = (facts_json(each)["flops"]["training step"] for each in (lift, drop))
    assert in_lift - in_drop == 30 * 5 - 18 * 5


def test_no_line_is_wider_than_the_terminal() -> None:
    deep = "x |> " + " |> ".join(f"a_rather_long_label_of_layer_{i}: Dense(units = 3, bias = false)" for i in range(2))
    text = facts_text(one(f"dim B\nmodel Long {{ input x: f32[B, 3]; output y: f32[B, 3]; y = {deep} }}"), 60)
    assert max(map(len, text.splitlines())) <= 60
    assert ".." in text


def test_buffers_are_no_parameters():
    text = "dim B\nmodel Net { input x: f32[B, 5]; output y: f32[B, 5]; y = x |> norm: BatchNorm() }\n"
    (found,) = describe(check_program(Source("net.dl", text)), None)
    assert [layer.parameters for layer in found.layers] == [10, 0]
    assert facts_json(found)["parameter count"] == facts_json(found)["not trained"] == 10
    assert re.search(r"^total +10\nnot trained +10$", facts_text(found), re.MULTILINE)
