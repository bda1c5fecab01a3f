"""Arithmetic on compile-time scalars: exact on integers, fractions and symbolic sizes; floats as in Python.

Input: an operator or a function's name and scalars. Output: a scalar. Raises `FoldError` for what has no value and
`NotConstantError` for what is known at run time only, such as the square root of a run-time size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from dslc.check.values import Scalar, fraction, is_number, number_text
from dslc.tensor_type import Dim, Size, divide, floor_div

_MAX_BITS = 4096
_MAX_POWER = 64


Rule: TypeAlias = Callable[..., int | float | Size]


class FoldError(Exception):
    """A compile-time expression without a value: plain text and a code; the place is the caller's."""

    def __init__(self, message: str, code: str = "DL2019") -> None:
        super().__init__(message)
        self.code = code


class NotConstantError(Exception):
    """The value depends on run-time sizes in a way that only a tensor can hold."""


def fold(op: str, a: Scalar, b: Scalar) -> Scalar:
    """``a op b`` for an operator of the language."""
    if op in ("and", "or"):
        return _logical(op, a, b)
    if op in ("==", "!="):
        return _equal(a, b) == (op == "==")
    if op == "@":
        raise FoldError("`@` multiplies tensors, not numbers", "DL2015")
    x, y = _number(op, a), _number(op, b)
    try:
        result = _COMPARE[op](x, y) if op in _COMPARE else _ARITHMETIC[op](x, y)
    except OverflowError:
        raise FoldError(f"the result of `{op}` is too large") from None
    return _limited(result)


def negate(a: Scalar) -> Scalar:
    """``-a``."""
    return -_number("-", a)


def invert(a: Scalar) -> Scalar:
    """``not a``."""
    if not isinstance(a, bool):
        raise FoldError(f"`not` needs true or false, got {number_text(a)}", "DL2004")
    return not a


def truth(a: Scalar) -> bool:
    """The value of a condition."""
    if not isinstance(a, bool):
        raise FoldError(f"a condition is true or false, not {number_text(a)}", "DL2004")
    return a


def call(name: str, args: Sequence[Scalar]) -> Scalar:
    """A function of `FUNCTIONS` applied to scalars."""
    arity, function = FUNCTIONS[name]
    if len(args) != arity:
        raise FoldError(f"`{name}` takes {arity} number{'s' * (arity > 1)}, got {len(args)}", "DL1013")
    numbers = [_number(name, a) for a in args]
    try:
        return _limited(function(*numbers))
    except OverflowError:
        raise FoldError(f"the result of `{name}` is too large") from None
    except ValueError:
        given = ", ".join(number_text(a) for a in args)
        raise FoldError(f"`{name}({given})` has no value") from None


def _number(op: str, a: Scalar) -> int | float | Size:
    if isinstance(a, bool) or not isinstance(a, int | float | Size):
        raise FoldError(f"`{op}` needs numbers, got {number_text(a)}", "DL2004")
    return a


def _limited(value: int | float | Size) -> int | float | Size:
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        raise FoldError("the number is too large")
    if isinstance(value, float) and not math.isfinite(value):
        raise FoldError("the result is not a finite number")
    return value


def _real(a: int | float | Size) -> float:
    """A number as a float."""
    value = fraction(a) if isinstance(a, Size) else a
    if value is None:
        raise NotConstantError
    return float(value)


def _exact(a: int | float | Size, b: int | float | Size) -> bool:
    return not isinstance(a, float) and not isinstance(b, float)


def _arithmetic(
    exact: Callable[[Dim, Dim], Dim], real: Callable[[float, float], float]
) -> Callable[[int | float | Size, int | float | Size], int | float | Size]:
    def rule(a: int | float | Size, b: int | float | Size) -> int | float | Size:
        if isinstance(a, float) or isinstance(b, float):
            return real(_real(a), _real(b))
        return exact(a, b)

    return rule


def _divide(a: int | float | Size, b: int | float | Size) -> int | float | Size:
    if b == 0:
        raise FoldError("division by zero")
    if isinstance(a, float) or isinstance(b, float):
        return _real(a) / _real(b)
    if isinstance(a, int) and isinstance(b, int):
        return _ratio(a, b)
    if isinstance(b, Size) and not b.symbols():
        ((_, top),) = b.terms
        return _divide(a * b.den, top)
    quotient = divide(a, b)
    if quotient is None:
        raise NotConstantError
    return quotient


def _ratio(a: int, b: int) -> int | Size:
    if a % b == 0:
        return a // b
    common = math.gcd(a, b) * (-1 if b < 0 else 1)
    return Size((((), a // common),), b // common)


def _modulo(a: int | float | Size, b: int | float | Size) -> int | float | Size:
    if b == 0:
        raise FoldError("division by zero")
    if isinstance(a, float) or isinstance(b, float):
        return _real(a) % _real(b)
    return a - b * _floor_div(a, b)


def _floor_div(a: int | float | Size, b: int | float | Size) -> int | Size:
    if b == 0:
        raise FoldError("division by zero")
    quotient = _divide(a, b) if _known(a) and _known(b) else None
    if quotient is not None:
        return _floor(quotient)
    if isinstance(a, float) or isinstance(b, float):
        raise NotConstantError
    return floor_div(a, b)


def _ceil_div(a: int | float | Size, b: int | float | Size) -> int | Size:
    whole = isinstance(a, int) or (isinstance(a, Size) and a.den == 1)
    if whole and isinstance(b, int) and b > 0:
        return _floor_div(a + (b - 1), b)
    return -_floor_div(-a, b)


def _known(a: int | float | Size) -> bool:
    return not isinstance(a, Size) or not a.symbols()


def _floor(a: int | float | Size) -> int:
    if isinstance(a, Size):
        if a.symbols():
            raise NotConstantError
        ((_, top),) = a.terms
        return top // a.den
    return math.floor(a)


def _ceil(a: int | float | Size) -> int:
    return -_floor(-a)


def _of_real(function: Callable[[float], float]) -> Rule:
    def rule(a: int | float | Size) -> float:
        return function(_real(a))

    return rule


def _power(a: int | float | Size, b: int | float | Size) -> int | float | Size:
    if isinstance(b, int) and not isinstance(a, float):
        if abs(b) > _MAX_POWER and not (isinstance(a, int) and a.bit_length() * abs(b) <= _MAX_BITS):
            raise FoldError("the result of `**` is too large")
        if isinstance(a, int) and b >= 0:
            return a**b
        product: Dim = 1
        for _ in range(abs(b)):
            product = product * a
        return product if b >= 0 else _divide(1, product)
    x, y = _real(a), _real(b)
    if x == 0 and y < 0:
        raise FoldError("division by zero")
    if x < 0 and y != int(y):
        raise FoldError(f"`{x} ** {y}` has no real value")
    return x**y


def _logical(op: str, a: Scalar, b: Scalar) -> bool:
    for side in (a, b):
        if not isinstance(side, bool):
            raise FoldError(f"`{op}` needs true or false, got {number_text(side)}", "DL2004")
    return bool(a and b) if op == "and" else bool(a or b)


def _equal(a: Scalar, b: Scalar) -> bool:
    if is_number(a) and is_number(b):
        if isinstance(a, Size) and isinstance(b, float) and not a.symbols():
            return fraction(a) == b
        if isinstance(b, Size) and isinstance(a, float) and not b.symbols():
            return fraction(b) == a
        return a == b
    return type(a) is type(b) and a == b


def _sign(a: int | float | Size, b: int | float | Size) -> float:
    """A number with the sign of ``a - b``."""
    if _exact(a, b) and not isinstance(a, float) and not isinstance(b, float):
        rest = a - b
        value = fraction(rest) if isinstance(rest, Size) else rest
    else:
        value = _real(a) - _real(b)
    if value is None:
        raise FoldError(f"whether `{a}` or `{b}` is larger is known only at run time", "DL2014")
    return value


def _smaller(a: int | float | Size, b: int | float | Size) -> int | float | Size:
    return a if _sign(a, b) <= 0 else b


def _larger(a: int | float | Size, b: int | float | Size) -> int | float | Size:
    return a if _sign(a, b) >= 0 else b


def _magnitude(a: int | float | Size) -> int | float | Size:
    return a if _sign(a, 0) >= 0 else -a


_ARITHMETIC: Mapping[str, Callable[[int | float | Size, int | float | Size], int | float | Size]] = {
    "+": _arithmetic(lambda a, b: a + b, lambda a, b: a + b),
    "-": _arithmetic(lambda a, b: a - b, lambda a, b: a - b),
    "*": _arithmetic(lambda a, b: a * b, lambda a, b: a * b),
    "/": _divide,
    "%": _modulo,
    "**": _power,
}
_COMPARE: Mapping[str, Callable[[int | float | Size, int | float | Size], bool]] = {
    "<": lambda a, b: _sign(a, b) < 0,
    "<=": lambda a, b: _sign(a, b) <= 0,
    ">": lambda a, b: _sign(a, b) > 0,
    ">=": lambda a, b: _sign(a, b) >= 0,
}

#: Functions that take compile-time numbers: their number of arguments and what they compute.
FUNCTIONS: Mapping[str, tuple[int, Rule]] = {
    "floor_div": (2, _floor_div),
    "ceil_div": (2, _ceil_div),
    "sqrt": (1, _of_real(math.sqrt)),
    "exp": (1, _of_real(math.exp)),
    "log": (1, _of_real(math.log)),
    "floor": (1, _floor),
    "ceil": (1, _ceil),
    "abs": (1, _magnitude),
    "min": (2, _smaller),
    "max": (2, _larger),
}
