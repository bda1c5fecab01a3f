"""What an operator costs: floating-point operations as a size, worked out from types.

One for each application of a function to an element, whatever that takes the machine: ``exp`` counts like ``+``. A
product of matrices counts a multiplication and an addition for each pair it meets. What only moves elements is free.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from dslc.tensor_type import Dim, TensorType, count

#: (operand types, the result's type) -> operations.
FlopsRule: TypeAlias = Callable[[tuple[TensorType, ...], TensorType], Dim]


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
