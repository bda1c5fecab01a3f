"""How named tensors lie in one flat vector: parameters, their gradients and an optimizer's slots share one layout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Segment:
    """`key` occupies ``flat[offset : offset + prod(shape)]`` in C order."""

    key: str
    offset: int
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class Layout:
    """Segments one after another, without gaps."""

    segments: tuple[Segment, ...]

    @classmethod
    def of(cls, shapes: Mapping[str, tuple[int, ...]]) -> Layout:
        """The layout of tensors in the order given."""
        segments: list[Segment] = []
        offset = 0
        for key, shape in shapes.items():
            segments.append(Segment(key, offset, shape))
            offset += prod(shape)
        return cls(tuple(segments))

    @property
    def size(self) -> int:
        """Elements of the whole vector."""
        return self.segments[-1].offset + self.segments[-1].size if self.segments else 0

    def views(self, flat: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
        """Each tensor as a view of `flat`; writing to it writes to the vector."""
        return {s.key: flat[s.offset : s.offset + s.size].reshape(s.shape) for s in self.segments}

    def pack(self, tensors: Mapping[str, npt.NDArray[Any]], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """A new flat vector holding the tensors."""
        flat = np.empty(self.size, dtype)
        for key, view in self.views(flat).items():
            view[...] = tensors[key]
        return flat
