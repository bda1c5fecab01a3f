"""The comparisons of tests, against what they are defined to be."""

from __future__ import annotations

import numpy as np
import pytest

from dslc.driver.comparing import compare

NAN, INF = np.nan, np.inf


@pytest.mark.parametrize(
    ("left", "op", "right", "holds"),
    [
        ([1, 2], "==", [1, 2], True),
        ([1, 2], "==", [1, 3], False),
        ([NAN], "==", [NAN], False),
        ([1, 2], "!=", [1, 3], True),
        ([1, 2], "!=", [1, 2], False),
        ([1, 2], "<", [2, 3], True),
        ([1, 2], "<", [2, 2], False),
        ([1, 2], "<=", [2, 2], True),
        ([3, 2], ">", [2, 1], True),
        ([3, 2], ">=", [3, 3], False),
        ([NAN], "<", [1], False),
        ([INF], "~=", [INF], True),
        ([INF], "~=", [-INF], False),
        ([INF], "~=", [1], False),
        ([1], "~=", [INF], False),
        ([NAN], "~=", [NAN], False),
        ([1.0], "~=", [NAN], False),
        ([], "~=", [], True),
        ([1, 2], "==", [[1, 2]], False),
        ([1], "~=", [1, 1], False),
    ],
)
def test_comparisons_hold_for_every_element(left: list[float], op: str, right: list[float], holds: bool) -> None:
    assert (compare(np.array(left), op, np.array(right), 1e-5) == "") is holds


@pytest.mark.parametrize("right", [0.0, 1.0, -3.0, 1e6])
def test_closeness_is_relative_to_one_plus_the_right_side(right: float) -> None:
    reach = 1e-3 * (1 + abs(right))
    assert compare(np.array(right + 0.99 * reach), "~=", np.array(right), 1e-3) == ""
    assert compare(np.array(right + 1.01 * reach), "~=", np.array(right), 1e-3) != ""


def test_the_worst_element_is_named() -> None:
    text = compare(np.array([[1.0, 2.5], [3.1, 4.0]]), "~=", np.array([[1.0, 2.0], [3.0, 4.0]]), 1e-3)
    assert text.startswith("at [0, 1]: 2.5 is not 2 within 0.001")
    assert text.endswith("(2 of 4 elements)")


def test_both_shapes_are_named() -> None:
    text = compare(np.zeros((2, 3)), "==", np.zeros(3), 0)
    assert text == "the left side has shape [2, 3], the right side [3]"


@pytest.mark.parametrize("right", [NAN, INF])
def test_what_is_not_finite_is_the_worst(right: float) -> None:
    text = compare(np.array([1.0, 5.0, 1.0]), "~=", np.array([9.0, right, 1.0]), 1e-3)
    assert text.startswith(f"at [1]: 5 is not {right} within 0.001")
