"""Kernels: matrix products.

A product of many matrices by one is as many products, or a single one over all rows. BLAS has a path of its own for small products,
on which many of them are up to 1.4 times faster than one. Larger ones are up to 1.4 times slower than one; and where the one matrix
is transposed, so that the path is closed, many are 1.3 to 3 times slower at any size.

Many small products by matrices that are each transposed, as scores of an attention are, take twice as long as by matrices that are
not. Where these have few rows, putting them in order first costs less: 1.3 times faster with 64 steps and heads of 32.
"""

from __future__ import annotations

from math import prod

import numpy as np

from dslc_runtime.kernels.kernel import Array, Kernel

_SMALL = 100**3  # multiplications; up to here OpenBLAS neither packs operands nor starts threads
_TINY = 1 << 17  # multiplications, up to which that path is slow for transposed matrices
_ELEMENTS = 1 << 16  # that are put in order at a time: they stay in the second cache


def _matmul_into(a: Array, b: Array, out: Array) -> None:
    if _over_all_rows(a, b, out):
        np.dot(a.reshape(-1, a.shape[-1]), b, out=out.reshape(-1, b.shape[1]))
    elif _to_put_in_order(a, b):
        step = max(1, _ELEMENTS // prod(b.shape[1:]))
        for start in range(0, len(b), step):
            part = slice(start, start + step)
            np.matmul(a[part], np.ascontiguousarray(b[part]), out=out[part])
    else:
        np.matmul(a, b, out=out)


def _over_all_rows(a: Array, b: Array, out: Array) -> bool:
    """Whether to multiply a stack of matrices by one matrix at once."""
    if b.ndim != 2 or a.ndim < 3 or a.dtype.kind != "f" or not (a.flags.c_contiguous and out.flags.c_contiguous):
        return False
    return not b.flags.c_contiguous or a.shape[-2] * b.size > _SMALL


def _to_put_in_order(a: Array, b: Array) -> bool:
    """Whether to transpose the matrices of a stack before each is multiplied by its own."""
    if a.ndim != b.ndim or b.ndim < 3 or len(a) != len(b) or b.strides[-2] != b.itemsize or b.dtype.kind != "f":
        return False
    rows, inner, columns = a.shape[-2], *b.shape[-2:]
    return rows >= 2 * inner and columns >= inner > 1 and rows * inner * columns <= _TINY


def _turned(a: Array, b: Array, *, axes: tuple[int, ...]) -> Array:
    return np.transpose(np.matmul(a, b), axes)


def _turned_into(a: Array, b: Array, out: Array, *, axes: tuple[int, ...]) -> None:
    _matmul_into(a, b, out.transpose([axes.index(axis) for axis in range(len(axes))]))


LINALG: dict[str, Kernel] = {
    "matmul": Kernel(np.matmul, _matmul_into),
    "matmul_turned": Kernel(_turned, _turned_into),
}
