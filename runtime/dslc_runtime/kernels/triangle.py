"""Kernels: triangles of matrices, which are the last two axes."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from dslc_runtime.kernels.kernel import Array, Kernel


@lru_cache(maxsize=64)
def _below(rows: int, columns: int, diagonal: int) -> npt.NDArray[np.bool_]:
    """Where the lower triangle is, its border included."""
    return np.tri(rows, columns, diagonal, dtype=bool)


def _keep(x: Array, kept: npt.NDArray[np.bool_], out: Array) -> None:
    if out is not x:
        np.copyto(out, x)
    np.copyto(out, 0, where=~kept)


def _tril(x: Array, *, diagonal: int) -> Array:
    return np.tril(x, diagonal)


def _tril_into(x: Array, *, diagonal: int, out: Array) -> None:
    _keep(x, _below(*x.shape[-2:], diagonal), out)


def _triu(x: Array, *, diagonal: int) -> Array:
    return np.triu(x, diagonal)


def _triu_into(x: Array, *, diagonal: int, out: Array) -> None:
    _keep(x, ~_below(*x.shape[-2:], diagonal - 1), out)


TRIANGLE: dict[str, Kernel] = {"tril": Kernel(_tril, _tril_into), "triu": Kernel(_triu, _triu_into)}
