"""A training step on several processes: a program for some rows of a batch, one for what comes after -> a program like any other.

Each process computes the gradient and the figures of its rows with the same `part`; the first shard is this process's own. Then
this process runs `rest`, which adds up what the shards have found, in order, and updates the parameters. So the result is a
function of the rows and the number of shards, whatever runs when; from that of one program for the whole batch it differs by
rounding.

All arrays lie where they are needed from when a batch is bound: nothing is sent between the processes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from dslc_runtime.mapped import is_shared, own_bytes, private_bytes, shared_bytes
from dslc_runtime.memory import Allocate, Growing, Memory, aligned
from dslc_runtime.program import Bound, Buffer, Program
from dslc_runtime.shards import Batch, BoundShard, Cut, Run, bind_shard
from dslc_runtime.threads import limited
from dslc_runtime.workers import Worker

Array: TypeAlias = npt.NDArray[Any]

_CACHED = (
    4  # bindings kept, each with processes of its own: a full batch, the last short one, and a few lengths of sequences
)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A binding, its workers, and the arrays it was made for, which live as long so that their identity tells them."""

    bound: Bound
    workers: Sequence[Worker]
    arrays: Sequence[Array]


@dataclass(slots=True)
class Sharded:
    """A training step that is cut, to be bound and run as a `Program` is.

    Its parameters and states must lie in shared memory: `State.shared`. Run it with one thread for linear algebra, which is
    what workers have.

    Attributes:
        part: what a shard computes; it updates nothing. A float64 input of no axes is one of the numbers that a run is given.
        rest: takes what the shards have found, and the numbers `share.i`, which are the shards' parts of the rows.
        whole: makes the program for a batch of too few rows to be cut.
    """

    part: Program
    rest: Program
    cut: Cut
    whole: Callable[[], Program]
    _bound: OrderedDict[tuple[int, ...], _Kept] = field(default_factory=OrderedDict[tuple[int, ...], _Kept], repr=False)
    _scratch: Allocate = field(default_factory=lambda: Growing(own_bytes), repr=False)

    @property
    def inputs(self) -> Mapping[str, object]:
        """The array inputs by name."""
        return {name: spec for name, spec in self.part.inputs.items() if name not in self._numbers}

    @property
    def _numbers(self) -> tuple[str, ...]:
        """The inputs of `part` that are numbers."""
        return tuple(name for name, spec in self.part.inputs.items() if not spec.shape and spec.dtype == np.float64)

    @property
    def free_sizes(self) -> Sequence[str]:
        """The run-time sizes that no input tells."""
        return self.part.free_sizes

    def sizes_of(self, shapes: Mapping[str, Sequence[int]]) -> dict[str, int]:
        """The run-time sizes that shapes of all array inputs imply.

        Raises:
            SizeError: a shape does not fit the program, or two do not fit each other.
        """
        return self.part.sizes_of({**dict.fromkeys(self._numbers, ()), **shapes})

    def bind(self, sizes: Mapping[str, int], arrays: Mapping[str, Array]) -> Bound:
        """Memory and workers for one choice of sizes, around parameters and states. The last few bindings are kept.

        A run raises what it raises in any of the processes, and RuntimeFault DL5090 where a worker has ended.

        Raises:
            SizeError, TypeError: as `Program.bind` does.
            RuntimeFault: DL5090 a worker cannot be started.
        """
        if sizes[self.cut.batch] < self.cut.least * self.cut.shards:
            return self.whole().bind(sizes, arrays)
        used = [arrays[name] for each in (self.part, self.rest) for name in (*each.params, *each.states)]
        key = (*sizes.values(), *map(id, used))
        kept = self._bound.pop(key, None)
        if kept is None or not all(worker.alive for worker in kept.workers):
            kept = _Kept(*self._bind(sizes, arrays), used)
        self._bound[key] = kept
        if len(self._bound) > _CACHED:
            self._bound.popitem(last=False)
        return kept.bound

    def close(self) -> None:
        """End all workers. What was bound can no longer be run; it can be bound anew."""
        for kept in self._bound.values():
            for worker in kept.workers:
                worker.close()
        self._bound.clear()

    def _bind(self, sizes: Mapping[str, int], arrays: Mapping[str, Array]) -> tuple[Bound, list[Worker]]:
        for name in (*self.part.params, *self.part.states):
            if not is_shared(arrays[name]):
                raise ValueError(f"`{name}` is not in shared memory, so workers would not see it change")
        batch = self._batch(sizes, arrays)
        workers: list[Worker] = []
        results: list[Mapping[str, Array]] = []
        own, *others = self.cut.of(sizes[self.cut.batch])
        with limited(1):  # a process that is forked keeps that
            for shard in others:
                bound = bind_shard(self.part, self.cut, shard, batch, Memory(private_bytes, shared_bytes))
                workers.append(Worker(bound.run))
                results.append(bound.outputs)
        first = bind_shard(self.part, self.cut, own, batch, Memory(self._scratch, own_bytes))
        return self._join(batch, first, [first.outputs, *results], workers), workers

    def _batch(self, sizes: Mapping[str, int], arrays: Mapping[str, Array]) -> Batch:
        """Memory for a whole batch."""
        inputs, draws = self.part.fed(sizes)
        random = dict(zip((spec.stream for spec in self.part.draws), draws, strict=True))
        random |= dict(zip((spec.stream for spec in self.rest.draws), self.rest.fed(sizes)[1], strict=True))
        return Batch(
            sizes,
            arrays,
            {name: _shared(buffer) for name, buffer in inputs.items()},
            {stream: _shared(buffer) for stream, buffer in random.items()},
        )

    def _join(
        self, batch: Batch, first: BoundShard, results: Sequence[Mapping[str, Array]], workers: Sequence[Worker]
    ) -> Bound:
        """Every shard, then what comes after."""
        shards = self.cut.of(batch.sizes[self.cut.batch])
        inputs: dict[str, Array] = {}
        joins: list[tuple[Array, Array]] = []
        for name, buffer in self.rest.fed(batch.sizes)[0].items():
            if name in self.cut.joined:
                inputs[name] = np.zeros(*buffer)
                joins += [(shard.of(inputs[name], 0), each[name]) for shard, each in zip(shards, results, strict=True)]
            elif name in batch.inputs:
                inputs[name] = batch.inputs[name]
            else:
                result, _, number = name.rpartition(".")
                inputs[name] = results[int(number)][result]
        draws = [batch.draws[spec.stream] for spec in self.rest.draws]
        rest = self.rest.bind_fed(batch.sizes, batch.arrays, inputs, draws, Memory(self._scratch, aligned))
        shares = {f"share.{number}": shard.share for number, shard in enumerate(shards)}
        scalars = tuple(dict.fromkeys(name for name in (*rest.scalars, *self._numbers) if name not in shares))
        specs = {spec.stream: spec for spec in (*self.part.draws, *self.rest.draws)}
        return Bound(
            {name: batch.inputs[name] for name in self.inputs},
            [(specs[stream], buffer) for stream, buffer in batch.draws.items()],
            rest.outputs,
            scalars,
            _step(
                [(batch.inputs[name], scalars.index(name)) for name in self._numbers],
                workers,
                first.run,
                joins,
                rest.step,
                [(*scalars, *shares).index(name) for name in rest.scalars],
                tuple(shares.values()),
            ),
            max(first.scratch, rest.arena_bytes),
        )


def _shared(buffer: Buffer) -> Array:
    shape, dtype = buffer
    return np.ndarray(shape, dtype, shared_bytes(int(np.prod(shape)) * dtype.itemsize))


def _step(
    numbers: Sequence[tuple[Array, int]],
    workers: Sequence[Worker],
    first: Run,
    joins: Sequence[tuple[Array, Array]],
    rest: Callable[..., None],
    taken: Sequence[int],
    shares: tuple[float, ...],
) -> Callable[..., None]:
    """One run.

    Args:
        numbers: where shards find numbers, and which of the scalars they are.
        first: the shard of this process.
        taken: which of the scalars `rest` takes; the shares are behind them.
    """

    def step(*scalars: float) -> None:
        for target, i in numbers:
            target[()] = scalars[i]
        for worker in workers:
            worker.start()
        first()
        for worker in workers:
            worker.wait()
        for target, source in joins:
            np.copyto(target, source)
        known = (*scalars, *shares)
        rest(*[known[i] for i in taken])

    return step
