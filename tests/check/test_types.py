"""Types and sizes of good programs."""

from __future__ import annotations

import pytest

from dslc.tensor_type import DType


def body(statements: str, inputs: str = "input x: f32[B, T, 8]", pre: str = "", head: str = "M") -> str:
    return (
        f"dim B, T\n{pre}\nmodel {head} {{\n{inputs}\noutput y: f32[B]\n{statements}\ny = mean(x, axes = [1, 2])\n}}\n"
    )


@pytest.mark.parametrize(
    ("expression", "type"),
    [
        ("x + 1", "f32[B, T, 8]"),
        ("1 / x", "f32[B, T, 8]"),
        ("x[:, -1]", "f32[B, 8]"),
        ("x[:, 1:]", "f32[B, T - 1, 8]"),
        ("x[:, :, ::2]", "f32[B, T, 4]"),
        ("x[..., 0]", "f32[B, T]"),
        ("x[:, none, 0, 1:3]", "f32[B, 1, 2]"),
        ("x[0] @ transpose(x[0])", "f32[T, T]"),
        ("x @ ones([8, 3])", "f32[B, T, 3]"),
        ("x == 0", "bool[B, T, 8]"),
        ("not (x > 0)", "bool[B, T, 8]"),
        ("cast(x, i64) % 2", "i64[B, T, 8]"),
        ("x / T", "f32[B, T, 8]"),
        ("x * sqrt(T)", "f32[B, T, 8]"),
        ("x * (1 / 3)", "f32[B, T, 8]"),
        ("x + [1, 2, 3, 4, 5, 6, 7, 8]", "f32[B, T, 8]"),
        ("reshape(x, [B, T * 8])", "f32[B, 8 * T]"),
        ("flatten(x)", "f32[B, 8 * T]"),
        ("split(x, 2)[1]", "f32[B, T, 4]"),
        ("concat(x, x, axis = 1)", "f32[B, 2 * T, 8]"),
        ("concat([x, x], axis = 1)", "f32[B, 2 * T, 8]"),
        ("where(x > 0, x, 0)", "f32[B, T, 8]"),
        ("if shape(x)[2] == 8 then x[0] else x", "f32[T, 8]"),
        ("if T == T then x[0] else x", "f32[T, 8]"),
        ("zeros([2, T])", "f32[2, T]"),
        ("x |> leaky_relu(0.2) |> mean(axes = [0])", "f32[T, 8]"),
    ],
)
def test_an_expression_has_its_type(elaborate, expression, type):
    model = elaborate(body(f"_v = {expression}"))
    assert str(model.readable["_v"].type) == type


def test_literals_take_the_type_of_the_other_side(elaborate):
    model = elaborate(body("_v = n * 2 + 1", "input x: f32[B, T, 8]\ninput n: i64[B]"))
    constants = [value for value in model.body.values if value.op == "constant"]
    assert [value.attrs["value"] for value in constants] == [2, 1]
    assert {value.type.dtype for value in constants} == {DType.I64}
    assert all(type(value.attrs["value"]) is int for value in constants)


def test_float_stands_for_one_type_throughout_a_call(elaborate):
    text = "dim B\nmodel M { input x: f64[B, 3]\n output y: f64[B, 2]\n y = x |> fc: Dense(2) }"
    model = elaborate(text)
    assert {str(spec.type) for spec in model.body.params.values()} == {"f64[3, 2]", "f64[2]"}


def test_leading_sizes_are_kept_by_a_dense_layer(elaborate):
    text = "dim B, T\nmodel M { input x: f32[B, T, 5, 3]\n output y: f32[B, T, 5, 2]\n y = x |> fc: Dense(2) }"
    assert str(elaborate(text).outputs["y"].type) == "f32[B, T, 5, 2]"


def test_dimensions_of_a_block_bind_afresh_at_each_call(elaborate):
    text = """
    dim B, T
    block Last { input x: f32[B, T, 8]
                 output y: f32[B, 8]
                 y = x[:, T - 1] }
    model M { input a: f32[B, 10, 8]
              input b: f32[4, 3, 8]
              output y: f32[B, 8]
              output z: f32[4, 8]
              y = a |> first: Last()
              z = b |> second: Last() }
    """
    model = elaborate(text)
    assert str(model.outputs["y"].type) == "f32[B, 8]"
    assert str(model.outputs["z"].type) == "f32[4, 8]"


def test_equal_polynomials_are_equal_sizes(elaborate):
    text = "dim B\nmodel M { input x: f32[2 * (B + 1), 3]\n output y: f32[2 * B + 2, 3]\n y = relu(x) }"
    assert str(elaborate(text).outputs["y"].type) == "f32[2 * B + 2, 3]"


def test_hyper_parameters_given_outside_replace_defaults(elaborate):
    head = "dim B\nmodel M(n: int = 4, p: float = 0.5) { input x: f32[B, 3]\n output y: f32[B, n]\n"
    text = head + "y = x |> Dropout(p) |> fc: Dense(n) }"
    model = elaborate(text, n=7)
    assert str(model.outputs["y"].type) == "f32[B, 7]"
    assert model.hypers == {"n": 7, "p": 0.5}


def test_sizes_remember_where_they_came_from(elaborate):
    text = "dim B\nmodel M(code: int = 4) { input x: f32[B, 3]\n output y: f32[B, code]\n y = relu(x |> fc: Dense(code)) * 2 }"
    value = elaborate(text).outputs["y"]
    assert [origin.text for origin in value.origins] == ["input `x`", "`code = 4`"]
