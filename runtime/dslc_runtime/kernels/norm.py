"""Kernels: variances and normalisation, in two passes: the mean first."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from dslc_runtime.kernels.kernel import Array, Kernel

Axes = tuple[int, ...]


def _variance(x: Array, *, axes: Axes, keepdims: bool, correction: int) -> Array:
    apart = x - np.mean(x, axis=axes, keepdims=True)
    squares = np.sum(np.square(apart), axis=axes, keepdims=keepdims)
    return squares / x.dtype.type(prod(x.shape[axis] for axis in axes) - correction)


def _variance_into(x: Array, *, axes: Axes, keepdims: bool, correction: int, out: Array) -> None:
    apart = np.subtract(x, np.add.reduce(x, axis=axes, keepdims=True) / _number(x, axes))
    np.square(apart, out=apart)
    np.add.reduce(apart, axis=axes, keepdims=keepdims, out=out)
    np.divide(out, _number(x, axes) - x.dtype.type(correction), out=out)


def _number(x: Array, axes: Axes) -> np.floating[Any]:
    """How many elements go into one; a NumPy number, so that dividing by 0 gives nan."""
    return x.dtype.type(prod(x.shape[axis] for axis in axes))


def _standardize(x: Array, *, axes: Axes, eps: float) -> Array:
    mean, variance = np.mean(x, axis=axes, keepdims=True), np.var(x, axis=axes, keepdims=True)
    return (x - mean) / np.sqrt(variance + eps)


def _standardize_into(x: Array, *, axes: Axes, eps: float, out: Array) -> None:
    number = _number(x, axes)
    np.subtract(x, np.add.reduce(x, axis=axes, keepdims=True) / number, out=out)
    variance = np.add.reduce(np.square(out), axis=axes, keepdims=True) / number
    np.multiply(out, 1 / np.sqrt(variance + eps), out=out)


def _layer_norm(x: Array, weight: Array, bias: Array, *, axis: int, eps: float) -> Array:
    return _standardize(x, axes=tuple(range(axis, x.ndim)), eps=eps) * weight + bias


def _layer_norm_into(x: Array, weight: Array, bias: Array, *, axis: int, eps: float, out: Array) -> None:
    _standardize_into(x, axes=tuple(range(axis, x.ndim)), eps=eps, out=out)
    np.multiply(out, weight, out=out)
    np.add(out, bias, out=out)


def _beside(channels: Array, x: Array, axis: int) -> Array:
    """A number for each channel, along the axis of channels."""
    return channels.reshape((-1, *(1,) * (x.ndim - 1 - axis)))


def _batch_norm(x: Array, weight: Array, bias: Array, mean: Array, variance: Array, *, axis: int, eps: float) -> Array:
    weight, bias, mean, variance = (_beside(each, x, axis) for each in (weight, bias, mean, variance))
    return (x - mean) / np.sqrt(variance + eps) * weight + bias


def _batch_norm_into(
    x: Array, weight: Array, bias: Array, mean: Array, variance: Array, *, axis: int, eps: float, out: Array
) -> None:
    scale = weight / np.sqrt(variance + eps)
    np.subtract(x, _beside(mean, x, axis), out=out)
    np.multiply(out, _beside(scale, x, axis), out=out)
    np.add(out, _beside(bias, x, axis), out=out)


NORM: dict[str, Kernel] = {
    "variance": Kernel(_variance, _variance_into),
    "standardize": Kernel(_standardize, _standardize_into),
    "layer_norm": Kernel(_layer_norm, _layer_norm_into),
    "batch_norm": Kernel(_batch_norm, _batch_norm_into),
}
