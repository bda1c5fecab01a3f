"""Python's numbers give NumPy's float64 results, infinities and NaNs included."""

from __future__ import annotations

from itertools import product
from math import inf, nan

import numpy as np
import pytest

from dslc_runtime.scalars import divide, power, root

NUMBERS = [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 0.999, 1e300, -1e300, 1e-300, inf, -inf, nan]


def same(found: float, expected: float) -> bool:
    return (np.isnan(found) and np.isnan(expected)) or (found == expected and np.signbit(found) == np.signbit(expected))


# C99 has pow(-inf, 0.5) = inf; NumPy has NaN on some processors.
PAIRS = [(a, b) for a, b in product(NUMBERS, NUMBERS) if a != -inf or abs(b) not in (0.5, 0.999)]


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_division_and_powers_are_numpys(a: float, b: float) -> None:
    with np.errstate(all="ignore"):
        assert same(divide(a, b), np.float64(a) / np.float64(b))
        expected = np.power(np.float64(a), np.float64(b))
    assert same(power(a, b), expected) or power(a, b) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("a", NUMBERS)
def test_roots_are_numpys(a: float) -> None:
    with np.errstate(all="ignore"):
        assert same(root(a), np.sqrt(np.float64(a)))
