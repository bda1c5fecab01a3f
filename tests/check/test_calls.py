"""Calls of functions as a program may write them."""

from __future__ import annotations

import pytest

from dslc.check import check_source
from dslc.diagnostics import Sink
from dslc.source import Source

MODEL = """dim B
model M {{
  input  x: f32[B, 3, 4]
  output y: f32[{shape}]
  y = {expr}
}}
"""


def check(expr: str, shape: str) -> Sink:
    return check_source(Source("m.dl", MODEL.format(expr=expr, shape=shape)))[1]


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min"])
def test_a_reduction_takes_its_axes_by_either_name(name: str) -> None:
    for option, shape in (("axis = 1", "B, 4"), ("axes = 1", "B, 4"), ("axis = [1, 2]", "B"), ("axes = [1, -1]", "B")):
        found = check(f"{name}(x, {option})", shape)
        assert not list(found), (option, list(found))


def test_an_axis_given_under_both_names_is_given_twice() -> None:
    assert [d.code for d in check("sum(x, axes = 1, axis = 2)", "B, 4")] == ["DL1014"]


@pytest.mark.parametrize("expr", ["maximum(x, 0)", "minimum(x, 0.5)", "maximum(x, -x)", "x |> maximum(0)"])
def test_elementwise_extremes_are_functions(expr: str) -> None:
    assert not list(check(expr, "B, 3, 4"))


@pytest.mark.parametrize("expr", ["max(x, 0)", "min(x, x)", "x |> max(1)"])
def test_a_reduction_is_never_taken_for_a_comparison(expr: str) -> None:
    assert [d.code for d in check(expr, "B, 3, 4")] == ["DL2060"]
