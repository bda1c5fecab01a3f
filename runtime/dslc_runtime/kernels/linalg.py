"""Kernels: matrix products.

A product of many matrices by one is as many products, or a single one over all rows. BLAS has a path of its own for small products,
on which many of them are up to 1.4 times faster than one. Larger ones are up to 1.4 times slower than one; and where the one matrix
is transposed, so that the path is closed, many are 1.3 to 3 times slower at any size.
"""

from __future__ import annotations

import numpy as np

from dslc_runtime.kernels.kernel import Array, Kernel

_SMALL = 100**3  # multiplications; up to here OpenBLAS neither packs operands nor starts threads


def _matmul_into(a: Array, b: Array, out: Array) -> None:
    if _over_all_rows(a, b, out):
        np.dot(a.reshape(-1, a.shape[-1]), b, out=out.reshape(-1, b.shape[1]))
    else:
        np.matmul(a, b, out=out)


def _over_all_rows(a: Array, b: Array, out: Array) -> bool:
    """Whether to multiply a stack of matrices by one matrix at once."""
    if b.ndim != 2 or a.ndim < 3 or a.dtype.kind != "f" or not (a.flags.c_contiguous and out.flags.c_contiguous):
        return False
    return not b.flags.c_contiguous or a.shape[-2] * b.size > _SMALL


LINALG: dict[str, Kernel] = {
    "matmul": Kernel(np.matmul, _matmul_into),
}
