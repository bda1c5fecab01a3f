"""Memory of a program: slots one behind another in aligned bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

_ALIGNMENT = 64  # bytes: a cache line, and the widest vector register


def slot_offsets(sizes: Sequence[int]) -> tuple[list[int], int]:
    """Where slots of these sizes start, each aligned, and the size of all."""
    offsets: list[int] = []
    total = 0
    for size in sizes:
        offsets.append(total)
        total += -(-size // _ALIGNMENT) * _ALIGNMENT
    return offsets, total


def aligned(size: int) -> npt.NDArray[Any]:
    """That many bytes, starting where a slot may start."""
    memory = np.empty(size + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + size]
