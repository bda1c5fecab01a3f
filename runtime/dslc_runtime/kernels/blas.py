"""The BLAS that NumPy is linked to, for the one thing it does and NumPy has no function for: add a product to a matrix in memory.

BLAS adds every product to what is in memory; for ``a @ b``, NumPy has it cleared first. The function is looked up in the library
that NumPy multiplies by, whose threads are therefore limited with NumPy's, and is called through `ctypes`, which lets other threads
of Python run meanwhile. A function that was found is tried on small matrices before it is trusted. Where there is none, as on
Windows, whose lookup does not see what a library is linked to, callers compute the same with NumPy.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import product
from typing import Any

import numpy as np

from dslc_runtime.kernels.kernel import Array

#: What the function is called, `{}` being the letter of the element type, and its integers: OpenBLAS as NumPy's own packages have
#: it and as others build it, Apple's Accelerate, and any other BLAS.
_NAMES: tuple[tuple[str, Any], ...] = (
    ("scipy_cblas_{}gemm64_", ctypes.c_int64),
    ("cblas_{}gemm64_", ctypes.c_int64),
    ("scipy_cblas_{}gemm", ctypes.c_int),
    ("cblas_{}gemm$NEWLAPACK$ILP64", ctypes.c_int64),
    ("cblas_{}gemm", ctypes.c_int),
)
_NUMBERS: dict[np.dtype[Any], tuple[str, Any]] = {
    np.dtype(np.float32): ("s", ctypes.c_float),
    np.dtype(np.float64): ("d", ctypes.c_double),
}

_ROWS = 101  # CblasRowMajor: matrices lie row by row
_AS_IT_IS, _TRANSPOSED = 111, 112  # CblasNoTrans, CblasTrans


@dataclass(frozen=True, slots=True)
class Laid:
    """A matrix as BLAS takes it.

    Attributes:
        address: of its first element.
        form: whether it is a matrix that lies row by row, or the transposed of one.
        pitch: elements from the start of one of these rows to the next.
    """

    address: int
    form: int
    pitch: int


@dataclass(frozen=True, slots=True)
class Gemm:
    """``cblas_?gemm`` for one element type.

    Attributes:
        call: takes (order, form of a, form of b, m, n, k, alpha, a, pitch, b, pitch, beta, c, pitch).
        integer: the type of its integers but for the order and the forms, which are C's `int`.
        number: the type of alpha and beta.
    """

    call: Callable[..., object]
    integer: Any
    number: Any

    def product(self, a: Array, b: Array, out: Array) -> Callable[[float, float], None] | None:
        """A function of `alpha` and `beta` that makes `out` be ``alpha * (a @ b) + beta * out`` as long as the arrays live.

        None where it does not take matrices that lie like these, or that are empty. Where a number is 0, what it multiplies
        is not read, so that a nan in it is not seen.
        """
        left, right, target = laid(a), laid(b), laid(out)
        (m, n), k = out.shape, a.shape[1]
        if left is None or right is None or target is None or target.form != _AS_IT_IS or not out.flags.writeable:
            return None
        if a.shape != (m, k) or b.shape != (k, n) or not a.dtype == b.dtype == out.dtype == np.dtype(self.number):
            return None
        largest = 2 ** (8 * ctypes.sizeof(self.integer) - 1) - 1
        if not min(m, n, k) or max(m, n, k, left.pitch, right.pitch, target.pitch) > largest:
            return None
        call, alpha, beta = self.call, self.number(), self.number()
        forms, sizes = map(ctypes.c_int, (_ROWS, left.form, right.form)), map(self.integer, (m, n, k))
        of_a, of_b, of_out = ((ctypes.c_void_p(x.address), self.integer(x.pitch)) for x in (left, right, target))
        # Made once: to make them anew at each run takes as long as a small product.
        arguments = (*forms, *sizes, alpha, *of_a, *of_b, beta, *of_out)

        def run(by: float, keep: float) -> None:
            alpha.value, beta.value = by, keep
            call(*arguments)

        return run


def laid(x: Array) -> Laid | None:
    """How a matrix that is not empty lies in memory, or None where BLAS does not take it so."""
    if not x.flags.aligned:
        return None
    for form, matrix in ((_AS_IT_IS, x), (_TRANSPOSED, x.T)):
        (rows, columns), (down, along) = matrix.shape, matrix.strides
        pitch, rest = divmod(down, x.itemsize) if rows > 1 else (columns, 0)
        if rest == 0 and pitch >= columns and (columns == 1 or along == x.itemsize):
            return Laid(x.ctypes.data, form, pitch)
    return None


@cache
def gemm_of(dtype: np.dtype[Any]) -> Gemm | None:
    """The function for an element type, or None where there is none that can be trusted."""
    library = _library()
    if library is None or dtype not in _NUMBERS:
        return None
    letter, number = _NUMBERS[dtype]
    for name, integer in _NAMES:
        call: Any = getattr(library, name.format(letter), None)
        if call is None:
            continue
        call.restype = None
        found = Gemm(call, integer, number)
        if _is_right(found, dtype):
            return found
    return None


@cache
def _library() -> ctypes.CDLL | None:
    """The part of NumPy that is linked to BLAS: names are looked up in it and in what it is linked to."""
    try:
        return ctypes.CDLL(str(import_module("numpy._core._multiarray_umath").__file__))
    except (ImportError, AttributeError, OSError):
        return None


def _is_right(gemm: Gemm, dtype: np.dtype[Any]) -> bool:
    """Whether it multiplies small whole numbers, in all layouts, as NumPy does."""
    m, n, k = 3, 5, 2
    for turn_a, turn_b in product((False, True), repeat=2):
        a, b = (_matrix(rows, columns, turn, dtype) for rows, columns, turn in ((m, k, turn_a), (k, n, turn_b)))
        out = _matrix(m, n, False, dtype)
        expected = 3 * (a @ b) - 2 * out
        run = gemm.product(a, b, out)
        assert run is not None
        run(3.0, -2.0)
        if not np.array_equal(out, expected):
            return False
    return True


def _matrix(rows: int, columns: int, turned: bool, dtype: np.dtype[Any]) -> Array:
    """Whole numbers among others, row by row or, turned, column by column."""
    shape = (columns, rows) if turned else (rows, columns)
    found = np.arange(shape[0] * (shape[1] + 4)).astype(dtype).reshape(shape[0], -1)[:, 1 : shape[1] + 1]
    return found.T if turned else found
