"""Kernels: a product that is added to a matrix, in the memory of that matrix.

Where a weight of 64 MB is updated with the product that is its gradient, writing the gradient, reading it again and writing the
weight takes up to a quarter of the step. BLAS adds the product to the weight as it computes it. Without such a BLAS the product is
made some rows at a time: no quicker than a gradient that is written and read, but in less memory.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from dslc_runtime.kernels.blas import gemm_of, laid
from dslc_runtime.kernels.kernel import Array, Kernel
from dslc_runtime.kernels.steps import Step, Work, bound_and_run, in_order

_TOGETHER = (
    1 << 22
)  # elements of a product at a time: for each time BLAS packs `b` again and threads wait for each other


def _gemm(c: Array, a: Array, b: Array, alpha: Array, beta: Array) -> Array:
    return beta * c + alpha * np.matmul(a, b)


def _bind_gemm(c: Array, a: Array, b: Array, alpha: Array, beta: Array, *, out: Array, work: Work) -> Step:
    work.anew()
    numbers = np.asarray(alpha, out.dtype), np.asarray(beta, out.dtype)
    steps: list[Step] = []
    gemm = gemm_of(out.dtype)
    left, right = (_laid_out(x, steps, work) for x in (a, b))
    run = None if gemm is None else gemm.product(left, right, out)
    if run is None:
        return partial(_plainly, c, a, b, *numbers, out, work.array(out.dtype, *_some_rows(out)))
    if not _is_same(c, out):
        steps.append(partial(np.copyto, out, c))
    prepare = in_order(steps)

    def add() -> None:
        by, keep = (number.item() for number in numbers)
        if by == 0 or keep == 0:  # 0 * nan is nan: BLAS would not look
            _plainly(c, a, b, by, keep, out, np.empty(_some_rows(out), out.dtype))
        else:
            prepare()
            run(by, keep)

    return add


def _laid_out(x: Array, steps: list[Step], work: Work) -> Array:
    """The matrix, or one that a new step copies it to where BLAS does not take it as it lies."""
    if laid(x) is not None:
        return x
    copy = work.array(x.dtype, *x.shape)
    steps.append(partial(np.copyto, copy, x))
    return copy


def _is_same(c: Array, out: Array) -> bool:
    return c.ctypes.data == out.ctypes.data and c.strides == out.strides


def _some_rows(out: Array) -> tuple[int, int]:
    """The shape of as many rows as are made at a time."""
    rows, columns = out.shape
    return max(1, min(rows, _TOGETHER // max(1, columns))), columns


def _plainly(
    c: Array, a: Array, b: Array, alpha: Array | float, beta: Array | float, out: Array, product: Array
) -> None:
    """The formula with NumPy, as many rows at a time as the memory for the product has."""
    for start in range(0, len(out), len(product)):
        rows = slice(start, start + len(product))
        target, added = out[rows], product[: len(out) - start]
        np.matmul(a[rows], b, out=added)
        np.multiply(added, alpha, out=added)
        np.multiply(c[rows], beta, out=target)
        np.add(target, added, out=target)


GEMM: dict[str, Kernel] = {
    "gemm": Kernel(_gemm, bound_and_run(_bind_gemm), bind=_bind_gemm),
}
