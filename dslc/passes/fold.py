"""Constant folding: what depends on constants alone is computed now, by the operator's own kernel."""

from __future__ import annotations

import math
from math import prod

import numpy as np

from dslc.graph import Builder
from dslc.graph.arrays import Array, constant_array, constant_data, kernel_attrs
from dslc.ops import OPS
from dslc.ops.ir import Attr, Node, Value
from dslc.passes.rewrite import Rules
from dslc.tensor_type import Size
from dslc_runtime.kernels import KERNELS

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
        kernel = KERNELS[OPS[node.op].kernel or ""]
        result = kernel.obvious(*map(constant_array, operands), **kernel_attrs(node.attrs, {}))
    return _constant(b, node, np.asarray(result))


def _is_known(value: Attr) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_known, value))
    return not isinstance(value, Size)


def _constant(b: Builder, node: Node, array: Array) -> Value:
    if array.ndim:
        return b.leaf("constant", node.out.type, value=constant_data(array))
    number = array.item()
    # One NaN object for all, so that equal constants are shared.
    return b.constant(math.nan if number != number else number, node.out.dtype)


# An expansion repeats one element: it is cheaper as it is.
FOLDING: Rules = {name: (fold,) for name, op in OPS.items() if op.kernel is not None and name != "expand"}
