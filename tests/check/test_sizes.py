"""Sizes in programs: what is equal, what differs, and what only a batch can tell."""

from __future__ import annotations

import pytest

HEAD = "dim B, H, W\nmodel M {\n input x: f32[B, H, 4]\n"


@pytest.mark.parametrize(
    ("declared", "written"),
    [
        ("ceil_div(H, 2)", "x[:, ::2]"),
        ("floor_div(H + 1, 2)", "x[:, ::2]"),
        ("floor_div(H - 1, 2) + 1", "x[:, ::2]"),
        ("floor_div(H + 3, 4)", "x[:, ::2][:, ::2]"),
        ("H - 3", "x[:, 1:-2]"),
        ("2 * (H - 1) + 2", "concat(x, x, axis = 1)"),
        ("H", "x[:, :floor_div(2 * H + 1, 2)]"),
        ("H - floor_div(H, 2)", "x[:, floor_div(H, 2):]"),
    ],
)
def test_equal_sizes_have_one_form_however_they_are_written(codes, declared, written):
    assert codes(HEAD + f" output y: f32[B, {declared}, 4]\n y = {written}\n}}") == []


@pytest.mark.parametrize(
    ("declared", "written"),
    [
        ("H / 2", "x[:, ::2]"),
        ("H / 2", "x[:, :floor_div(H, 2)]"),
        ("floor_div(H, 2)", "x[:, ::2]"),
        ("H / 2 + floor_div(H, 3)", "concat(x[:, ::2], x[:, ::3], axis = 1)"),
    ],
)
def test_what_only_a_batch_can_tell_is_a_warning(codes, declared, written):
    assert codes(HEAD + f" output y: f32[B, {declared}, 4]\n y = {written}\n}}") == ["DL2085"]


@pytest.mark.parametrize(
    ("declared", "written"),
    [
        ("W", "x"),
        ("H - 1", "x"),
        ("W / 2", "x[:, ::2]"),
        ("floor_div(H, 2)", "x"),
        ("H", "x[:, ::2]"),
        ("floor_div(H, 3)", "x[:, :floor_div(H, 4)]"),
        ("7", "x[:, ::2]"),
        ("floor_div(H, 2) + 1", "x[:, :floor_div(H, 2)]"),
    ],
)
def test_sizes_that_are_never_equal_or_of_other_symbols_are_an_error(codes, declared, written):
    assert codes(HEAD + f" output y: f32[B, {declared}, 4]\n y = {written}\n}}") == ["DL2005"]


def test_an_operand_gets_the_sizes_of_the_other_where_a_batch_tells_whether_they_are_equal(codes, elaborate):
    text = HEAD + " output y: f32[B, ceil_div(H, 2), 4]\n y = x[:, ::2] + x[:, :floor_div(H, 2)]\n}"
    assert codes(text) == ["DL2085"]
    model = elaborate(text)
    assert str(model.outputs["y"].type) == "f32[B, floor_div(H + 1, 2), 4]"


def test_sizes_that_only_a_batch_can_tell_hide_no_other_mistake_of_the_operator(codes):
    text = "dim B\nmodel M {\n input n: i64[floor_div(B, 2)]\n input m: i64[floor_div(B, 3)]\n output y: i64[B]\n y = n / m\n}"
    assert codes(text) == ["DL2106"]
