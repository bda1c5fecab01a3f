"""Memory in pages of its own: shared with the processes that are forked later, or kept from them.

Shared memory has no name and no file, so nothing is left behind whatever ends the processes. It comes zeroed, and pages that
nobody writes cost nothing.
"""

from __future__ import annotations

import mmap
from contextlib import suppress
from math import prod
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]

_MANY = 1 << 20  # bytes: a millisecond of copying pages


class _Shared(mmap.mmap):
    """Pages that forked processes read and write together."""


def shared_bytes(size: int) -> Array:
    """That many bytes, which are the same memory in this process and in those it forks from now on."""
    return np.frombuffer(_Shared(-1, max(size, 1)), np.uint8)[:size]


def private_bytes(size: int) -> Array:
    """That many bytes, of which a forked process has a copy. No page is copied that was not written before the fork."""
    return np.frombuffer(_private(size), np.uint8)[:size]


def own_bytes(size: int) -> Array:
    """That many bytes, which forked processes do not have: writing them after a fork copies no page.

    What is large or written in every step should lie here, in a process that forks.
    """
    pages = _private(size)
    _advise(pages, mmap.MADV_DONTFORK)
    return np.frombuffer(pages, np.uint8)[:size]


def _private(size: int) -> mmap.mmap:
    pages = mmap.mmap(-1, max(size, 1), mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    _advise(pages, mmap.MADV_HUGEPAGE)
    return pages


def _advise(pages: mmap.mmap, what: int) -> None:
    with suppress(OSError):  # not every kernel takes all advice, and no result depends on it
        pages.madvise(what)


def shared_zeros(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """An array of zeros in shared memory."""
    return np.ndarray(shape, dtype, shared_bytes(prod(shape) * dtype.itemsize))


def shared_copy(array: Array) -> Array:
    """The same values in shared memory."""
    copy = shared_zeros(array.shape, array.dtype)
    np.copyto(copy, array)
    return copy


def own_copy(array: Array) -> Array:
    """The same values in memory that forked processes do not have, if there are many of them and processes can be forked."""
    if array.nbytes < _MANY or not hasattr(mmap, "MADV_DONTFORK"):
        return array.copy()
    copy = np.ndarray(array.shape, array.dtype, own_bytes(array.nbytes))
    np.copyto(copy, array)
    return copy


def is_shared(array: Array) -> bool:
    """Whether an array lies in shared memory."""
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return isinstance(base, memoryview) and isinstance(base.obj, _Shared)
