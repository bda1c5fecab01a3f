"""Element types, exact symbolic sizes, and tensor types.

A size is an `int` where it is known and a `Size` where it holds symbols. A `Size` is a polynomial with integer
coefficients over symbols and `floor_div`s of sizes, divided by one positive integer. It is kept in normal form, so two
sizes are equal exactly when their normal forms are: ``2 * (B + 1) == 2 * B + 2``.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from math import gcd
from typing import TypeAlias

from dslc.record import record

# Of a size: terms of the sum, factors of a product, names inside a `floor_div`, bits of a number.
MAX_TERMS, MAX_DEGREE, MAX_NAMES, MAX_BITS = 50, 64, 500, 4096


class SizeError(ArithmeticError):
    """A size became too long to work with. The message is for the user, lower case, without a final stop."""


class DType(Enum):
    """The element types of the language; the value is the name written in a program."""

    F16 = "f16"
    F32 = "f32"
    F64 = "f64"
    I8 = "i8"
    U8 = "u8"
    I32 = "i32"
    I64 = "i64"
    BOOL = "bool"

    __hash__ = object.__hash__  # each is equal to itself alone; that of `Enum` is worked out in Python

    def __repr__(self) -> str:
        return f"DType.{self.name}"

    @property
    def is_float(self) -> bool:
        return self.value[0] == "f"

    @property
    def is_integer(self) -> bool:
        return self.value[0] in "iu"

    @property
    def bytes(self) -> int:
        """Bytes of one element."""
        return 1 if self is DType.BOOL else int(self.value[1:]) // 8


@record
class FloorDiv:
    """``floor(numerator / denominator)`` that could not be worked out: an atom of a `Size`."""

    numerator: Dim
    denominator: Dim

    def __str__(self) -> str:
        return f"floor_div({self.numerator}, {self.denominator})"


Atom: TypeAlias = str | FloorDiv
Monomial: TypeAlias = tuple[tuple[Atom, int], ...]  # sorted (atom, power) pairs; () is the constant term
Dim: TypeAlias = "int | Size"


def _order(atom: Atom) -> str:
    return atom if isinstance(atom, str) else str(atom)


@record(keep_hash=True)
class Size:
    """A size that holds at least one symbol, in normal form. Make one with `symbol` and arithmetic."""

    terms: tuple[tuple[Monomial, int], ...]
    den: int = 1

    def __add__(self, other: Dim) -> Dim:
        return _add(self, other, 1)

    __radd__ = __add__

    def __sub__(self, other: Dim) -> Dim:
        return _add(self, other, -1)

    def __rsub__(self, other: Dim) -> Dim:
        return _add(_mul(self, -1), other, 1)

    def __mul__(self, other: Dim) -> Dim:
        return _mul(self, other)

    __rmul__ = __mul__

    def __neg__(self) -> Dim:
        return _mul(self, -1)

    def symbols(self) -> frozenset[str]:
        """The names of all run-time sizes in it."""
        found: set[str] = set()
        for monomial, _ in self.terms:
            for atom, _ in monomial:
                if isinstance(atom, str):
                    found.add(atom)
                else:
                    found |= symbols(atom.numerator) | symbols(atom.denominator)
        return frozenset(found)

    def __str__(self) -> str:
        text = ""
        for monomial, coefficient in self.terms:
            factors = [_order(a) if p == 1 else f"{_order(a)}**{p}" for a, p in monomial]
            amount = abs(coefficient)
            if amount != 1 or not factors:
                factors.insert(0, str(amount))
            sign = "-" if coefficient < 0 else "+"
            part = " * ".join(factors)
            text = f"{text} {sign} {part}" if text else (f"-{part}" if coefficient < 0 else part)
        if self.den == 1:
            return text
        return f"({text}) / {self.den}" if len(self.terms) > 1 else f"{text} / {self.den}"


def symbol(name: str) -> Size:
    """The run-time size `name`."""
    return Size(((((name, 1),), 1),))


def symbols(dim: Dim) -> frozenset[str]:
    """The names of all run-time sizes in a size; empty for an integer."""
    return frozenset[str]() if isinstance(dim, int) else dim.symbols()


def _parts(dim: Dim) -> tuple[dict[Monomial, int], int]:
    if isinstance(dim, int):
        return ({(): dim} if dim else {}), 1
    return dict(dim.terms), dim.den


def _normal(terms: dict[Monomial, int], den: int) -> Dim:
    terms = {m: c for m, c in terms.items() if c}
    if not terms:
        return 0
    common = gcd(den, *terms.values())
    den //= common
    if den == 1 and set(terms) == {()}:
        return terms[()] // common
    _require_short(terms, den)
    # Higher powers first, the constant term last; names in alphabetical order.
    ordered = sorted(
        terms.items(), key=lambda term: (-sum(p for _, p in term[0]), [(_order(a), p) for a, p in term[0]])
    )
    return Size(tuple((m, c // common) for m, c in ordered), den)


def _require_short(terms: dict[Monomial, int], den: int) -> None:
    if len(terms) > MAX_TERMS:
        raise SizeError(f"a size is a sum of at most {MAX_TERMS} terms, and this has {len(terms)}")
    if any(sum(power for _, power in monomial) > MAX_DEGREE for monomial in terms):
        raise SizeError(f"a size multiplies at most {MAX_DEGREE} sizes")
    if max(den, *map(abs, terms.values())).bit_length() > MAX_BITS:
        raise SizeError("a number in this size is too large")


def _names(dim: Dim) -> int:
    """How many names a size mentions, counted as often as it does."""
    if isinstance(dim, int):
        return 0
    return sum(
        1 if isinstance(atom, str) else _names(atom.numerator) + _names(atom.denominator)
        for monomial, _ in dim.terms
        for atom, _ in monomial
    )


def _add(a: Dim, b: Dim, sign: int) -> Dim:
    if b == 0:
        return a
    (left, p), (right, q) = _parts(a), _parts(b)
    total = {m: c * q for m, c in left.items()}
    for monomial, c in right.items():
        total[monomial] = total.get(monomial, 0) + sign * c * p
    return _normal(total, p * q)


def _scaled(size: Size, factor: int) -> Dim:
    """A size times a number: the same terms in the same order."""
    if factor in (0, 1):
        return size if factor else 0
    common = gcd(size.den, factor)  # no number divides both the denominator and all coefficients of a normal form
    terms, den = {monomial: c * (factor // common) for monomial, c in size.terms}, size.den // common
    if den == 1 and terms.keys() == {()}:
        return terms[()]
    _require_short(terms, den)
    return Size(tuple(terms.items()), den)


def _mul(a: Dim, b: Dim) -> Dim:
    if isinstance(a, Size) and isinstance(b, int):
        return _scaled(a, b)
    (left, p), (right, q) = _parts(a), _parts(b)
    total: dict[Monomial, int] = {}
    for m, c in left.items():
        for n, d in right.items():
            powers = dict(m)
            for atom, power in n:
                powers[atom] = powers.get(atom, 0) + power
            product = tuple(sorted(powers.items(), key=lambda pair: _order(pair[0])))
            total[product] = total.get(product, 0) + c * d
    return _normal(total, p * q)


def divide(a: Dim, b: Dim) -> Dim | None:
    """`a / b` as an exact size, or None where it is known not to be one.

    A symbolic numerator is assumed to be divisible by an integer (``H / 2``); the run-time check is the caller's.
    """
    if b == 0:
        return None
    if isinstance(b, int):
        if isinstance(a, int):
            return a // b if a % b == 0 else None
        terms, den = _parts(a)
        sign = -1 if b < 0 else 1
        return _normal({m: c * sign for m, c in terms.items()}, den * abs(b))
    if a == b:
        return 1
    # Exact only where one monomial divides every term of the numerator.
    top, den = _parts(a)
    bottom, factor = _parts(b)
    if len(bottom) != 1:
        return None
    ((divisor, coefficient),) = bottom.items()
    result: dict[Monomial, int] = {}
    for monomial, c in top.items():
        powers = dict(monomial)
        for atom, power in divisor:
            if powers.get(atom, 0) < power:
                return None
            powers[atom] -= power
        result[tuple((a, p) for a, p in powers.items() if p)] = c * factor
    return divide(_normal(result, den), coefficient)


def floor_div(a: Dim, b: Dim) -> Dim:
    """``floor(a / b)``, worked out where it can be, else kept as an atom. `b` is not 0.

    Of a quotient by an integer the whole part is taken out, so that ``floor_div(H + 3, 2)`` is ``floor_div(H + 1, 2) + 1``
    and equal sizes have one form: what is left under the line is smaller than the number below it and not negative.
    """
    if isinstance(b, int):
        return _floor_by_number(*_parts(a), b)
    return _floor_atom(a, b)


def _floor_by_number(terms: Mapping[Monomial, int], den: int, number: int) -> Dim:
    sign = -1 if number < 0 else 1
    below = den * abs(number)
    whole = {monomial: sign * c // below for monomial, c in terms.items()}
    rest = {monomial: sign * c % below for monomial, c in terms.items() if c % below}
    if not any(rest):  # the rest is a number less than the one below it
        return _normal(whole, 1)
    inner = _only_floor(rest)
    if inner is not None:
        atom, constant = inner
        assert isinstance(atom.denominator, int)
        nested = atom.numerator + constant * atom.denominator
        return _normal(whole, 1) + floor_div(nested, atom.denominator * below)
    return _normal(whole, 1) + _floor_atom(_normal(rest, 1), below)


def _only_floor(terms: Mapping[Monomial, int]) -> tuple[FloorDiv, int] | None:
    """The parts of ``floor_div(a, 3) + constant``: quotients of quotients are one quotient."""
    constant = terms.get((), 0)
    others = [(monomial, c) for monomial, c in terms.items() if monomial]
    if len(others) != 1 or others[0][1] != 1 or len(others[0][0]) != 1:
        return None
    ((atom, power),) = others[0][0]
    if power != 1 or not isinstance(atom, FloorDiv) or not isinstance(atom.denominator, int):
        return None
    return atom, constant


def _floor_atom(a: Dim, b: Dim) -> Dim:
    if _names(a) + _names(b) > MAX_NAMES:
        raise SizeError(f"a `floor_div` is nested until it mentions more than {MAX_NAMES} sizes")
    return Size((((((FloorDiv(a, b)), 1),), 1),))


def evaluate(dim: Dim, sizes: Mapping[str, int]) -> int:
    """The number a size is, given its symbols.

    Raises:
        KeyError: a symbol has no value in `sizes`.
        ValueError: a division is not exact.
    """
    if isinstance(dim, int):
        return dim
    total = 0
    for monomial, coefficient in dim.terms:
        for atom, power in monomial:
            if isinstance(atom, str):
                base = sizes[atom]
            else:
                base = evaluate(atom.numerator, sizes) // evaluate(atom.denominator, sizes)
            coefficient *= base**power
        total += coefficient
    quotient, rest = divmod(total, dim.den)
    if rest:
        raise ValueError(f"{dim} is not a whole number: {total} / {dim.den}")
    return quotient


Shape: TypeAlias = tuple[Dim, ...]


@record(keep_hash=True)
class TensorType:
    """An element type and a shape; ``f32[]`` is a scalar."""

    dtype: DType
    shape: Shape = ()

    @property
    def rank(self) -> int:
        return len(self.shape)

    def __str__(self) -> str:
        return f"{self.dtype.value}[{', '.join(map(str, self.shape))}]"


def count(shape: Shape) -> Dim:
    """The number of elements of a shape."""
    total: Dim = 1
    for dim in shape:
        total = total * dim
    return total


def broadcast(*shapes: Shape) -> Shape | None:
    """The shape NumPy's broadcasting gives, or None where two sizes are neither equal nor 1."""
    rank = max((len(shape) for shape in shapes), default=0)
    result: list[Dim] = []
    for axis in range(-rank, 0):
        size: Dim = 1
        for shape in shapes:
            dim = shape[axis] if -axis <= len(shape) else 1
            if dim == 1 or dim == size:
                continue
            if size != 1:
                return None
            size = dim
        result.append(size)
    return tuple(result)
