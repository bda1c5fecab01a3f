"""Kernels: matrix products."""

from __future__ import annotations

import numpy as np

from dslc_runtime.kernels.kernel import Array, Kernel


def _matmul_into(a: Array, b: Array, *, out: Array) -> None:
    if a.ndim > 2 and b.ndim == 2 and a.flags.c_contiguous and out.flags.c_contiguous and a.size:
        # One product over all rows, rather than one per element of the leading axes.
        np.matmul(a.reshape(-1, a.shape[-1]), b, out=out.reshape(-1, out.shape[-1]))
    else:
        np.matmul(a, b, out=out)


LINALG: dict[str, Kernel] = {
    "matmul": Kernel(np.matmul, _matmul_into),
}
