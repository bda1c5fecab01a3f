"""How large a tensor may be: axes and elements. Nothing is computed here that a shape does not say."""

from __future__ import annotations

from math import prod

from dslc.tensor_type import Size, TensorType, count

MAX_ELEMENTS = 1 << 36
MAX_RANK = 32
_LARGEST_PRINTED = 10**30
_LONGEST_PRINTED = 100


def extent_problem(type: TensorType, what: str) -> tuple[str, str] | None:
    """The code and the message where a tensor is too large, `what` being its name in the message; else None.

    Raises:
        SizeError: the number of its elements is too long to write down.
    """
    if type.rank > MAX_RANK:
        return "DL0073", f"{what} has {type.rank} axes; the limit is {MAX_RANK}"
    known = prod(size for size in type.shape if isinstance(size, int))
    if known > MAX_ELEMENTS:
        return "DL2020", f"{what} has {_many(known)} elements; the limit is {MAX_ELEMENTS:_}"
    if sum(isinstance(size, Size) for size in type.shape) > 1:
        count(type.shape)
    return None


def short(type: TensorType) -> str:
    """A type as text, for messages; of very many axes the first only."""
    text = str(type)
    return text if len(text) <= _LONGEST_PRINTED else f"{text[:_LONGEST_PRINTED]}..."


def _many(number: int) -> str:
    return f"{number:_}" if number < _LARGEST_PRINTED else f"more than {_LARGEST_PRINTED:.0e}"
