"""Layers: keys, sharing, modes, blocks and repetition."""

from __future__ import annotations

from dslc.tensor_type import count

HEAD = "dim B\nmodel M {\n input x: f32[B, 8]\n output y: f32[B, 8]\n"


def keys(model) -> list[str]:
    return list(model.body.params)


def test_a_label_names_the_parameters(elaborate):
    assert keys(elaborate(HEAD + "y = x |> fc: Dense(8)\n}")) == ["fc.weight", "fc.bias"]


def test_the_assigned_name_labels_a_lone_layer(elaborate):
    assert keys(elaborate(HEAD + "h = x |> Dropout(0.5) |> Dense(8) |> relu\ny = h\n}")) == ["h.weight", "h.bias"]


def test_a_stage_labelled_self_has_the_names_of_its_block(elaborate):
    block = "block Own() {\n input x: f32[B, 8]\n output y: f32[B, 8]\n y = x |> self: Dense(8)\n}\n"
    model = elaborate("dim B\n" + block + HEAD.removeprefix("dim B\n") + "y = x |> a: Own() |> self: Dense(8)\n}")
    assert keys(model) == ["a.weight", "a.bias", "weight", "bias"]


def test_a_stage_labelled_self_does_not_hide_a_parameter_of_the_block(codes):
    assert codes(HEAD + "param weight: f32[8] = ones()\ny = (x |> self: Dense(8, bias = false)) * weight\n}") == [
        "DL1011"
    ]


def test_a_use_of_a_layer_handed_in_may_give_it_further_hyper_parameters(elaborate):
    block = "block Two(inner: layer) {\n input x: f32[B, 8]\n output y: f32[B, 8]\n"
    block += "y = x |> a: inner |> b: inner(bias = false)\n}\n"
    model = elaborate("dim B\n" + block + HEAD.removeprefix("dim B\n") + "y = x |> two: Two(Dense(8))\n}")
    assert keys(model) == ["two.a.weight", "two.a.bias", "two.b.weight"]


def test_a_hyper_parameter_given_at_a_use_is_checked_against_its_kind(codes):
    block = "block One(inner: layer) {\n input x: f32[B, 8]\n output y: f32[B, 8]\n y = x |> inner(bias = 3)\n}\n"
    assert codes("dim B\n" + block + HEAD.removeprefix("dim B\n") + "y = x |> one: One(Dense(8))\n}") == ["DL2004"]


def test_a_hyper_parameter_with_the_default_none_may_be_none(elaborate, codes):
    block = (
        "block Cut(at: int = none) {\n input x: f32[B, 8]\n output y: f32[B, 8] = if at == none then x else x * at\n}\n"
    )
    head = "dim B\n" + block + HEAD.removeprefix("dim B\n")
    assert [v.op for v in elaborate(head + "y = Cut()(x) + Cut(none)(x)\n}").body.values if v.inputs] == ["add"]
    assert [v.op for v in elaborate(head + "y = Cut(at = 3)(x)\n}").body.values if v.inputs] == ["mul"]
    assert codes(head + 'y = Cut("3")(x)\n}') == ["DL2004"]


def test_an_output_may_depend_on_a_hyper_parameter_of_a_block(elaborate):
    block = "block Sum(all: bool) {\n input x: f32[B, 8]\n"
    block += "if all {\n output y: f32[] = sum(x)\n} else {\n output y: f32[B] = sum(x, axis = 1)\n}\n}\n"
    model = elaborate(
        "dim B\n" + block + HEAD.removeprefix("dim B\n") + "y = x + Sum(true)(x) + mean(Sum(false)(x))\n}"
    )
    assert [value.type.rank for value in model.body.values if value.op == "sum"] == [0, 1]


def test_a_key_can_differ_from_the_name(elaborate):
    assert keys(elaborate(HEAD + "param b: f32[8] = 0 as bias\ny = x + b\n}")) == ["bias"]


def test_keys_do_not_depend_on_the_order_or_number_of_layers(elaborate):
    short = elaborate(HEAD + "h = x |> a: Dense(8)\ny = h |> b: Dense(8)\n}")
    longer = elaborate(
        HEAD + "g = x |> c: Dense(8) |> tanh |> d: Dense(8)\nh = g |> a: Dense(8)\ny = h |> b: Dense(8)\n}"
    )
    assert set(keys(short)) < set(keys(longer))
    assert {key: longer.body.params[key] for key in keys(short) if key == "x"} == {}
    assert all(longer.body.params[key].init == short.body.params[key].init for key in keys(short))


def test_a_named_layer_used_twice_shares_its_parameters(elaborate):
    model = elaborate(HEAD + "layer f = Dense(8)\ny = f(f(x))\n}")
    assert keys(model) == ["f.weight", "f.bias"]
    assert sum(value.op == "matmul" for value in model.body.values) == 2


def test_the_turns_of_a_repeat_have_their_own_layers_and_a_shared_block_shares_them(elaborate):
    block = "block Deep() {\n input x: f32[B, 8]\n output y: f32[B, 8]\n"
    block += "y = x |> h: repeat(2) { fc: Dense(8) |> relu }\n}\n"
    model = elaborate("dim B\n" + block + HEAD.removeprefix("dim B\n") + "layer d = Deep()\ny = d(d(x))\n}")
    assert keys(model) == ["d.h.0.fc.weight", "d.h.0.fc.bias", "d.h.1.fc.weight", "d.h.1.fc.bias"]


def test_a_layer_used_twice_draws_twice(elaborate):
    model = elaborate(HEAD + "layer d = Dropout(0.5)\ny = d(d(x)) |> Dropout(0.5) |> Dropout(0.5)\n}", training=True)
    streams = [value.attrs["stream"] for value in model.body.values if value.op == "random_bernoulli"]
    assert len(streams) == len(set(streams)) == 4


def test_streams_do_not_move_when_other_lines_are_added(elaborate):
    before = elaborate(HEAD + "h = x |> Dropout(0.5)\ny = h\n}", training=True)
    after = elaborate(HEAD + "g = x |> Dropout(0.1) |> fc: Dense(8)\nh = g |> Dropout(0.5)\ny = h\n}", training=True)

    def streams(model):
        return {v.attrs["stream"] for v in model.body.values if v.op == "random_bernoulli"}

    assert streams(before) < streams(after)


def test_both_modes_have_equal_parameters_in_equal_order(elaborate):
    text = HEAD + "if training {\n y = x |> Dropout(0.5) |> a: Dense(8)\n} else {\n y = x |> b: Dense(8)\n}\n}"
    training, inference = elaborate(text, training=True), elaborate(text)
    assert keys(training) == keys(inference) == ["a.weight", "a.bias", "b.weight", "b.bias"]
    assert any(value.op == "random_bernoulli" for value in training.body.values)
    assert not any(value.op == "random_bernoulli" for value in inference.body.values)
    assert sum(value.op == "matmul" for value in inference.body.values) == 1


def test_the_branch_not_taken_makes_neither_parameters_nor_errors(elaborate):
    text = HEAD.replace("M {", "M(deep: bool = false) {") + "y = if deep then (x |> a: Dense(9)) else x\n}"
    assert keys(elaborate(text)) == []


def test_dropout_of_zero_draws_nothing(elaborate):
    model = elaborate(HEAD + "y = x |> Dropout(0)\n}", training=True)
    assert not any(value.op == "random_bernoulli" for value in model.body.values)


def test_dropout_scales_what_it_keeps(elaborate):
    model = elaborate(HEAD + "y = x |> Dropout(0.2)\n}", training=True)
    (draw,) = [value for value in model.body.values if value.op == "random_bernoulli"]
    assert (draw.attrs["p"], draw.attrs["value"]) == (0.8, 1.25)


def test_a_dense_layer_starts_as_pytorchs_linear(elaborate):
    model = elaborate(HEAD + "y = x |> fc: Dense(8)\n}")
    weight, bias = model.body.params.values()
    assert (weight.init.name, weight.init.options["a"]) == ("kaiming_uniform", 5**0.5)
    assert (bias.init.name, dict(bias.init.options)) == ("uniform_fan_in", {"fan_in": 8})


def test_a_dense_layer_without_bias_has_a_weight_alone(elaborate):
    assert keys(elaborate(HEAD + "y = x |> fc: Dense(8, bias = false)\n}")) == ["fc.weight"]


BLOCKS = """
block Inner(n: int, act: fn = relu) {
  dim D
  input  x: f32[..., D]
  output y: f32[..., n]
  y = x |> conv: Dense(n, bias = false) |> act
}
block Outer(n: int) {
  dim D
  input  x: f32[..., D]
  output y: f32[..., n]
  y = x |> a: Inner(n, act = leaky_relu(0.1)) |> b: Inner(n)
}
"""


def test_keys_of_blocks_are_paths_of_labels(elaborate):
    model = elaborate(BLOCKS + HEAD + "y = x |> stem: Outer(8)\n}")
    assert keys(model) == ["stem.a.conv.weight", "stem.b.conv.weight"]
    assert [value.op for value in model.body.values if "relu" in value.op] == ["leaky_relu", "relu"]


def test_a_repetition_counts_its_turns(elaborate):
    model = elaborate(
        BLOCKS
        + HEAD
        + "y = x |> stage: repeat(2) as i { down: Inner(8 * (i + 1)) |> Inner(8) }\n}".replace(
            "|> Inner", "|> same: Inner"
        )
    )
    assert keys(model) == [
        "stage.0.down.conv.weight", "stage.0.same.conv.weight", "stage.1.down.conv.weight", "stage.1.same.conv.weight"
    ]  # fmt: skip
    assert str(model.body.params["stage.1.down.conv.weight"].type) == "f32[8, 16]"


def test_a_lone_stage_of_a_repetition_needs_no_label(elaborate):
    model = elaborate(HEAD + "y = x |> stack: repeat(2) { Dense(8) |> relu }\n}")
    assert keys(model) == ["stack.0.weight", "stack.0.bias", "stack.1.weight", "stack.1.bias"]


def test_values_parameters_and_inner_values_can_be_read(elaborate):
    model = elaborate(BLOCKS + HEAD + "layer o = Outer(8)\nh = o(x)\ny = h * 2\n}")
    assert {"x", "h", "y", "o.a.conv.weight", "o.a.y"} <= set(model.readable)
    assert model.readable["h"] in model.body.values
    assert model.readable["o.y"] is model.readable["h"]


def test_layers_are_listed_from_the_outside_in(elaborate):
    model = elaborate(BLOCKS + HEAD + "y = x |> stem: Inner(8) |> Dropout(0.1) |> fc: Dense(8)\n}")
    assert [(layer.path, layer.kind) for layer in model.body.layers] == [
        ("", "M()"), ("stem", "Inner(8)"), ("stem.conv", "Dense(8, bias = false)"),
        ("y.Dropout", "Dropout(0.1)"), ("fc", "Dense(8)"),
    ]  # fmt: skip
    assert model.body.layers[-1].params == ("fc.weight", "fc.bias")
    assert sum(count(spec.type.shape) for spec in model.body.params.values()) == 64 + 64 + 8


def test_every_operand_is_computed_before_it_is_used(elaborate):
    text = HEAD + "if training {\n y = x |> Dropout(0.5) |> a: Dense(8)\n} else {\n y = x |> b: Dense(8)\n}\n}"
    for training in (True, False):
        seen = set()
        for value in elaborate(text, training=training).body.values:
            assert all(id(operand) in seen for operand in value.inputs)
            seen.add(id(value))
