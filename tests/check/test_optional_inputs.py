"""Inputs that a call may leave out: what they are then, how they are given, which sizes they bind."""

from __future__ import annotations

import pytest

BLOCK = """dim B, T
block Pool() {
 dim T, S, D
 input x: float[B, T, D]
 input weights: float[B, T] = none
 input memory: float[B, S, D] = none
 output y: float[B, D]
 scaled = if weights == none then x else x * weights[:, :, none]
 if memory != none { more = sum(memory, axis = 1) / S } else { more = 0 }
 y = sum(scaled, axis = 1) + more
}
model M {
 input x: f32[B, T, 8]
 input w: f32[B, T]
 output y: f32[B, 8]
 layer pool = Pool()
"""


def operators(model) -> list[str]:
    return [value.op for value in model.body.values if value.inputs]


@pytest.mark.parametrize(
    ("call", "made"),
    [
        ("pool(x)", ["sum", "add"]),
        ("x |> pool", ["sum", "add"]),
        ("x |> Pool()", ["sum", "add"]),
        ("pool(x, none, none)", ["sum", "add"]),
        ("pool(x, weights = none)", ["sum", "add"]),
        ("pool(x, w)", ["expand_dims", "mul", "sum", "add"]),
        ("pool(weights = w, x = x)", ["expand_dims", "mul", "sum", "add"]),
        ("x |> pool(weights = w)", ["expand_dims", "mul", "sum", "add"]),
        ("x |> pool(w)", ["expand_dims", "mul", "sum", "add"]),
        ("x |> pool(memory = x)", ["sum", "div", "sum", "add"]),
    ],
)
def test_what_stands_for_an_input_is_chosen_by_whether_the_call_gives_it(elaborate, call: str, made: list[str]):
    unused = " _w = w * 1\n" if "w" not in call.replace("weights", "") else ""
    model = elaborate(BLOCK + unused + f" y = {call}\n}}")
    assert operators(model)[bool(unused) :] == made


def test_a_block_hands_on_an_input_that_it_did_not_get(elaborate):
    outer = "block Outer() {\n dim T, D\n input x: float[B, T, D]\n input weights: float[B, T] = none\n"
    outer += " output y: float[B, D]\n layer pool = Pool()\n y = x |> pool(weights = weights)\n}\n"
    model = elaborate(BLOCK.replace("model M", outer + "model M") + " layer o = Outer()\n y = o(x) + o(x, w)\n}")
    assert operators(model).count("mul") == 1


def test_each_call_decides_for_itself(elaborate):
    model = elaborate(BLOCK + " y = pool(x) + pool(x, w) + pool(x)\n}")
    assert operators(model).count("mul") == 1


def test_an_input_given_is_checked_like_any_other(codes):
    assert codes(BLOCK + " y = pool(x, w[:, 1:])\n}") == ["DL2011"]
    assert codes(BLOCK + " y = pool(x, memory = x[..., :4])\n}") == ["DL2011"]
    assert codes(BLOCK + " y = pool(x, 3) + mean(w)\n}") == ["DL2015"]


def test_an_input_without_a_default_is_not_left_out(codes):
    assert codes(BLOCK + " y = pool(weights = w) + mean(x)\n}") == ["DL1013"]


def test_a_size_of_an_input_left_out_is_not_known(codes):
    block = BLOCK.replace("sum(scaled, axis = 1) + more", "(sum(scaled, axis = 1) + more) * S")
    assert codes(block + " y = pool(x) + mean(w)\n}") == ["DL2152"]
    assert codes(block + " y = pool(x, memory = x) + mean(w)\n}") == []


def test_the_default_is_checked_in_blocks_that_nothing_uses(codes):
    block = "dim B\nblock F {\n input x: f32[B]\n input s: f32[B] = 0\n output y: f32[B] = x * s\n}\n"
    assert codes(block) == ["DL2150"]
