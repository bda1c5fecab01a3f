"""The small interface every engine offers: compile elsewhere, bind sizes, feed buffers, run, read outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy.typing as npt

from dslc_runtime.filling import Fill, Source
from dslc_runtime.random import DrawSpec

Array: TypeAlias = npt.NDArray[Any]


class Bound(Protocol):
    """A program for fixed sizes and fixed state. `inputs` and the draws' buffers are to be filled before each run."""

    @property
    def inputs(self) -> Mapping[str, Array]: ...

    @property
    def draws(self) -> Sequence[tuple[DrawSpec, Array]]: ...

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

    def bind_source(
        self, sizes: Mapping[str, int], arrays: Mapping[str, Array], source: Source, /
    ) -> tuple[Bound, Fill]:
        """As `bind`, and what is called before each run. All that is then filled is there when the run has ended."""
        ...


@dataclass(frozen=True, slots=True)
class Feed:
    """A bound program joined to where its batches come from.

    Attributes:
        fill: called before each run with the rows of the batch and its number; then `bound.step` runs on them.
    """

    bound: Bound
    fill: Fill


def feed(program: Program, state: Mapping[str, Array], fields: Mapping[str, Array], batch: int, seed: int) -> Feed:
    """Bind a program for batches of one size."""
    names = [name for name in program.inputs if name in fields]
    sizes = program.sizes_of({name: (batch, *fields[name].shape[1:]) for name in names})
    source = Source({name: fields[name] for name in names}, seed)
    return Feed(*program.bind_source({**sizes, **dict.fromkeys(program.free_sizes, batch)}, state, source))
