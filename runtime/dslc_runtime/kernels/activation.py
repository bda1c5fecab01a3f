"""Kernels: activation functions.

The forms that write into `out` use as few passes as NumPy allows. Their intermediate values live in `out` where that cannot
be the operand, or where the operand is no longer needed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dslc_runtime.kernels.kernel import Array, Kernel, of_ufunc


def _sigmoid(x: Any) -> Array:
    return np.reciprocal(np.exp(np.negative(x)) + 1)


def _sigmoid_into(x: Any, out: Array) -> None:
    np.negative(x, out=out)
    np.exp(out, out=out)
    np.add(out, 1, out=out)
    np.reciprocal(out, out=out)


def _relu(x: Any) -> Array:
    return np.maximum(x, 0)


def _relu_into(x: Any, out: Array) -> None:
    np.maximum(x, 0, out=out)


def _relu_grad(g: Any, y: Any) -> Array:
    return np.multiply(g, np.greater(y, 0))


def _relu_grad_into(g: Any, y: Any, out: Array) -> None:
    np.greater(y, 0, out=out)
    np.multiply(g, out, out=out)


def _leaky_relu(x: Array, slope: float) -> Array:
    return np.where(np.greater(x, 0), x, np.multiply(x, slope))


def _leaky_relu_into(x: Any, out: Array, slope: float) -> None:
    # Up to slope 1 the larger of x and slope * x is the right one on both sides of 0, beyond it the smaller.
    pick = np.maximum if slope <= 1 else np.minimum
    np.multiply(x, slope, out=out)
    pick(x, out, out=out)


def _elu(x: Array, alpha: float) -> Array:
    return np.where(np.greater(x, 0), x, np.multiply(np.expm1(x), alpha))


def _elu_into(x: Any, out: Array, alpha: float) -> None:
    positive = np.maximum(x, 0)
    np.minimum(x, 0, out=out)
    np.expm1(out, out=out)
    np.multiply(out, alpha, out=out)
    np.add(out, positive, out=out)


def _softplus(x: Any) -> Array:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.absolute(x)))


def _softplus_into(x: Any, out: Array) -> None:
    positive = np.maximum(x, 0)
    np.absolute(x, out=out)
    np.negative(out, out=out)
    np.exp(out, out=out)
    np.log1p(out, out=out)
    np.add(out, positive, out=out)


def _softsign(x: Any) -> Array:
    return x / (1 + np.absolute(x))


def _softsign_into(x: Any, out: Array) -> None:
    np.absolute(x, out=out)
    np.add(out, 1, out=out)
    np.divide(x, out, out=out)


def _step(x: Any) -> Array:
    return np.greater_equal(x, 0).astype(np.asarray(x).dtype)


def _step_into(x: Any, out: Array) -> None:
    np.greater_equal(x, 0, out=out)


ACTIVATION: dict[str, Kernel] = {
    "sigmoid": Kernel(_sigmoid, _sigmoid_into),
    "tanh": of_ufunc(np.tanh),
    "relu": Kernel(_relu, _relu_into),
    "relu_grad": Kernel(_relu_grad, _relu_grad_into),
    "leaky_relu": Kernel(_leaky_relu, _leaky_relu_into),
    "elu": Kernel(_elu, _elu_into),
    "softplus": Kernel(_softplus, _softplus_into),
    "softsign": Kernel(_softsign, _softsign_into),
    "step": Kernel(_step, _step_into),
}
