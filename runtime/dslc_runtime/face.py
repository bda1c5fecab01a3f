"""What a compiled program takes and gives, as data: names, element types, shapes, and how sizes follow from inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dslc_runtime.random import DrawSpec


class SizeError(ValueError):
    """A tensor does not have the size the program needs.

    Attributes:
        name: the input, parameter or state; "" where a size inside the program does not work out.
        axis: the axis, or None where the rank or a size inside is wrong.
        expected, got: the two sizes; ranks where `axis` is None.
    """

    def __init__(self, message: str, name: str = "", axis: int | None = None, expected: int = 0, got: int = 0) -> None:
        super().__init__(message)
        self.name = name
        self.axis = axis
        self.expected = expected
        self.got = got


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """Element type and shape of a tensor; a run-time size is the text of its expression ("B", "2 * T")."""

    dtype: np.dtype[Any]
    shape: tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Solve:
    """How a run-time size follows from an input: ``size = (shape[axis] * den - add) / mul``."""

    input: int
    axis: int
    mul: int = 1
    add: int = 0
    den: int = 1


@dataclass(frozen=True, slots=True)
class Face:
    """What a program takes and gives, in the order of the generated source.

    Attributes:
        inputs, params, states, outputs: tensors by name.
        draws: the random tensors to fill before each run.
        scalars: inputs given as Python numbers at each run.
        sizes: run-time sizes by name, with the input each follows from (None: the caller must say).
        expressions: the text of every worked-out size, for messages.
    """

    inputs: Mapping[str, TensorSpec]
    params: Mapping[str, TensorSpec]
    states: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]
    draws: tuple[DrawSpec, ...]
    scalars: tuple[str, ...]
    sizes: Mapping[str, Solve | None]
    expressions: tuple[str, ...] = ()
