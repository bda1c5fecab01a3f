"""What a sample of an operator is: operands and options at which everything claimed of the operator is tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from dslc.graph import Builder
from dslc.ops.ir import Attr, Value
from dslc.tensor_type import DType, TensorType

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Sample:
    """One application of an operator.

    Attributes:
        operands: float64 arrays (also tried in float32), arrays of integers or bools, or Python numbers, which are scalar
            constants of the first array's element type.
        attrs: options as a program gives them, before normalisation.
        smooth: central differences exist here; false at a kink, a tie, an overflow.
        onnx: ONNX Runtime can be held against it.
        tolerance: relative error allowed between float32 here and in ONNX Runtime.
        cancels: results are sums whose terms may cancel, so errors are relative to the terms.
    """

    operands: tuple[Array | float | int, ...]
    attrs: Mapping[str, Attr] = field(default_factory=dict)
    smooth: bool = True
    onnx: bool = True
    tolerance: float = 2e-6
    cancels: bool = False

    def __str__(self) -> str:
        parts = [str(type_of(o)) if isinstance(o, np.ndarray) else repr(o) for o in self.operands]
        parts += [f"{name}={value}" for name, value in self.attrs.items()]
        return ",".join(parts).replace(" ", "")

    def narrow(self) -> Sample:
        """The same with float32 in the place of float64."""
        operands = tuple(retyped(o, np.float32) if is_double(o) else o for o in self.operands)
        return replace(self, operands=operands)

    @property
    def arrays(self) -> dict[str, Array]:
        """The operands that are arrays, by the name of the leaf they feed."""
        return {f"x{i}": o for i, o in enumerate(self.operands) if isinstance(o, np.ndarray)}

    def build(self, builder: Builder) -> tuple[Value, ...]:
        """Leaves for the operands: inputs for arrays, constants for numbers."""
        scalar = next(
            (type_of(o).dtype for o in self.operands if isinstance(o, np.ndarray) and o.dtype != bool), DType.F32
        )
        return tuple(
            builder.leaf("input", type_of(o), name=f"x{i}")
            if isinstance(o, np.ndarray)
            else builder.constant(o, scalar)
            for i, o in enumerate(self.operands)
        )


def is_double(operand: object) -> bool:
    return isinstance(operand, np.ndarray) and operand.dtype == np.float64


def type_of(array: Array) -> TensorType:
    name = "bool" if array.dtype == bool else f"{array.dtype.kind}{8 * array.itemsize}"
    return TensorType(DType(name), array.shape)


def retyped(array: Array, dtype: npt.DTypeLike) -> Array:
    """The array in another element type, strided if it was."""
    return array.astype(dtype) if array.flags.c_contiguous else strided(array.astype(dtype))


def strided(array: Array) -> Array:
    """The same elements as every second one of a larger array."""
    holder = np.full((*array.shape[:-1], 2 * array.shape[-1]), 99, array.dtype)
    holder[..., ::2] = array
    return holder[..., ::2]


def values(seed: int, *shape: int, low: float = -2.0, high: float = 2.0, gap: float = 0.05) -> Array:
    """Random float64 numbers between two bounds, none nearer than `gap` to a whole number: kinks lie there."""
    numbers = np.random.default_rng(seed).uniform(low, high, shape)
    whole = np.round(numbers)
    near = np.abs(numbers - whole) < gap
    return np.where(near & (numbers >= whole), whole + gap, np.where(near, whole - gap, numbers))


def integers(seed: int, *shape: int, low: int = -5, high: int = 6, dtype: npt.DTypeLike = np.int64) -> Array:
    """Random integers from `low` up to, not including, `high`."""
    return np.asarray(np.random.default_rng(seed).integers(low, high, shape)).astype(dtype)


def bools(seed: int, *shape: int) -> Array:
    """Random truth values."""
    return np.asarray(np.random.default_rng(seed).random(shape) < 0.5)
