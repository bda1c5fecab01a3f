"""Kernels that are bound once: what can be worked out from shapes is, and a run is a list of NumPy calls on views made before.

A kernel of many small calls costs mostly the making of views. All such kernels of a program run one after another, so they
share the memory in which they put what they need for a moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from math import prod
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from dslc_runtime.kernels.kernel import Array

#: A call with all its arguments; what it returns means nothing.
Step: TypeAlias = Callable[[], object]

_ALIGNMENT = 64


class Work:
    """Memory for one kernel at a time. What is given out is overwritten by the next kernel that runs."""

    def __init__(self) -> None:
        self._memory: npt.NDArray[np.uint8] = np.empty(0, np.uint8)
        self._used = 0  # of this memory
        self._given = 0  # since `anew`, of this memory or of less that was not enough

    def anew(self) -> None:
        """Begin another kernel, which may use all of the memory. There is as much of it as the kernel before was given."""
        if self._given + _ALIGNMENT > self._memory.nbytes:
            self._memory = np.empty(self._given + _ALIGNMENT, np.uint8)
        self._used = self._given = 0

    def array(self, dtype: np.dtype[Any], *shape: int) -> Array:
        """An array beside those given out since `anew`. Where memory has to grow, these keep what they have."""
        size = -(-prod(shape) * dtype.itemsize // _ALIGNMENT) * _ALIGNMENT
        if self._used + size + _ALIGNMENT > self._memory.nbytes:
            self._memory, self._used = np.empty(size + _ALIGNMENT, np.uint8), 0
        start = -self._memory.ctypes.data % _ALIGNMENT + self._used
        self._used += size
        self._given += size
        return np.ndarray(shape, dtype, self._memory, start)


def in_order(steps: Iterable[Step]) -> Step:
    """One call for all of them."""
    listed = tuple(steps)

    def run() -> None:
        for step in listed:
            step()

    return run


def contiguous(x: Array, steps: list[Step]) -> Array:
    """The array, or one that a new step copies it to where its elements do not lie in order."""
    if x.flags.c_contiguous:
        return x
    copy = np.empty(x.shape, x.dtype)
    steps.append(partial(np.copyto, copy, x))
    return copy


def bound_and_run(bind: Callable[..., Step]) -> Callable[..., None]:
    """The `into` of a kernel that is bound: both at once."""

    def into(*operands: Array, **options: Any) -> None:
        bind(*operands, work=Work(), **options)()

    return into
