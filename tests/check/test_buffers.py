"""Buffers: saved, not trained, and updated in training."""

from __future__ import annotations

NORM = """dim B
block Mean() {
  dim D
  input  x: f32[B, D]
  output y: f32[B, D]
  buffer m: f32[D] = zeros() as running_mean
  update m = 0.9 * m + 0.1 * mean(x, axis = 0)
  y = x - m
}
model M {
  input  x: f32[B, 8]
  output y: f32[B, 8]
"""


def test_a_buffer_is_a_parameter_that_is_not_trained(elaborate):
    model = elaborate(NORM + "y = x |> norm: Mean()\n}")
    spec = model.body.params["norm.running_mean"]
    assert (spec.trainable, spec.init.name) == (False, "zeros")


def test_an_update_counts_in_training_only(elaborate):
    text = NORM + "y = x |> norm: Mean()\n}"
    assert list(elaborate(text, training=True).body.updates) == ["norm.running_mean"]
    inference = elaborate(text)
    assert inference.body.updates == {}
    assert "mean" not in {value.op for value in inference.body.values}


def test_a_read_gives_the_value_before_the_update(elaborate):
    model = elaborate(NORM + "y = x |> norm: Mean()\n}", training=True)
    (subtraction,) = [value for value in model.body.values if value.op == "sub"]
    assert subtraction.inputs[1].op == "param"


def test_shared_uses_chain_in_the_order_of_the_calls(elaborate):
    model = elaborate(NORM + "layer norm = Mean()\na = norm(x)\ny = norm(a) + norm.running_mean\n}", training=True)
    first, second = (value for value in model.body.values if value.op == "sub")
    assert first.inputs[1].op == "param"
    chained = second.inputs[1]
    assert chained.op == "stop_gradient"
    assert chained.inputs[0] is not model.body.updates["norm.running_mean"]
    assert model.readable["y"].inputs[1].op == "param"


def test_the_last_use_decides_what_is_saved(elaborate):
    model = elaborate(NORM + "layer norm = Mean()\ny = norm(norm(x))\n}", training=True)
    reached = set[int]()
    waiting = [model.body.updates["norm.running_mean"]]
    while waiting:
        value = waiting.pop()
        reached.add(id(value))
        waiting += value.inputs
    assert sum(value.op == "mean" and id(value) in reached for value in model.body.values) == 2


def test_a_layer_inside_an_update_has_its_parameters_in_both_modes(elaborate):
    text = NORM.replace("mean(x, axis = 0)", "mean(x |> Dense(D), axis = 0)") + "y = x |> norm: Mean()\n}"
    keys = [list(elaborate(text, training=mode).body.params) for mode in (True, False)]
    assert keys[0] == keys[1] == ["norm.running_mean", "norm.m.weight", "norm.m.bias"]


def test_an_update_in_the_branch_of_the_other_mode_does_not_count(elaborate):
    text = NORM.replace("  update m", "  if not training {\n update m").replace("axis = 0)", "axis = 0)\n}")
    assert elaborate(text + "y = x |> norm: Mean()\n}", training=True).body.updates == {}


def test_a_number_fills_a_buffer(elaborate):
    text = "dim B\nmodel M {\n input x: f32[B, 8]\n output y: f32[B, 8]\n buffer n: i64[] = 0\n"
    model = elaborate(text + "buffer m: f32[3] = [1, 2, 3]\nupdate n = n + 1\nupdate m = 0\ny = x\n}", training=True)
    assert [str(value.type) for value in model.body.updates.values()] == ["i64[]", "f32[3]"]


def test_the_value_of_a_branch_not_taken_cannot_be_read(elaborate):
    text = "dim B\nmodel M {\n input x: f32[B, 8]\n output y: f32[B, 8]\n"
    body = "if training {\n h = 2 * x\n} else {\n h = 3 * x\n}\ny = h\n}"
    for mode in (True, False):
        model = elaborate(text + body, training=mode)
        assert all(value in model.body.values for value in model.readable.values())


def test_an_update_of_a_buffer_whose_declaration_is_wrong_adds_no_message(codes):
    text = "dim B\nmodel M {\n input x: f32[B]\n output y: f32[B]\n buffer m: f32[] = nothing\n update m = 0.9 * m\n y = x + m\n}"
    assert codes(text) == ["DL1001"]
