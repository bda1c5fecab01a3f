"""First values of parameters: (key, shape, dtype, initialiser, seed) -> array. Knows no layers; fans come from the shape.

Each parameter has a generator of its own, keyed by (seed, key): adding a layer leaves the others' values unchanged. Numbers
are drawn in float64 and rounded, so an f64 model starts where its f32 twin does, to rounding.

Fans: a weight ``[..., in, out]`` has ``fan_in = in * r`` and ``fan_out = out * r``, `r` the product of the leading sizes. The
option ``layout = "out_in"`` reads ``[out, in, k...]`` as convolutions store it: ``fan_in = in * k...``, ``fan_out = out * k...``.
The options `fan_in` and `fan_out` override both: a bias has the fan-in of its weight. Defaults are PyTorch's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod, sqrt
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from dslc_runtime.random import generator

Array: TypeAlias = npt.NDArray[Any]
Options: TypeAlias = Mapping[str, Any]
Rule: TypeAlias = Callable[[np.random.Generator, tuple[int, ...], Options], Array]


def initialize(
    key: str,
    shape: tuple[int, ...],
    dtype: npt.DTypeLike,
    name: str,
    options: Options,
    value: Any = None,
    seed: int = 0,
) -> Array:
    """The first values of the parameter `key`.

    Args:
        name: one of `INITIALIZERS`, or "literal", whose numbers are `value`; one number fills.
        options: the initialiser's own options, and `layout`, `fan_in`, `fan_out` where the shape does not tell.

    Raises:
        KeyError: there is no initialiser of that name; the compiler has checked it, so that is a defect.
    """
    if name == "literal":
        return np.full(shape, value, dtype)
    return INITIALIZERS[name](generator(seed, "param", key), shape, options).astype(dtype)


def fans(shape: tuple[int, ...], options: Options) -> tuple[int, int]:
    """Fan-in and fan-out; see the module."""
    if len(shape) < 2:
        found = (prod(shape), prod(shape))
    elif options.get("layout") == "out_in":
        window = prod(shape[2:])
        found = (shape[1] * window, shape[0] * window)
    else:
        window = prod(shape[:-2])
        found = (shape[-2] * window, shape[-1] * window)
    return int(options.get("fan_in") or found[0]), int(options.get("fan_out") or found[1])


def _zeros(_: np.random.Generator, shape: tuple[int, ...], __: Options) -> Array:
    """0."""
    return np.zeros(shape)


def _ones(_: np.random.Generator, shape: tuple[int, ...], __: Options) -> Array:
    """1."""
    return np.ones(shape)


def _constant(_: np.random.Generator, shape: tuple[int, ...], options: Options) -> Array:
    """`value` everywhere."""
    return np.full(shape, float(options["value"]))


def _uniform(source: np.random.Generator, shape: tuple[int, ...], options: Options) -> Array:
    """U(low, high), 0 and 1 by default."""
    return source.uniform(options.get("low", 0.0), options.get("high", 1.0), shape)


def _normal(source: np.random.Generator, shape: tuple[int, ...], options: Options) -> Array:
    """N(mean, std**2), 0 and 1 by default."""
    return source.normal(options.get("mean", 0.0), options.get("std", 1.0), shape)


def _truncated_normal(source: np.random.Generator, shape: tuple[int, ...], options: Options) -> Array:
    """N(mean, std**2) given that it lies within two `std` of the mean; what lies outside is drawn again.

    The result's own standard deviation is 0.8796 `std`. Keras `TruncatedNormal`.
    """
    z = source.standard_normal(shape).reshape(-1)
    outside = np.flatnonzero(np.abs(z) > 2)
    while outside.size:
        z[outside] = source.standard_normal(outside.size)
        outside = outside[np.abs(z[outside]) > 2]
    return options.get("mean", 0.0) + options.get("std", 1.0) * z.reshape(shape)


def _symmetric(source: np.random.Generator, shape: tuple[int, ...], bound: float) -> Array:
    return source.uniform(-bound, bound, shape)


def _glorot_uniform(source: np.random.Generator, shape: tuple[int, ...], options: Options) -> Array:
    """U(-b, b), ``b = gain * sqrt(6 / (fan_in + fan_out))``. Glorot and Bengio, AISTATS 2010."""
    return _symmetric(source, shape, options.get("gain", 1.0) * sqrt(6 / max(sum(fans(shape, options)), 1)))


def _glorot_normal(source: np.random.Generator, shape: tuple[int, ...], options: Options) -> Array:
    """N(0, s**2), ``s = gain * sqrt(2 / (fan_in + fan_out))``. Glorot and Bengio, AISTATS 2010."""
    return source.normal(0.0, options.get("gain", 1.0) * sqrt(2 / max(sum(fans(shape, options)), 1)), shape)


def _kaiming_uniform(source: np.random.Generator, shape: tuple[int, ...], options: Options) -> Array:
    """U(-b, b), ``b = sqrt(6 / ((1 + a**2) * fan_in))``, `a` the slope of a leaky ReLU. He et al., ICCV 2015.

    ``a = sqrt(5)``, the default of PyTorch's layers, gives ``b = 1 / sqrt(fan_in)``.
    """
    return _symmetric(source, shape, sqrt(6 / ((1 + options.get("a", 0.0) ** 2) * max(fans(shape, options)[0], 1))))


def _kaiming_normal(source: np.random.Generator, shape: tuple[int, ...], options: Options) -> Array:
    """N(0, s**2), ``s = sqrt(2 / ((1 + a**2) * fan_in))``. He et al., ICCV 2015."""
    return source.normal(0.0, sqrt(2 / ((1 + options.get("a", 0.0) ** 2) * max(fans(shape, options)[0], 1))), shape)


def _lecun_uniform(source: np.random.Generator, shape: tuple[int, ...], options: Options) -> Array:
    """U(-b, b), ``b = sqrt(3 / fan_in)``. LeCun et al., Efficient BackProp, 1998."""
    return _symmetric(source, shape, sqrt(3 / max(fans(shape, options)[0], 1)))


def _lecun_normal(source: np.random.Generator, shape: tuple[int, ...], options: Options) -> Array:
    """N(0, s**2), ``s = sqrt(1 / fan_in)``. LeCun et al., Efficient BackProp, 1998."""
    return source.normal(0.0, sqrt(1 / max(fans(shape, options)[0], 1)), shape)


def _uniform_fan_in(source: np.random.Generator, shape: tuple[int, ...], options: Options) -> Array:
    """U(-b, b), ``b = 1 / sqrt(fan_in)``: PyTorch's biases, with the fan-in of the layer's weight."""
    return _symmetric(source, shape, 1 / sqrt(max(fans(shape, options)[0], 1)))


def _orthogonal(source: np.random.Generator, shape: tuple[int, ...], options: Options) -> Array:
    """A matrix with orthonormal rows or columns, whichever are fewer, times `gain`. Saxe et al., ICLR 2014.

    More than two sizes are read as ``[first, product of the rest]``. Signs follow R's diagonal, so the choice is uniform (Haar).
    """
    rows, columns = shape[0], prod(shape[1:])
    flat = source.standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(flat)
    q = q * np.where(np.diagonal(r) < 0, -1.0, 1.0)
    return (options.get("gain", 1.0) * (q if rows >= columns else q.T)).reshape(shape)


def _identity(_: np.random.Generator, shape: tuple[int, ...], options: Options) -> Array:
    """`gain` on the diagonal of a matrix, 0 elsewhere."""
    return options.get("gain", 1.0) * np.eye(shape[0], shape[1])


INITIALIZERS: Mapping[str, Rule] = {
    "zeros": _zeros,
    "ones": _ones,
    "constant": _constant,
    "uniform": _uniform,
    "normal": _normal,
    "truncated_normal": _truncated_normal,
    "glorot_uniform": _glorot_uniform,
    "glorot_normal": _glorot_normal,
    "he_uniform": _kaiming_uniform,
    "he_normal": _kaiming_normal,
    "kaiming_uniform": _kaiming_uniform,
    "kaiming_normal": _kaiming_normal,
    "lecun_uniform": _lecun_uniform,
    "lecun_normal": _lecun_normal,
    "uniform_fan_in": _uniform_fan_in,
    "orthogonal": _orthogonal,
    "identity": _identity,
}
