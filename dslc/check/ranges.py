"""What is known of the numbers in a value beyond their type: probabilities, scores, ids below a count.

Input: a typed value. Output: what it holds, or None where nothing is known. It follows values back through operators that
only move or convert numbers.
"""

from __future__ import annotations

import struct

from dslc.check.typed import TypedValue
from dslc.ops import OPS
from dslc.ops.ir import Data
from dslc.record import record
from dslc.tensor_type import Dim, DType

PROBABILITY, LOG_PROBABILITY, SCORE = "probability", "log-probability", "score"

_MOVES = frozenset({"reshape", "flatten", "transpose", "squeeze", "expand_dims", "expand", "slice", "stop_gradient"})
#: Sums and products of inputs and weights, which can be any number.
_SCORES = frozenset({"matmul", "add", "sub", "neg"})
_FORMATS = {
    DType.I32: "i",
    DType.I64: "q",
    DType.F32: "f",
    DType.F64: "d",
    DType.F16: "e",
    DType.I8: "b",
    DType.U8: "B",
}


@record
class Holds:
    """What a value holds, and the value whose operator says so."""

    what: str
    source: TypedValue


@record
class Ids:
    """Whole numbers from `low` to `high`, both included, and the value that says so."""

    low: int
    high: int
    source: TypedValue


def moved(value: TypedValue) -> TypedValue:
    """The value whose numbers a value holds, in another place or of another type."""
    while value.op in _MOVES or (
        value.op == "cast" and value.inputs[0].type.dtype.is_float == value.type.dtype.is_float
    ):
        value = value.inputs[0]
    return value


def holds(value: TypedValue) -> Holds | None:
    """Whether a value holds probabilities, their logarithms, or scores that can be any number."""
    source = moved(value)
    opdef = OPS.get(source.op)
    if opdef is not None and opdef.result_range:
        return Holds(opdef.result_range, source)
    if source.op == "log" and (inner := holds(source.inputs[0])) is not None and inner.what == PROBABILITY:
        return Holds(LOG_PROBABILITY, source)
    return Holds(SCORE, source) if source.op in _SCORES and source.type.dtype.is_float else None


def ids(value: TypedValue) -> Ids | None:
    """The range of whole numbers that a value holds, where it is written out or made by `argmax` and `argmin`."""
    source = value
    while source.op in _MOVES or source.op == "cast":
        source = source.inputs[0]
    if source.op in ("argmax", "argmin"):
        axis = source.attrs["axis"]
        size: Dim | None = source.inputs[0].type.shape[axis] if isinstance(axis, int) else None
        return Ids(0, size - 1, source) if isinstance(size, int) else None
    numbers = [int(number) for number in written(source)]
    return Ids(min(numbers), max(numbers), source) if numbers else None


def written(value: TypedValue) -> list[int | float]:
    """The numbers of a constant; none where a value is computed."""
    if value.op != "constant" or value.type.dtype not in _FORMATS:
        return []
    found = value.attrs["value"]
    if isinstance(found, Data):
        code = _FORMATS[value.type.dtype]
        return [number for (number,) in struct.iter_unpack(f"<{code}", found.bytes)]
    return [found] if isinstance(found, int | float) else []
