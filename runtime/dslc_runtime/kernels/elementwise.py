"""Kernels: arithmetic, comparison, choice, conversion, functions of one number."""

from __future__ import annotations

from typing import Any

import numpy as np

from dslc_runtime.kernels.erf import (
    erf,
    erf_into,
    gelu,
    gelu_grad,
    gelu_grad_into,
    gelu_into,
    normal_cdf,
    normal_cdf_into,
    normal_pdf,
    normal_pdf_into,
)
from dslc_runtime.kernels.kernel import Array, Kernel, of_ufunc

# A choice made bit by bit does not branch: 4 times faster than `np.where` where the condition follows no pattern.
_BITS = {n: np.dtype(f"i{n}") for n in (1, 2, 4, 8)}


def _pow(x: Any, y: Any) -> Array:
    dtype = np.result_type(x, y)
    if dtype.kind == "f":
        return np.power(x, y)
    x, y = np.broadcast_arrays(np.asarray(x, dtype), np.asarray(y, dtype))
    # x ** -n is 1 / x ** n cut to an integer: only 1 and -1 have a reciprocal that is not a fraction.
    cut = np.where(x == 1, 1, np.where(x == -1, 1 - 2 * (y & 1), 0))
    return np.where(y < 0, cut, np.power(x, np.maximum(y, 0))).astype(dtype)


def _pow_into(x: Any, y: Any, out: Array) -> None:
    if out.dtype.kind == "f":
        np.power(x, y, out=out)
    else:
        out[...] = _pow(x, y)


def _where(condition: Array, x: Array, y: Array) -> Array:
    return np.where(condition, x, y)


def _where_into(condition: Any, x: Any, y: Any, out: Array) -> None:
    bits = _BITS[out.itemsize]
    chosen, x, y = out.view(bits), np.asarray(x, out.dtype).view(bits), np.asarray(y, out.dtype).view(bits)
    mask = np.negative(condition, dtype=bits) if np.ndim(condition) else -int(condition)
    np.bitwise_xor(x, y, out=chosen)
    np.bitwise_and(chosen, mask, out=chosen)
    np.bitwise_xor(chosen, y, out=chosen)


def _cast(x: Any, dtype: np.dtype[Any]) -> Array:
    return np.asarray(x).astype(dtype)


def _cast_into(x: Any, out: Array, dtype: np.dtype[Any]) -> None:
    del dtype
    np.copyto(out, x, casting="unsafe")


def _clip(x: Any, low: float | None, high: float | None) -> Array:
    return np.clip(x, low, high)


def _clip_into(x: Any, out: Array, low: float | None, high: float | None) -> None:
    np.clip(x, low, high, out=out)


def _same(x: Any) -> Array:
    return np.asarray(x)


def _copy_into(x: Any, out: Array) -> None:
    np.copyto(out, x)


ELEMENTWISE: dict[str, Kernel] = {
    "add": of_ufunc(np.add),
    "sub": of_ufunc(np.subtract),
    "mul": of_ufunc(np.multiply),
    "div": of_ufunc(np.divide),
    "pow": Kernel(_pow, _pow_into),
    "mod": of_ufunc(np.remainder),
    "minimum": of_ufunc(np.minimum),
    "maximum": of_ufunc(np.maximum),
    "neg": of_ufunc(np.negative),
    "eq": of_ufunc(np.equal),
    "ne": of_ufunc(np.not_equal),
    "lt": of_ufunc(np.less),
    "le": of_ufunc(np.less_equal),
    "gt": of_ufunc(np.greater),
    "ge": of_ufunc(np.greater_equal),
    "logical_and": of_ufunc(np.logical_and),
    "logical_or": of_ufunc(np.logical_or),
    "logical_not": of_ufunc(np.logical_not),
    "where": Kernel(_where, _where_into),
    "cast": Kernel(_cast, _cast_into),
    "stop_gradient": Kernel(_same, _copy_into, view=True),
    "exp": of_ufunc(np.exp),
    "log": of_ufunc(np.log),
    "sqrt": of_ufunc(np.sqrt),
    "square": of_ufunc(np.square),
    "reciprocal": of_ufunc(np.reciprocal),
    "sin": of_ufunc(np.sin),
    "cos": of_ufunc(np.cos),
    "erf": Kernel(erf, erf_into),
    "normal_cdf": Kernel(normal_cdf, normal_cdf_into),
    "normal_pdf": Kernel(normal_pdf, normal_pdf_into),
    "gelu_exact": Kernel(gelu, gelu_into),
    "gelu_grad": Kernel(gelu_grad, gelu_grad_into),
    "abs": of_ufunc(np.absolute),
    "sign": of_ufunc(np.sign),
    "floor": of_ufunc(np.floor),
    "round": of_ufunc(np.rint),
    "clip": Kernel(_clip, _clip_into),
}
