"""Kernels that are bound once: what can be worked out from shapes is, and a run is a list of NumPy calls on views made before.

A kernel of many small calls costs mostly the making of views. All such kernels of a program run one after another, so they
share the memory in which they put what they need for a moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
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

    def arrays(self, dtype: np.dtype[Any], *shapes: Sequence[int]) -> list[Array]:
        """Arrays for one kernel, beside each other. Where memory has to grow, arrays given out before keep what they have."""
        sizes = [-(-prod(shape) * dtype.itemsize // _ALIGNMENT) * _ALIGNMENT for shape in shapes]
        needed = sum(sizes) + _ALIGNMENT
        if self._memory.nbytes < needed:
            self._memory = np.empty(needed, np.uint8)
        at = -self._memory.ctypes.data % _ALIGNMENT
        found: list[Array] = []
        for shape, size in zip(shapes, sizes, strict=True):
            found.append(np.ndarray(tuple(shape), dtype, self._memory, at))
            at += size
        return found


def in_order(steps: Iterable[Step]) -> Step:
    """One call for all of them."""
    listed = tuple(steps)

    def run() -> None:
        for step in listed:
            step()

    return run


def bound_and_run(bind: Callable[..., Step]) -> Callable[..., None]:
    """The `into` of a kernel that is bound: both at once."""

    def into(*operands: Array, **options: Any) -> None:
        bind(*operands, work=Work(), **options)()

    return into
