"""Cells and the `scan` that runs them, as the checker types them."""

from __future__ import annotations

import pytest

from dslc.check.typed import TypedModel, TypedValue
from dslc.tensor_type import symbol

HEAD = "dim B, T\n"
SUM = """
cell Sum(units: int) {
  input  x: float[B, units]
  output y: float[B, units]
  state  h: float[B, units] = zeros()
  param  w: float[units] = ones()
  y = h + x * w
  next h = y
}
"""
MODEL = "model M {\n input x: f32[B, T, 8]\n output y: f32[B, T, 8]\n"


def scans(model: TypedModel) -> list[TypedValue]:
    return [value for value in model.body.values if value.cell is not None]


def cell_of(value: TypedValue):
    assert value.cell is not None
    return value.cell


def test_a_scan_takes_initial_states_then_sequences_with_time_first(elaborate):
    (run,) = scans(elaborate(HEAD + SUM + MODEL + "y = x |> s: scan(Sum(8))\n}"))
    initial, sequence = run.inputs
    assert initial.type.shape == (symbol("B"), 8)
    assert (sequence.op, sequence.type.shape) == ("transpose", (symbol("T"), symbol("B"), 8))
    cell = cell_of(run)
    assert (cell.states, cell.sequences, cell.reverse) == (("h",), ("x",), False)
    assert [value.type for value in (*cell.next, *cell.outputs)] == [initial.type] * 2


def test_scan_adds_nothing_to_the_path_of_a_parameter(elaborate):
    model = elaborate(HEAD + SUM + MODEL + "h = x |> s: scan(Sum(8))\ny = h |> scan(Sum(8), reverse = true)\n}")
    assert list(model.body.params) == ["s.w", "y.w"]
    assert [cell_of(run).reverse for run in scans(model)] == [False, True]


def test_the_body_of_a_cell_has_the_parameters_that_it_reads(elaborate):
    model = elaborate(HEAD + SUM + MODEL + "y = x |> fc: Dense(8) |> s: scan(Sum(8))\n}")
    (run,) = scans(model)
    assert list(cell_of(run).body.params) == ["s.w"]
    assert [value.attrs["key"] for value in cell_of(run).body.values if value.op == "param"] == ["s.w"]


def test_an_output_keeps_time_on_the_axis_of_the_sequence(elaborate):
    text = HEAD + SUM + "model M {\n input x: f32[T, B, 8]\n output y: f32[T, B, 8]\n"
    (run,) = scans(elaborate(text + "y = x |> s: scan(Sum(8), axis = 0)\n}"))
    assert run.inputs[1].op == "input"
    negative = elaborate(HEAD + SUM + MODEL + "y = x |> s: scan(Sum(8), axis = -2)\n}")
    assert scans(negative)[0].inputs[1].type.shape == (symbol("T"), symbol("B"), 8)


def test_a_scan_returns_outputs_then_states_where_that_is_asked_for(elaborate):
    text = HEAD + SUM + MODEL + "a, h = x |> s: scan(Sum(8), return_state = true)\n"
    model = elaborate(text + "y = a + reshape(h, [B, 1, 8])\n}")
    assert model.readable["h"].type.shape == (symbol("B"), 8)


def test_the_last_state_and_the_outputs_can_be_read_by_name(elaborate):
    text = HEAD + SUM + MODEL + "layer s = scan(Sum(8))\na = s(x)\n"
    model = elaborate(text + "y = s.y + a + reshape(s.h * s.w, [B, 1, 8])\n}")
    (run,) = scans(model)
    assert model.readable["s.h"].inputs == (run,)
    assert model.readable["s.h"].attrs["index"] == 0


def test_a_scan_used_twice_shares_its_parameters(elaborate):
    model = elaborate(HEAD + SUM + MODEL + "layer s = scan(Sum(8))\ny = s(s(x))\n}")
    assert list(model.body.params) == ["s.w"]
    assert len(scans(model)) == 2


def test_a_use_of_a_scan_may_give_it_its_options(elaborate):
    inputs = MODEL.replace("output y", "input n: i64[B]\n output y")
    uses = "run(x, lengths = n) + (x |> run(reverse = true)) + z + mean(h)"
    text = HEAD + SUM + inputs + f"layer run = scan(Sum(8))\nz, h = run(x, return_state = true)\ny = {uses}\n}}"
    runs = [cell_of(value) for value in scans(elaborate(text))]
    assert [(cell.reverse, len(cell.sequences)) for cell in runs] == [(False, 1), (False, 2), (True, 1)]


def test_lengths_that_are_none_are_left_out(elaborate):
    block = "block Both(inner: layer) {\n dim T\n input x: f32[B, T, 8]\n input n: int[B] = none\n"
    block += " output y: f32[B, T, 8]\n y = x |> inner(lengths = n)\n}\n"
    (run,) = scans(elaborate(HEAD + SUM + block + MODEL + "y = x |> both: Both(scan(Sum(8)))\n}"))
    assert cell_of(run).sequences == ("x",)


def test_a_cell_with_a_name_shares_its_parameters_between_its_scans(elaborate):
    body = "layer one = Sum(8)\na = x |> scan(one)\ny = scan(one, reverse = true)(a) + one.y + one.w\n}"
    model = elaborate(HEAD + SUM + MODEL + body)
    assert list(model.body.params) == ["one.w"]
    assert [cell_of(run).reverse for run in scans(model)] == [False, True]


def test_an_initial_state_can_be_given_and_learned(elaborate):
    learned = SUM.replace("= zeros()\n", "= h0\n").replace("  state", "  param h0: float[units] = zeros()\n  state")
    model = elaborate(HEAD + learned + MODEL + "y = x |> s: scan(Sum(8))\n}")
    (run,) = scans(model)
    assert run.inputs[0].op == "expand"
    assert run.inputs[0].inputs[0].attrs["key"] == "s.h0"
    given = elaborate(HEAD + SUM + MODEL + "y = x |> s: scan(Sum(8), init = { h: x[:, 0] })\n}")
    assert scans(given)[0].inputs[0].inputs[0].inputs == (given.readable["x"],)


@pytest.mark.parametrize("first", ["zeros()", "ones()", "full(0.5)", "2", "0.5", "zeros([8])"])
def test_a_number_fills_an_initial_state(elaborate, first):
    model = elaborate(HEAD + SUM.replace("zeros()", first) + MODEL + "y = x |> s: scan(Sum(8))\n}")
    assert scans(model)[0].inputs[0].type.shape == (symbol("B"), 8)


def test_the_sizes_of_a_cell_are_those_of_its_sequence(elaborate):
    text = HEAD + SUM + "model M {\n input x: f64[4, 10, 8]\n output y: f64[4, 10, 8]\n"
    (run,) = scans(elaborate(text + "y = x |> s: scan(Sum(8))\n}"))
    assert str(cell_of(run).outputs[0].type) == "f64[4, 8]"


def test_randomness_in_a_cell_has_a_stream_of_its_own_in_each_use(elaborate):
    cell = SUM.replace("y = h + x * w", "y = h + (x * w |> Dropout(0.5))")
    text = HEAD + cell + MODEL + "layer s = scan(Sum(8))\nh = s(s(x))\ny = h |> t: scan(Sum(8))\n}"
    bodies = [cell_of(run).body for run in scans(elaborate(text, training=True))]
    streams = [v.attrs["stream"] for body in bodies for v in body.values if v.op == "random_bernoulli"]
    assert len(streams) == len(set(streams)) == 3


def test_a_cell_can_be_handed_to_a_block_and_run_both_ways(elaborate):
    block = """
block Both(inner: cell) {
  dim D
  input  x: f32[B, T, D]
  output y: f32[B, T, 2 * D]
  a = x |> forward: scan(inner)
  b = x |> backward: scan(inner, reverse = true)
  y = concat(a, b, axis = -1)
}
"""
    text = HEAD + SUM + block + "model M {\n input x: f32[B, T, 8]\n output y: f32[B, T, 16]\n"
    model = elaborate(text + "y = x |> both: Both(Sum(8))\n}")
    assert list(model.body.params) == ["both.forward.w", "both.backward.w"]


def test_a_scan_is_a_layer_and_a_cell_is_not(codes):
    block = "block On(inner: layer) {\n input x: f32[B, T, 8]\n output y: f32[B, T, 8]\n y = x |> inner\n}\n"
    text = HEAD + SUM + block + MODEL
    assert codes(text + "y = x |> on: On(scan(Sum(8)))\n}") == []
    assert codes(text + "y = x |> on: On(Sum(8))\n}") == ["DL2004"]


def test_a_cell_may_run_another_one_in_each_step(elaborate):
    outer = """
cell Lines() {
  input  line: f32[B, T, 8]
  output y: f32[B, 8]
  state  seen: f32[B, 8] = zeros()
  y = seen + (line |> inner: scan(Sum(8)))[:, -1]
  next seen = y
}
"""
    text = "dim B, T, N\n" + SUM + outer + "model M {\n input x: f32[B, N, T, 8]\n output y: f32[B, N, 8]\n"
    model = elaborate(text + "y = x |> page: scan(Lines())\n}")
    (run,) = scans(model)
    (inner,) = [value for value in cell_of(run).body.values if value.cell is not None]
    assert inner.inputs[1].type.shape == (symbol("T"), symbol("B"), 8)
    assert list(model.body.params) == ["page.inner.w"]
    assert [value.attrs["key"] for value in model.body.values if value.op == "param"] == ["page.inner.w"]


def test_both_modes_of_a_cell_have_equal_parameters(elaborate):
    cell = SUM.replace("y = h + x * w", "y = h + (if training then x * w else (x |> fc: Dense(units)))")
    text = HEAD + cell + MODEL + "y = x |> s: scan(Sum(8))\n}"
    assert list(elaborate(text, training=True).body.params) == list(elaborate(text).body.params)


def test_a_next_may_depend_on_a_condition_known_at_compile_time(elaborate, codes):
    body = "if units > 4 {\n next h = y\n} else {\n next h = x\n}"
    text = HEAD + SUM.replace("next h = y", body) + MODEL + "y = x |> s: scan(Sum(8))\n}"
    (run,) = scans(elaborate(text))
    assert cell_of(run).next == cell_of(run).outputs
    assert codes(text.replace(" next h = x\n", "")) == []
    assert codes(text.replace(" next h = y\n", "")) == ["DL1053"]
