"""Sizes that types can neither prove equal nor tell apart: ``H / 2`` and ``floor_div(H + 1, 2)``.

Input: a tensor and the type that a program declares for it. Output: the tensor with that type and a warning; the program holds the
sizes against each other when a batch arrives. Sizes of different symbols are different, and so are different polynomials.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from dslc.check.operators import apply_op
from dslc.check.scope import Context
from dslc.check.typed import Origin, TypedValue
from dslc.diagnostics import Label, Note
from dslc.record import replace
from dslc.source import Span
from dslc.tensor_type import Dim, FloorDiv, Shape, Size, TensorType, divide, evaluate, symbol, symbols

#: The run-time sizes for which equality is tried, and of how many symbols.
_TRIED, _SYMBOLS = range(1, 13), 2


def may_equal(have: TensorType, want: TensorType) -> bool:
    """Whether two types that differ may turn out equal when a batch arrives."""
    if have.dtype is not want.dtype or have.rank != want.rank:
        return False
    return all(a == b or _undecided(a, b) for a, b in zip(have.shape, want.shape, strict=True))


def _undecided(a: Dim, b: Dim) -> bool:
    """Whether two sizes differ by what they round alone, and are equal for some run-time sizes."""
    names = sorted(symbols(a))
    if not names or symbols(a) != symbols(b) or symbols(_unrounded(a) - _unrounded(b)):
        return False
    rest = dict.fromkeys(names[_SYMBOLS:], 1)
    tried = product(_TRIED, repeat=min(len(names), _SYMBOLS))
    return any(_equal(a, b, {**rest, **dict(zip(names, sizes, strict=False))}) for sizes in tried)


def _unrounded(dim: Dim) -> Dim:
    """A size with exact quotients in the place of those rounded down."""
    if isinstance(dim, int):
        return dim
    total: Dim = 0
    for monomial, coefficient in dim.terms:
        term: Dim = coefficient
        for atom, power in monomial:
            factor = _exact(atom)
            for _ in range(power):
                term = term * factor
        total = total + term
    return divide(total, dim.den) or 0


def _exact(atom: str | FloorDiv) -> Dim:
    if isinstance(atom, str):
        return symbol(atom)
    exact = divide(_unrounded(atom.numerator), atom.denominator) if isinstance(atom.denominator, int) else None
    return Size((((((atom, 1),)), 1),)) if exact is None else exact


def _equal(a: Dim, b: Dim, sizes: dict[str, int]) -> bool:
    try:
        return evaluate(a, sizes) == evaluate(b, sizes)
    except (ValueError, ZeroDivisionError):
        return False


def claimed(
    e: Context,
    value: TypedValue,
    shape: Shape,
    origins: Sequence[Origin | None],
    claim: str,
    span: Span,
    *more: Label,
) -> TypedValue:
    """A tensor with other sizes, which may be its own; `claim` says why they should be."""
    note = Note("sizes that do not agree are refused then, with this message")
    label = "known when a batch arrives"
    e.report("DL2085", claim, span, label, *more, footers=[note])
    found = apply_op(e, span, "sized", (value,), {"sizes": shape, "claim": claim})
    last = replace(found, origins=tuple(origins))
    e.body.values[-1] = last
    return last
