"""What a graph states without numbers, in NumPy's terms: element types, attributes as kernels take them, constants.

Bytes of constants are little-endian on every machine; arrays are in the machine's own order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from dslc.diagnostics import InternalError
from dslc.ops.ir import Attr, Attrs, Data, Node
from dslc.tensor_type import Dim, DType, Size, evaluate, symbols

Array = npt.NDArray[Any]


def numpy_dtype(dtype: DType) -> np.dtype[Any]:
    """NumPy's element type for one of the language."""
    return np.dtype("?" if dtype is DType.BOOL else f"{dtype.value[0]}{dtype.bytes}")


def constant_array(node: Node) -> Array:
    """The array of a `constant` leaf."""
    value, dtype = node.attrs["value"], numpy_dtype(node.out.dtype)
    if not isinstance(value, Data):
        return np.array(value, dtype)
    shape = [evaluate(dim, {}) for dim in node.out.shape]
    return np.frombuffer(value.bytes, dtype.newbyteorder("<")).astype(dtype).reshape(shape)


def constant_data(array: Array) -> Data:
    """The elements of an array as the value of a `constant` leaf."""
    return Data(array.astype(array.dtype.newbyteorder("<")).tobytes())


def kernel_attrs(attrs: Attrs, sizes: Mapping[str, int]) -> dict[str, Any]:
    """Attributes as kernels take them: sizes as integers, element types as NumPy's.

    Raises:
        InternalError: a size is not known.
    """
    return {name: _kernel_attr(value, sizes) for name, value in attrs.items()}


def _kernel_attr(value: Attr, sizes: Mapping[str, int]) -> Any:
    if isinstance(value, tuple):
        return tuple(_kernel_attr(item, sizes) for item in value)
    if isinstance(value, Size):
        return size_number(value, sizes)
    return numpy_dtype(value) if isinstance(value, DType) else value


def size_number(dim: Dim, sizes: Mapping[str, int]) -> int:
    """The number a size is.

    Raises:
        InternalError: it depends on one that is not known.
    """
    unknown = sorted(symbols(dim) - sizes.keys())
    if unknown:
        raise InternalError("graph", str(dim), f"no leaf states the size {', '.join(unknown)}")
    return evaluate(dim, sizes)
