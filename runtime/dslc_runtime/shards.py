"""Some rows of a batch: the program that computes what they give -> bound to their part of the whole batch's inputs.

Where rows lie on the first axis, their part is the memory of the whole; where they lie on another one, a run begins with a copy.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from dslc_runtime.mapped import private_bytes
from dslc_runtime.memory import Allocate, Memory
from dslc_runtime.program import Program

Array: TypeAlias = npt.NDArray[Any]
Run: TypeAlias = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Cut:
    """How a training step is cut.

    Attributes:
        batch: the run-time size that counts the rows.
        shards: how many there are.
        inputs, draws: the axis along which a shard takes its part of an input, by name, and of a random tensor, by stream. What
            is not there, every shard reads whole.
        joined: results of a shard that are rows: what comes after takes those of all shards under their own names, one behind
            the other. Of every other result it takes that of shard i as `NAME.i`.
        least: rows for every shard, below which a batch is not cut.
    """

    batch: str
    shards: int
    inputs: Mapping[str, int]
    draws: Mapping[str, int]
    joined: Collection[str] = ()
    least: int = 2

    def of(self, batch: int) -> list[Shard]:
        """The shards of a batch. The first ones have one row more where they do not come out even."""
        each, more = divmod(batch, self.shards)
        ends = accumulate((each + (number < more) for number in range(self.shards)), initial=0)
        return [Shard(start, stop, batch) for start, stop in pairwise(ends)]


@dataclass(frozen=True, slots=True)
class Shard:
    """The rows from `start` to `stop` of a batch."""

    start: int
    stop: int
    batch: int

    @property
    def share(self) -> float:
        """Its part of the rows."""
        return (self.stop - self.start) / self.batch

    def of(self, array: Array, axis: int | None) -> Array:
        """Its part of an array, along an axis that has one or several elements for each row; all of it without an axis."""
        if axis is None:
            return array
        each = array.shape[axis] // self.batch
        return array[(slice(None),) * axis + (slice(self.start * each, self.stop * each),)]


@dataclass(frozen=True, slots=True)
class Slice:
    """The elements from `start` to `stop` of all vectors of parameters and slots, and the program that updates them."""

    start: int
    stop: int
    program: Program


@dataclass(frozen=True, slots=True)
class Batch:
    """A whole batch.

    Attributes:
        sizes: its run-time sizes.
        arrays: parameters and states by name.
        inputs, draws: what is filled before a run, by name and by stream.
    """

    sizes: Mapping[str, int]
    arrays: Mapping[str, Array]
    inputs: Mapping[str, Array]
    draws: Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class BoundShard:
    """What a shard runs, its results by name, each contiguous, and the bytes of scratch memory it needs.

    Memory that only the run uses goes with it.
    """

    run: Run
    outputs: Mapping[str, Array]
    scratch: int

    def after(self, begin: Run) -> BoundShard:
        """The same, with something that is done first."""

        def run() -> None:
            begin()
            self.run()

        return replace(self, run=run)


def bind_shard(part: Program, cut: Cut, shard: Shard, batch: Batch, memory: Memory) -> BoundShard:
    """Bind what a shard computes. The program updates nothing, so all that it is given are arrays.

    Raises:
        SizeError, TypeError: as `Program.bind` does.
    """
    before: list[tuple[Array, Array]] = []
    inputs = {
        name: _in_order(shard.of(batch.inputs[name], cut.inputs.get(name)), before, private_bytes)
        for name in part.inputs
    }
    draws = [
        _in_order(shard.of(batch.draws[spec.stream], cut.draws.get(spec.stream)), before, private_bytes)
        for spec in part.draws
    ]
    sizes = {**batch.sizes, cut.batch: shard.stop - shard.start}
    bound = part.bind_fed(sizes, batch.arrays, inputs, draws, memory)
    after: list[tuple[Array, Array]] = []
    outputs = {name: _in_order(array, after, memory.kept) for name, array in bound.outputs.items()}
    return BoundShard(_with_copies(before, bound.step, after), outputs, bound.arena_bytes)


def _in_order(array: Array, copies: list[tuple[Array, Array]], allocate: Allocate) -> Array:
    """The array, or a contiguous one that a new copy takes its values to."""
    if array.flags.c_contiguous:
        return array
    copy: Array = np.ndarray(array.shape, array.dtype, allocate(array.nbytes))
    copies.append((copy, array))
    return copy


def _with_copies(before: Sequence[tuple[Array, Array]], step: Run, after: Sequence[tuple[Array, Array]]) -> Run:
    if not before and not after:
        return step

    def run() -> None:
        for target, source in before:
            np.copyto(target, source)
        step()
        for target, source in after:
            np.copyto(target, source)

    return run
