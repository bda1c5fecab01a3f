"""The small interface every engine offers: compile elsewhere, bind sizes, feed buffers, run, read outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy.typing as npt

from dslc_runtime.data.parts import Rows
from dslc_runtime.random import Draw, DrawSpec

Array: TypeAlias = npt.NDArray[Any]


class Bound(Protocol):
    """A program for fixed sizes and fixed state. `inputs` and the draws' buffers are the caller's to fill before each run."""

    @property
    def inputs(self) -> Mapping[str, Array]: ...

    @property
    def draws(self) -> Sequence[tuple[DrawSpec, Array]]: ...

    def drawing(self, seed: int, /) -> tuple[Draw, ...]:
        """What fills each random tensor for a step."""
        ...

    @property
    def outputs(self) -> Mapping[str, Array]:
        """Results of the last run; the same arrays are written again by the next one."""
        ...

    @property
    def scalars(self) -> tuple[str, ...]:
        """The numbers `step` takes, in order."""
        ...

    @property
    def step(self) -> Callable[..., None]:
        """One run, under ``np.errstate(all="ignore")``. It writes updates into the arrays the program was bound to."""
        ...


class Program(Protocol):
    """A compiled graph."""

    @property
    def inputs(self) -> Mapping[str, object]: ...

    @property
    def free_sizes(self) -> Sequence[str]:
        """The run-time sizes that no input tells: of batches that are random tensors alone."""
        ...

    def sizes_of(self, shapes: Mapping[str, Sequence[int]], /) -> Mapping[str, int]: ...

    def bind(self, sizes: Mapping[str, int], arrays: Mapping[str, Array], /) -> Bound: ...


@dataclass(frozen=True, slots=True)
class Feed:
    """A bound program joined to the fields its batches are gathered from.

    Attributes:
        gather: (field, input buffer) pairs: rows of the one are taken into the other.
        draw: what fills each random tensor for a step.
    """

    bound: Bound
    gather: tuple[tuple[Array, Array], ...]
    draw: tuple[Draw, ...]

    def fill(self, rows: Rows, step: int) -> None:
        """Make the inputs ready for a run on these rows. Rows are legal indices, so nothing is checked here."""
        for field, buffer in self.gather:
            field.take(rows, 0, buffer, "clip")  # "raise" would go through a copy
        for draw in self.draw:
            draw(step)


def feed(program: Program, state: Mapping[str, Array], fields: Mapping[str, Array], batch: int, seed: int) -> Feed:
    """Bind a program for batches of one size."""
    names = [name for name in program.inputs if name in fields]
    sizes = program.sizes_of({name: (batch, *fields[name].shape[1:]) for name in names})
    bound = program.bind({**sizes, **dict.fromkeys(program.free_sizes, batch)}, state)
    return Feed(
        bound,
        tuple((fields[name], bound.inputs[name]) for name in names),
        bound.drawing(seed),
    )
