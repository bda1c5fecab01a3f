"""Arithmetic of Python floats with NumPy's float64 results: no exception where IEEE 754 has an infinity or a NaN."""

from __future__ import annotations

import math
from math import copysign, inf, isnan, nan, sqrt


def divide(a: float, b: float) -> float:
    """`a / b`; a division by zero is an infinity, or NaN for 0 / 0."""
    if b:
        return a / b
    return nan if not a or isnan(a) else copysign(inf, a) * copysign(1.0, b)


def power(a: float, b: float) -> float:
    """`a ** b`; NaN for a negative number to a fraction, infinite where it overflows."""
    try:
        return math.pow(a, b)
    except OverflowError:
        return -inf if a < 0 and b % 2 == 1 else inf
    except ValueError:
        if a != 0:
            return nan
        return copysign(inf, a) if b % 2 == 1 else inf


def root(a: float) -> float:
    """The square root; NaN of a negative number."""
    return sqrt(a) if a >= 0 else nan
