"""What an operator costs: floating-point operations, and bytes read and written, as sizes worked out from types.

One for each application of a function to an element, whatever that takes the machine: ``exp`` counts like ``+``. A
product of matrices counts a multiplication and an addition for each pair it meets. What only moves elements is free.

Bytes are those of operands and result, each once, but for operators that touch only the rows that ids name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from dslc.tensor_type import Dim, TensorType, count

#: (operand types, the result's type) -> operations.
FlopsRule: TypeAlias = Callable[[tuple[TensorType, ...], TensorType], Dim]


#: (operand types, the result's type) -> bytes.
MovedRule: TypeAlias = FlopsRule


def free(_: tuple[TensorType, ...], __: TensorType) -> Dim:
    """Moves elements, or none at all."""
    return 0


def per_result(times: int = 1) -> FlopsRule:
    """So many for each element of the result."""
    return lambda _, out: times * count(out.shape)


def per_operand(times: int = 1) -> FlopsRule:
    """So many for each element of the first operand."""
    return lambda types, _: times * count(types[0].shape)


def product(types: tuple[TensorType, ...], out: TensorType) -> Dim:
    """A matrix product: 2 m n k."""
    return 2 * count(out.shape) * types[0].shape[-1]


def added_product(types: tuple[TensorType, ...], out: TensorType) -> Dim:
    """A multiple of a matrix product added to a multiple of the first operand: 2 m n k + 3 m n."""
    return product(types[1:], out) + per_result(3)(types, out)


def everything(types: tuple[TensorType, ...], out: TensorType) -> Dim:
    """Reads all of the operands and writes all of the result."""
    return sum((_bytes(each) for each in (*types, out)), start=0)


def what_is_named(types: tuple[TensorType, ...], out: TensorType) -> Dim:
    """Reads of the first operand as much as the result holds, and writes that; reads all of the others."""
    return everything((out, *types[1:]), out)


def rows_written(types: tuple[TensorType, ...], _: TensorType) -> Dim:
    """Reads all operands but the first, which it changes where it lies: as much is written there as the second holds."""
    return everything(types[1:], types[1])


def _bytes(type_: TensorType) -> Dim:
    return count(type_.shape) * type_.dtype.bytes
