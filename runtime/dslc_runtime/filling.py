"""Where batches come from -> what makes inputs and random tensors ready for a run.

What a run needs is a function of the rows' numbers and the number of the batch. Rows are legal indices, so nothing is checked here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy.typing as npt

from dslc_runtime.data.parts import Rows
from dslc_runtime.random import Draw

Array: TypeAlias = npt.NDArray[Any]
Fill: TypeAlias = Callable[[Rows, int], None]  # the rows of a batch, and its number


@dataclass(frozen=True, slots=True)
class Source:
    """Where batches come from.

    Attributes:
        fields: what the inputs take rows of, by their names. One that is read-only will not change.
        seed: of the random tensors.
    """

    fields: Mapping[str, Array]
    seed: int


@dataclass(frozen=True, slots=True)
class Filling:
    """A `Fill`.

    Attributes:
        gather: (field, input buffer) pairs: rows of the one are taken into the other.
        draw: what fills each random tensor.
    """

    gather: tuple[tuple[Array, Array], ...]
    draw: tuple[Draw, ...]

    def __call__(self, rows: Rows, number: int) -> None:
        for field, buffer in self.gather:
            field.take(rows, 0, buffer, "clip")  # "raise" would go through a copy
        for draw in self.draw:
            draw(number)
