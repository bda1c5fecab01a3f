"""Compile-time arithmetic: exact where it can be, refused where it has no value."""

from __future__ import annotations

import pytest

from dslc.check import constants
from dslc.tensor_type import Size, symbol

T = symbol("T")


@pytest.mark.parametrize(
    ("op", "a", "b", "result"),
    [
        ("+", 1, 2, 3),
        ("/", 6, 3, 2),
        ("*", constants.fold("/", 1, 3), 3, 1),
        ("+", constants.fold("/", 1, 3), constants.fold("/", 2, 3), 1),
        ("/", 1, 0.5, 2.0),
        ("%", -7, 3, 2),
        ("%", T, 1, 0),
        ("**", 2, 10, 1024),
        ("**", 2, -1, constants.fold("/", 1, 2)),
        ("-", T, T, 0),
        ("/", 4 * T, 2, 2 * T),
        ("/", T * T, T, T),
        ("==", T + 1, 1 + T, True),
        ("<", T, T + 1, True),
        ("==", 1, True, False),
        ("==", "a", "a", True),
        ("and", True, False, False),
    ],
)
def test_arithmetic_is_exact(op, a, b, result):
    value = constants.fold(op, a, b)
    assert value == result
    assert isinstance(value, bool) == isinstance(result, bool)


@pytest.mark.parametrize(
    ("op", "a", "b"),
    [
        ("/", 1, 0),
        ("%", 1.5, 0),
        ("**", 0, -1),
        ("**", 9, 9**9),
        ("**", -8.0, 0.5),
        ("*", 1e308, 1e308),
        ("+", "a", 1),
        ("and", 1, True),
        ("<", T, 5),
        ("@", 1, 2),
    ],
)
def test_what_has_no_value_is_refused(op, a, b):
    with pytest.raises(constants.FoldError):
        constants.fold(op, a, b)


def test_what_depends_on_run_time_sizes_is_left_to_tensors():
    with pytest.raises(constants.NotConstantError):
        constants.call("sqrt", [T])
    with pytest.raises(constants.NotConstantError):
        constants.fold("*", 0.5, T)


@pytest.mark.parametrize(
    ("name", "args", "result"),
    [
        ("floor_div", [7, 2], 3),
        ("floor_div", [-7, 2], -4),
        ("ceil_div", [7, 2], 4),
        ("floor", [constants.fold("/", -7, 2)], -4),
        ("ceil", [2.1], 3),
        ("sqrt", [16], 4.0),
        ("max", [3, constants.fold("/", 7, 2)], Size((((), 7),), 2)),
        ("abs", [-3], 3),
    ],
)
def test_functions_of_numbers(name, args, result):
    assert constants.call(name, args) == result


def test_a_long_sum_is_one_expression(elaborate):
    terms = " + ".join(["x"] * 190)
    model = elaborate(f"dim B\nmodel M {{ input x: f32[B]\n output y: f32[B]\n y = {terms} }}")
    assert sum(value.op == "add" for value in model.body.values) == 189
