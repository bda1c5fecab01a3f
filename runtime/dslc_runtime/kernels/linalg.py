"""Kernels: matrix products.

`np.matmul` is taken as it is: making all leading axes one before a product by a matrix is faster for some sizes and slower for
others, by up to a third either way.
"""

from __future__ import annotations

import numpy as np

from dslc_runtime.kernels.kernel import Kernel, of_ufunc

LINALG: dict[str, Kernel] = {
    "matmul": of_ufunc(np.matmul),
}
