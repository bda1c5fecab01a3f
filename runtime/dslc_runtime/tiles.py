"""Tiles: long arrays cut into pieces that stay in the second-level cache while several calls work on them, one after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]

_WORTHWHILE = 4  # tiles; arrays that are shorter run whole, which measured as quick


def tile_of(length: int, tile: int) -> int:
    """The elements of one tile of arrays of so many elements: `tile`, or all of them where they are few."""
    return tile if length >= _WORTHWHILE * tile else length


def in_tiles(tile: int, arrays: Sequence[Array], scratch: Sequence[Array]) -> list[tuple[Array, ...]]:
    """Pieces of arrays of one size, whose elements lie in order, tile by tile; what is scratch serves every tile anew."""
    flat = [array.reshape(-1) for array in arrays]
    length = len(flat[0])
    step = tile_of(length, tile) or 1
    found: list[tuple[Array, ...]] = []
    for start in range(0, length, step):
        size = min(step, length - start)
        found.append((*(array[start : start + size] for array in flat), *(array[:size] for array in scratch)))
    return found
