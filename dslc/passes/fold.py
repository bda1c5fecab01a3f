"""Constant folding: what depends on constants alone is computed now, by the operator's own kernel."""

from __future__ import annotations

import math
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from dslc.graph import Builder
from dslc.ops import OPS
from dslc.ops.ir import Attr, Data, Node, Value
from dslc.passes.rewrite import Rules
from dslc.tensor_type import DType, Size
from dslc_runtime.kernels import KERNELS

Array = npt.NDArray[Any]

MAX_ELEMENTS = 4096  # of a folded result; larger ones are quicker to compute than to store


def fold(b: Builder, node: Node) -> Value | None:
    """f(constants) -> the constant it is, to the bit; where everything is known and the result is small."""
    operands = [b.graph.producer(value) for value in node.inputs]
    if not operands or any(operand.op != "constant" for operand in operands):
        return None
    shape = [dim for dim in node.out.shape if isinstance(dim, int)]
    if len(shape) != node.out.type.rank or prod(shape) > MAX_ELEMENTS or not _is_known(tuple(node.attrs.values())):
        return None
    with np.errstate(all="ignore"):
        attrs = {name: _resolved(value) for name, value in node.attrs.items()}
        result = KERNELS[OPS[node.op].kernel or ""].obvious(*map(_array, operands), **attrs)
    return _constant(b, node, np.asarray(result))


def _is_known(value: Attr) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_known, value))
    return not isinstance(value, Size)


def _numpy_dtype(dtype: DType) -> np.dtype[Any]:
    return np.dtype("?" if dtype is DType.BOOL else f"<{dtype.value[0]}{dtype.bytes}")


def _resolved(value: Attr) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_resolved, value))
    return _numpy_dtype(value) if isinstance(value, DType) else value


def _array(node: Node) -> Array:
    """The array of a `constant` leaf."""
    value, dtype = node.attrs["value"], _numpy_dtype(node.out.dtype)
    if not isinstance(value, Data):
        return np.array(value, dtype)
    return np.frombuffer(value.bytes, dtype).reshape([dim for dim in node.out.shape if isinstance(dim, int)])


def _constant(b: Builder, node: Node, array: Array) -> Value:
    if array.ndim:
        data = Data(array.astype(_numpy_dtype(node.out.dtype), order="C").tobytes())
        return b.leaf("constant", node.out.type, value=data)
    number = array.item()
    # One NaN object for all, so that equal constants are shared.
    return b.constant(math.nan if number != number else number, node.out.dtype)


# An expansion repeats one element: it is cheaper as it is.
FOLDING: Rules = {name: (fold,) for name, op in OPS.items() if op.kernel is not None and name != "expand"}
