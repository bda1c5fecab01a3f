"""Sizes grow up to a limit, and end there with words instead of in a long wait."""

from __future__ import annotations

from functools import reduce
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dslc.tensor_type import MAX_BITS, MAX_DEGREE, MAX_TERMS, Dim, Size, SizeError, divide, evaluate, floor_div, symbol

B, C, D = symbol("B"), symbol("C"), symbol("D")


def _power(base: Dim, exponent: int) -> Dim:
    return reduce(lambda product, _: product * base, range(exponent), 1)


def test_a_power_of_a_sum_has_its_binomial_terms() -> None:
    power = _power(B + C + D, 8)
    assert isinstance(power, Size)
    assert len(power.terms) == comb(10, 2) <= MAX_TERMS
    assert dict(power.terms)[(("B", 3), ("C", 3), ("D", 2))] == 560  # 8! / (3! 3! 2!)


@pytest.mark.parametrize("size", [B, B * C - 2, divide(B * 3 + 2, 6), Size((((), 1),), 2)])
@pytest.mark.parametrize("factor", [0, 1, 2, 3, 4, 6, 12])
def test_a_size_times_a_number_is_a_sum_of_as_many(size: Dim, factor: int) -> None:
    total: Dim = 0
    for _ in range(factor):
        total = total + size
    assert (size * factor, factor * size, size * -factor) == (total, total, 0 - total)


def test_a_sum_of_too_many_terms_is_refused() -> None:
    with pytest.raises(SizeError, match="at most 50 terms"):
        _power(B + C + D, 9)


def test_a_product_of_too_many_sizes_is_refused() -> None:
    assert _power(B, MAX_DEGREE) != 0
    with pytest.raises(SizeError, match="at most 64 sizes"):
        _power(B, MAX_DEGREE + 1)


def test_numbers_that_are_too_large_are_refused_above_and_below_the_line() -> None:
    with pytest.raises(SizeError, match="too large"):
        B * 2**MAX_BITS
    with pytest.raises(SizeError, match="too large"):
        _power(Size((((), 1),), 3), MAX_BITS)


def test_a_floor_div_nested_too_far_is_refused() -> None:
    with pytest.raises(SizeError, match="nested"):
        reduce(lambda size, _: floor_div(size * size + size, 7), range(12), B)


def test_what_convolutions_make_of_a_size_is_far_from_the_limits() -> None:
    height, width = symbol("H"), symbol("W")
    for _ in range(6):
        height, width = floor_div(height + 1, 2) + 1, floor_div(width + 1, 2) + 1
    assert isinstance(B * height * width, Size)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(-9, 9), min_size=3, max_size=3),
    st.integers(-5, 5).filter(bool),
    st.integers(1, 5),
    st.integers(-7, 7),
)
def test_a_floor_div_is_the_floor_of_the_quotient_in_whatever_form(
    factors: list[int], first: int, second: int, more: int
) -> None:
    size = factors[0] * B * C + factors[1] * B + factors[2]
    once = floor_div(size, first)
    twice = floor_div(once + more, second)
    for b in range(1, 8):
        for c in (1, 2, 5):
            value = (factors[0] * b * c + factors[1] * b + factors[2]) // first
            assert evaluate(once, {"B": b, "C": c}) == value
            assert evaluate(twice, {"B": b, "C": c}) == (value + more) // second


def test_equal_roundings_have_one_form() -> None:
    assert floor_div(B + 3, 2) == floor_div(B + 1, 2) + 1
    assert floor_div(3 * B - 1, 3) == B - 1
    assert floor_div(floor_div(B, 2) + 1, 2) == floor_div(B + 2, 4)
    assert floor_div(-1 * B, 2) == floor_div(B, 2) - B
    assert floor_div(divide(B * C, 2) or 0, 3) == floor_div(B * C, 6)
