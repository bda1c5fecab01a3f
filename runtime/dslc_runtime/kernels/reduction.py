"""Kernels: reductions."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from dslc_runtime.kernels.kernel import Array, Kernel

Axes = tuple[int, ...]

# ---------------------------------------------------------------------------------------------- sum, mean


def _sum(x: Array, *, axes: Axes, keepdims: bool) -> Array:
    x = np.asarray(x)
    return np.sum(x, axis=axes, keepdims=keepdims, dtype=x.dtype if x.dtype.kind == "f" else np.int64)


def _sum_into(x: Array, *, axes: Axes, keepdims: bool, out: Array) -> None:
    np.add.reduce(x, axis=axes, dtype=out.dtype, out=out, keepdims=keepdims)


def _mean(x: Array, *, axes: Axes, keepdims: bool) -> Array:
    return _sum(x, axes=axes, keepdims=keepdims) / _number(x, axes)


def _mean_into(x: Array, *, axes: Axes, keepdims: bool, out: Array) -> None:
    _sum_into(x, axes=axes, keepdims=keepdims, out=out)
    np.divide(out, _number(x, axes), out=out)


def _number(x: Array, axes: Axes) -> np.floating[Any]:
    """How many elements go into one; a NumPy number, so that dividing by 0 gives nan."""
    x = np.asarray(x)
    return x.dtype.type(prod(x.shape[axis] for axis in axes))


def _divide_by_size(x: Array, *, size: int) -> Array:
    return np.divide(x, np.asarray(x).dtype.type(size))


def _divide_by_size_into(x: Array, *, size: int, out: Array) -> None:
    np.divide(x, out.dtype.type(size), out=out)


# ---------------------------------------------------------------------------------------------- extremes


def _extreme(reduce: np.ufunc) -> Kernel:
    def obvious(x: Array, *, axes: Axes, keepdims: bool) -> Array:
        return reduce.reduce(x, axis=axes, keepdims=keepdims)

    def into(x: Array, *, axes: Axes, keepdims: bool, out: Array) -> None:
        reduce.reduce(x, axis=axes, keepdims=keepdims, out=out)

    return Kernel(obvious, into)


def _argmax(x: Array, *, axis: int | None, keepdims: bool) -> Array:
    return np.asarray(np.argmax(x, axis=axis, keepdims=keepdims), np.int64)


def _argmax_into(x: Array, *, axis: int | None, keepdims: bool, out: Array) -> None:
    np.argmax(x, axis=axis, keepdims=keepdims, out=out)


def _argmin(x: Array, *, axis: int | None, keepdims: bool) -> Array:
    return np.asarray(np.argmin(x, axis=axis, keepdims=keepdims), np.int64)


def _argmin_into(x: Array, *, axis: int | None, keepdims: bool, out: Array) -> None:
    np.argmin(x, axis=axis, keepdims=keepdims, out=out)


REDUCTION: dict[str, Kernel] = {
    "sum": Kernel(_sum, _sum_into),
    "mean": Kernel(_mean, _mean_into),
    "max": _extreme(np.maximum),
    "min": _extreme(np.minimum),
    "argmax": Kernel(_argmax, _argmax_into),
    "argmin": Kernel(_argmin, _argmin_into),
    "divide_by_size": Kernel(_divide_by_size, _divide_by_size_into),
}
