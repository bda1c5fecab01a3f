"""The error function, which NumPy lacks, and what is made of it: the normal distribution and gelu.

In float64: the rational approximations of fdlibm's `s_erf.c` (Sun Microsystems, 1993), whose scheme of ranges goes back to
W. J. Cody, "Rational Chebyshev approximations for the error function", Mathematics of Computation 23 (1969). In float32
(and in float16 by way of it): tanh(x * p(x ** 2)) with a polynomial of degree 6, fitted by weighted least squares to a relative
error of 1e-7 on [-4, 4], beyond which both are 1 or -1; with rounding the result is within 4 units in the last place. That takes
NumPy 15 passes, which are made over pieces that stay in the cache: 4 to 8 times faster than over two million numbers at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from dslc_runtime.kernels.kernel import Array

_PIECE = 1 << 15  # elements
_PEAK = 1 / math.sqrt(2 * math.pi)

# Coefficients from the constant term up. The last one is positive, so the polynomial grows for ever.
_SINGLE = (
    1.12837927, 1.02769056e-01, -1.91830651e-04, -6.19785008e-04, 8.76375319e-05, -5.66851940e-06, 1.41855230e-07,
)  # fmt: skip


def _arrays(numbers: Iterable[float]) -> tuple[Array, ...]:
    """Constants that a ufunc takes as they are; a number would be converted at every call."""
    return tuple(np.array(number, np.float32) for number in numbers)


_OF_ERF = _arrays(_SINGLE)
_OF_NORMAL = _arrays(c * 0.5 ** (power + 0.5) for power, c in enumerate(_SINGLE))  # the same of x / sqrt(2)
_HALF, _FALL, _TOP = _arrays((0.5, -0.5, _PEAK))

# |x| < 0.84375: erf(x) = x + x * top(x ** 2) / bottom(x ** 2)
_SMALL_TOP = (
    1.28379167095512558561e-01, -3.25042107247001499370e-01, -2.84817495755985104766e-02,
    -5.77027029648944159157e-03, -2.37630166566501626084e-05,
)  # fmt: skip
_SMALL_BOTTOM = (
    1.0, 3.97917223959155352819e-01, 6.50222499887672944485e-02, 5.08130628187576562776e-03,
    1.32494738004321644526e-04, -3.96022827877536812320e-06,
)  # fmt: skip
# |x| < 1.25: erf(|x|) = _NEAR_ONE + top(|x| - 1) / bottom(|x| - 1)
_NEAR_ONE = 8.45062911510467529297e-01
_MIDDLE_TOP = (
    -2.36211856075265944077e-03, 4.14856118683748331666e-01, -3.72207876035701323847e-01, 3.18346619901161753674e-01,
    -1.10894694282396677476e-01, 3.54783043256182359371e-02, -2.16637559486879084300e-03,
)  # fmt: skip
_MIDDLE_BOTTOM = (
    1.0, 1.06420880400844228286e-01, 5.40397917702171048937e-01, 7.18286544141962662868e-02,
    1.26171219808761642112e-01, 1.36370839120290507362e-02, 1.19844998467991074170e-02,
)  # fmt: skip
# beyond: erf(|x|) = 1 - exp(-x ** 2 - 0.5625 + top(1 / x ** 2) / bottom(1 / x ** 2)) / |x|, in two ranges parted at 1 / 0.35
_LARGE_TOP = (
    -9.86494403484714822705e-03, -6.93858572707181764372e-01, -1.05586262253232909814e+01, -6.23753324503260060396e+01,
    -1.62396669462573470355e+02, -1.84605092906711035994e+02, -8.12874355063065934246e+01, -9.81432934416914548592e+00,
)  # fmt: skip
_LARGE_BOTTOM = (
    1.0, 1.96512716674392571292e+01, 1.37657754143519042600e+02, 4.34565877475229228821e+02, 6.45387271733267880336e+02,
    4.29008140027567833386e+02, 1.08635005541779435134e+02, 6.57024977031928170135e+00, -6.04244152148580987438e-02,
)  # fmt: skip
_FAR_TOP = (
    -9.86494292470009928597e-03, -7.99283237680523006574e-01, -1.77579549177547519889e+01, -1.60636384855821916062e+02,
    -6.37566443368389627722e+02, -1.02509513161107724954e+03, -4.83519191608651397019e+02,
)  # fmt: skip
_FAR_BOTTOM = (
    1.0, 3.03380607434824582924e+01, 3.25792512996573918826e+02, 1.53672958608443695994e+03, 3.19985821950859553908e+03,
    2.55305040643316442583e+03, 4.74528541206955367215e+02, -2.24409524465858183362e+01,
)  # fmt: skip


def erf(x: Any) -> Array:
    """The error function of each element, as a new array."""
    return _new(erf_into, x)


def erf_into(x: Any, out: Array) -> None:
    """Write the error function of each element of `x` into `out`, which may be `x` itself."""
    if out.dtype == np.float64:
        out[...] = _double(np.atleast_1d(x)).reshape(np.shape(x))
    else:
        _piecewise(_single, x, out=out)


def normal_cdf(x: Any) -> Array:
    """(1 + erf(x / sqrt(2))) / 2 of each element, as a new array."""
    return _new(normal_cdf_into, x)


def normal_cdf_into(x: Any, out: Array) -> None:
    """Write (1 + erf(x / sqrt(2))) / 2 into `out`, which may be `x` itself."""
    if out.dtype == np.float64:
        erf_into(np.multiply(x, np.sqrt(0.5)), out)
        np.multiply(out, 0.5, out=out)
        np.add(out, 0.5, out=out)
    else:
        _piecewise(_single_normal, x, out=out)


def normal_pdf(x: Any) -> Array:
    """exp(-x ** 2 / 2) / sqrt(2 pi) of each element, as a new array."""
    return np.exp(np.square(x) * -0.5) * _PEAK


def normal_pdf_into(x: Any, out: Array) -> None:
    """Write exp(-x ** 2 / 2) / sqrt(2 pi) into `out`, which may be `x` itself."""
    _piecewise(_bell, x, out=out)


def gelu(x: Any) -> Array:
    """x * normal_cdf(x) of each element, as a new array."""
    return np.multiply(x, normal_cdf(x))


def gelu_into(x: Any, out: Array) -> None:
    """Write x * normal_cdf(x) into `out`."""
    normal_cdf_into(x, out)
    np.multiply(out, x, out=out)


def gelu_grad(g: Any, x: Any, cdf: Any) -> Array:
    """g * (cdf + x * normal_pdf(x)) of each element, as a new array."""
    return np.multiply(g, np.add(cdf, np.multiply(x, normal_pdf(x))))


def gelu_grad_into(g: Any, x: Any, cdf: Any, out: Array) -> None:
    """Write g * (cdf + x * normal_pdf(x)) into `out`, which may be `g` or `cdf` itself."""
    if np.shape(g) == np.shape(x) == np.shape(cdf) == out.shape:
        _piecewise(_gelu_grad, g, x, cdf, out=out)
    else:
        out[...] = gelu_grad(g, x, cdf)


def _new(into: Callable[[Any, Array], None], x: Any) -> Array:
    out = np.empty_like(np.asarray(x))
    into(x, out)
    return out


def _piecewise(into: Callable[..., None], *operands: Any, out: Array) -> None:
    """Apply a function of flat arrays, which gets memory to work in, piece by piece; of half precision in float32."""
    dtype = np.float64 if out.dtype == np.float64 else np.float32
    flat = [np.ascontiguousarray(x, dtype).reshape(-1) for x in operands]
    direct = out.dtype == dtype and out.flags.c_contiguous
    result = out.reshape(-1) if direct else np.empty(out.size, dtype)
    work = np.empty(min(_PIECE, out.size), dtype)
    for start in range(0, out.size, _PIECE):
        piece = result[start : start + _PIECE]
        into(*(x[start : start + _PIECE] for x in flat), work[: piece.size], piece)
    if not direct:
        out[...] = result.reshape(out.shape)


def _polynomial(coefficients: tuple[float, ...], t: Array) -> Array:
    """Horner's scheme; `coefficients` from the constant term up."""
    total = np.multiply(t, coefficients[-1])
    for c in coefficients[-2:0:-1]:
        np.add(total, c, out=total)
        np.multiply(total, t, out=total)
    return np.add(total, coefficients[0], out=total)


def _ratio(top: tuple[float, ...], bottom: tuple[float, ...], t: Array) -> Array:
    return np.divide(_polynomial(top, t), _polynomial(bottom, t))


def _rising(coefficients: tuple[Array, ...], x: Array, work: Array, out: Array) -> None:
    """tanh(x * p(x ** 2))."""
    np.square(x, out=work)
    # Horner's scheme, in memory of its own where `out` is `x`.
    total = np.empty_like(x) if np.may_share_memory(out, x) else out
    np.multiply(work, coefficients[-1], out=total)
    for c in coefficients[-2:0:-1]:
        np.add(total, c, out=total)
        np.multiply(total, work, out=total)
    np.add(total, coefficients[0], out=total)
    np.multiply(total, x, out=out)
    np.tanh(out, out=out)


def _single(x: Array, work: Array, out: Array) -> None:
    _rising(_OF_ERF, x, work, out)


def _single_normal(x: Array, work: Array, out: Array) -> None:
    _rising(_OF_NORMAL, x, work, out)
    np.multiply(out, _HALF, out=out)
    np.add(out, _HALF, out=out)


def _bell(x: Array, _: Array, out: Array) -> None:
    np.square(x, out=out)
    np.multiply(out, _FALL, out=out)
    np.exp(out, out=out)
    np.multiply(out, _TOP if out.dtype == np.float32 else _PEAK, out=out)


def _gelu_grad(g: Array, x: Array, cdf: Array, work: Array, out: Array) -> None:
    _bell(x, work, work)
    np.multiply(work, x, out=work)
    np.add(cdf, work, out=work)
    np.multiply(g, work, out=out)


def _double(x: Array) -> Array:
    size = np.absolute(x)
    out = np.sign(x)  # 1 or -1 from |x| = 6 on, and nan of nan
    small = size < 0.84375
    middle = (size >= 0.84375) & (size < 1.25)
    large = (size >= 1.25) & (size < 1 / 0.35)
    far = (size >= 1 / 0.35) & (size < 6)
    t = x[small]
    out[small] = t + t * _ratio(_SMALL_TOP, _SMALL_BOTTOM, t * t)
    out[middle] *= _NEAR_ONE + _ratio(_MIDDLE_TOP, _MIDDLE_BOTTOM, size[middle] - 1)
    out[large] *= 1 - _tail(size[large], _LARGE_TOP, _LARGE_BOTTOM)
    out[far] *= 1 - _tail(size[far], _FAR_TOP, _FAR_BOTTOM)
    return out


def _tail(size: Array, top: tuple[float, ...], bottom: tuple[float, ...]) -> Array:
    """1 - erf(size)."""
    square = size * size
    return np.exp(-square - 0.5625 + _ratio(top, bottom, 1 / square)) / size
