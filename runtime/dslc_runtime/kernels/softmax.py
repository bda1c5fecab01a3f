"""Kernels: normalised exponentials along an axis, and the cross entropy of them with class ids.

Two layouts are used. Reductions over short rows are slow in NumPy, so rows of up to `_SHORT` elements (and all that do not
lie along the last axis) are computed on a copy that has the axis first: 1.5 times faster at f32[256, 10], as fast at f32[32, 10].
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from dslc_runtime.kernels.index import check_ids
from dslc_runtime.kernels.kernel import Array, Kernel

_SHORT = 32


def _first(x: Array, axis: int, out: Array) -> bool:
    """Whether to compute on a copy with the axis first."""
    return x.shape[axis] <= _SHORT or axis != x.ndim - 1 or not out.flags.c_contiguous


def _shifted(x: Array, axis: int, out: Array | None = None) -> Array:
    """Elements minus the largest of their row."""
    return np.subtract(x, np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf), out=out)


def _shifted_first(x: Array, axis: int) -> Array:
    """The same as a new array with the axis first."""
    work = np.array(np.moveaxis(x, axis, 0), order="C")
    return np.subtract(work, np.maximum.reduce(work, axis=0, initial=-np.inf), out=work)


# ---------------------------------------------------------------------------------------------- softmax, log_softmax


def _softmax(x: Array, *, axis: int) -> Array:
    e = np.exp(_shifted(x, axis))
    return e / np.sum(e, axis=axis, keepdims=True)


def _softmax_into(x: Array, *, axis: int, out: Array) -> None:
    if _first(x, axis, out):
        work = _shifted_first(x, axis)
        np.exp(work, out=work)
        np.divide(work, np.add.reduce(work, axis=0), out=np.moveaxis(out, axis, 0))
        return
    _shifted(x, axis, out)
    np.exp(out, out=out)
    np.divide(out, np.add.reduce(out, axis=axis, keepdims=True), out=out)


def _log_softmax(x: Array, *, axis: int) -> Array:
    shifted = _shifted(x, axis)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


def _log_softmax_into(x: Array, *, axis: int, out: Array) -> None:
    if _first(x, axis, out):
        work = _shifted_first(x, axis)
        np.subtract(work, np.log(np.add.reduce(np.exp(work), axis=0)), out=np.moveaxis(out, axis, 0))
        return
    _shifted(x, axis, out)
    np.subtract(out, np.log(np.add.reduce(np.exp(out), axis=axis, keepdims=True)), out=out)


# ---------------------------------------------------------------------------------------------- logsumexp


def _logsumexp(x: Array, *, axis: int, keepdims: bool) -> Array:
    largest = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    largest = np.where(np.isfinite(largest), largest, 0)  # inf - inf would be nan
    result = np.log(np.sum(np.exp(x - largest), axis=axis, keepdims=True)) + largest
    return result if keepdims else np.squeeze(result, axis)


def _logsumexp_into(x: Array, *, axis: int, keepdims: bool, out: Array) -> None:
    np.copyto(out, _logsumexp(x, axis=axis, keepdims=keepdims))


# ---------------------------------------------------------------------------------------------- cross entropy with ids


@lru_cache(maxsize=64)
def _counting(n: int) -> Array:
    numbers = np.arange(n)
    numbers.flags.writeable = False
    return numbers


def _entropy(logits: Array, ids: Array, *, axis: int) -> Array:
    check_ids(ids, logits.shape[axis])
    log_p = _log_softmax(logits, axis=axis)
    return -np.squeeze(np.take_along_axis(log_p, np.expand_dims(ids, axis), axis), axis)


def _entropy_into(logits: Array, ids: Array, *, axis: int, out: Array) -> None:
    check_ids(ids, logits.shape[axis])
    work = _shifted_first(logits, axis)
    columns = work.reshape(work.shape[0], -1)
    picked = columns[ids.reshape(-1), _counting(ids.size)].reshape(ids.shape)
    np.exp(work, out=work)
    np.subtract(np.log(np.add.reduce(work, axis=0)), picked, out=out)


def _entropy_grad(logits: Array, ids: Array, g: Array, *, axis: int) -> Array:
    error = _softmax(logits, axis=axis)
    at = np.expand_dims(ids, axis)
    np.put_along_axis(error, at, np.take_along_axis(error, at, axis) - 1, axis)
    return (error * np.expand_dims(g, axis)).astype(logits.dtype)


def _entropy_grad_into(logits: Array, ids: Array, g: Array, *, axis: int, out: Array) -> None:
    work = _shifted_first(logits, axis)
    np.exp(work, out=work)
    np.multiply(work, np.divide(g, np.add.reduce(work, axis=0)), out=work)
    columns = work.reshape(work.shape[0], -1)
    columns[ids.reshape(-1), _counting(ids.size)] -= np.reshape(g, -1)
    np.copyto(np.moveaxis(out, axis, 0), work)


SOFTMAX: dict[str, Kernel] = {
    "softmax": Kernel(_softmax, _softmax_into),
    "log_softmax": Kernel(_log_softmax, _log_softmax_into),
    "logsumexp": Kernel(_logsumexp, _logsumexp_into),
    "softmax_cross_entropy": Kernel(_entropy, _entropy_into),
    "softmax_cross_entropy_grad": Kernel(_entropy_grad, _entropy_grad_into),
}
