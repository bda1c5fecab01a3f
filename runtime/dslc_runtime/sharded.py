"""A training step on several processes: a program for some rows of a batch, one for what comes after -> a program like any other.

Each process computes the gradient and the figures of its rows with the same `part`; the first shard is this process's own. Then
this process runs `rest`, which adds up what the shards have found, in order, and updates the parameters; or each process updates
a slice of them. So the result is a function of the rows and the number of shards, whatever runs when; from that of one program
for the whole batch it differs by rounding.

All arrays lie where they are needed from when a batch is bound: nothing is sent between the processes but the numbers of the rows.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import isfinite
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from dslc_runtime.filling import Fill, Filling, Source
from dslc_runtime.generated import NonFiniteError
from dslc_runtime.mapped import is_shared, own_bytes, private_bytes, shared_bytes, shared_zeros
from dslc_runtime.memory import Allocate, Growing, Memory, aligned
from dslc_runtime.program import Bound, Program
from dslc_runtime.shard_filling import shard_filling
from dslc_runtime.shards import Batch, BoundShard, Cut, Run, Slice, bind_shard
from dslc_runtime.threads import limited
from dslc_runtime.workers import Worker

Array: TypeAlias = npt.NDArray[Any]

# Bindings kept, each with processes of its own: a full batch, the last short one, and a few lengths of sequences.
_CACHED = 4


@dataclass(frozen=True, slots=True)
class _Kept:
    """A binding, what fills it, its workers, and the arrays it was made for: while they live, their identity tells them."""

    bound: Bound
    fill: Fill
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
        slices: the updates, where `rest` leaves them to the processes: one for each shard, run if the loss is finite. They take
            what `rest` takes.
    """

    part: Program
    rest: Program
    cut: Cut
    whole: Callable[[], Program]
    slices: Sequence[Slice] = ()
    _bound: OrderedDict[tuple[int | None, ...], _Kept] = field(
        default_factory=OrderedDict[tuple[int | None, ...], _Kept], repr=False
    )
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
        if self._is_small(sizes):
            return self.whole().bind(sizes, arrays)
        return self._find(sizes, arrays, None).bound

    def bind_source(self, sizes: Mapping[str, int], arrays: Mapping[str, Array], source: Source) -> tuple[Bound, Fill]:
        """As `bind`, and what fills inputs and random tensors; a run completes it, in all processes at once.

        Fields that are read-only must not change while the binding is used.
        """
        if self._is_small(sizes):
            return self.whole().bind_source(sizes, arrays, source)
        kept = self._find(sizes, arrays, source)
        return kept.bound, kept.fill

    def _is_small(self, sizes: Mapping[str, int]) -> bool:
        """Whether a batch has too few rows to be cut."""
        return sizes[self.cut.batch] < self.cut.least * self.cut.shards

    def _find(self, sizes: Mapping[str, int], arrays: Mapping[str, Array], source: Source | None) -> _Kept:
        """The binding that is kept, or a new one."""
        updating = (each.program for each in self.slices)
        used = [arrays[name] for each in (self.part, self.rest, *updating) for name in (*each.params, *each.states)]
        used += source.fields.values() if source is not None else ()
        key = (source.seed if source is not None else None, *sizes.values(), *map(id, used))
        kept = self._bound.pop(key, None)
        if kept is None or not all(worker.alive for worker in kept.workers):
            kept = _Kept(*self._bind(sizes, arrays, source), used)
        self._bound[key] = kept
        if len(self._bound) > _CACHED:
            self._bound.popitem(last=False)
        return kept

    def close(self) -> None:
        """End all workers. What was bound can no longer be run; it can be bound anew."""
        for kept in self._bound.values():
            for worker in kept.workers:
                worker.close()
        self._bound.clear()

    def _bind(
        self, sizes: Mapping[str, int], arrays: Mapping[str, Array], source: Source | None
    ) -> tuple[Bound, Fill, list[Worker]]:
        updated = (name for each in self.slices for name in each.program.states)
        for name in (*self.part.params, *self.part.states, *updated):
            if not is_shared(arrays[name]):
                raise ValueError(f"`{name}` is not in shared memory, so workers would not see it change")
        batch = self._batch(sizes, arrays)
        own, *others = self.cut.of(sizes[self.cut.batch])
        kept = shared_bytes if self.slices else own_bytes
        shards = [bind_shard(self.part, self.cut, own, batch, Memory(self._scratch, kept))]
        shards += [
            bind_shard(self.part, self.cut, shard, batch, Memory(private_bytes, shared_bytes)) for shard in others
        ]
        fill: Fill = Filling((), ())
        if source is not None:
            specs = (*self.part.draws, *self.rest.draws)
            fill, begins = shard_filling(self.cut, batch, specs, source)
            shards = [shard.after(begin) for shard, begin in zip(shards, begins, strict=True)]
        bound, updates, step = self._join(batch, shards)
        with limited(1):  # a process that is forked keeps that
            workers = [
                Worker(shard.run, *updates[number : number + 1]) for number, shard in enumerate(shards) if number
            ]
        bound.step = partial(step, workers)
        return bound, fill, workers

    def _batch(self, sizes: Mapping[str, int], arrays: Mapping[str, Array]) -> Batch:
        """Memory for a whole batch."""
        inputs, draws = self.part.fed(sizes)
        random = dict(zip((spec.stream for spec in self.part.draws), draws, strict=True))
        random |= dict(zip((spec.stream for spec in self.rest.draws), self.rest.fed(sizes)[1], strict=True))
        return Batch(
            sizes,
            arrays,
            {name: shared_zeros(*buffer) for name, buffer in inputs.items()},
            {stream: shared_zeros(*buffer) for stream, buffer in random.items()},
        )

    def _join(self, batch: Batch, shards: Sequence[BoundShard]) -> tuple[Bound, Sequence[Run], Callable[..., None]]:
        """What comes after the shards: the binding, the updates, and a run, to which the workers are still to be given."""
        cut = self.cut.of(batch.sizes[self.cut.batch])
        shares = {f"share.{number}": shard.share for number, shard in enumerate(cut)}
        given = {f"{name}.{i}": array for i, shard in enumerate(shards) for name, array in shard.outputs.items()}
        given |= {name: np.array(share) for name, share in shares.items()} | dict(batch.inputs)
        joins: list[tuple[Array, Array]] = []
        inputs: dict[str, Array] = {}
        for name, buffer in self.rest.fed(batch.sizes)[0].items():
            inputs[name] = np.zeros(*buffer) if name in self.cut.joined else given[name]
            if name in self.cut.joined:
                found = zip(cut, shards, strict=True)
                joins += [(rows.of(inputs[name], 0), shard.outputs[name]) for rows, shard in found]
        draws = [batch.draws[spec.stream] for spec in self.rest.draws]
        rest = self.rest.bind_fed(batch.sizes, batch.arrays, inputs, draws, Memory(self._scratch, aligned))
        updated = (name for each in self.slices for name in each.program.scalars)
        scalars = tuple(dict.fromkeys(n for n in (*rest.scalars, *updated, *self._numbers) if n not in shares))
        known = shared_zeros((len(scalars) + len(shares),), np.dtype(np.float64))
        known[len(scalars) :] = list(shares.values())
        names = (*scalars, *shares)
        updates = [self._bind_slice(number, batch, given, known, names) for number in range(len(self.slices))]
        specs = {spec.stream: spec for spec in (*self.part.draws, *self.rest.draws)}
        step = partial(
            _step,
            numbers=(known[: len(scalars)], [(given[name], scalars.index(name)) for name in self._numbers]),
            first=shards[0].run,
            joins=joins,
            rest=_reading(rest.step, known, [names.index(name) for name in rest.scalars]),
            loss=rest.outputs.get("loss"),
            update=updates[0] if updates else None,
        )
        inputs = {name: batch.inputs[name] for name in self.inputs}
        draws = [(specs[stream], buffer) for stream, buffer in batch.draws.items()]
        scratch = max(shards[0].scratch, rest.arena_bytes)
        return Bound(inputs, draws, rest.outputs, scalars, step, scratch), updates, step

    def _bind_slice(
        self, number: int, batch: Batch, given: Mapping[str, Array], known: Array, names: Sequence[str]
    ) -> Run:
        """What a process updates."""
        piece = self.slices[number]
        of_piece = slice(piece.start, piece.stop)
        arrays = {name: batch.arrays[name][of_piece] for name in piece.program.states}
        inputs = {name: given[name][of_piece] for name in piece.program.inputs}
        memory = Memory(self._scratch, own_bytes) if number == 0 else Memory(private_bytes, private_bytes)
        bound = piece.program.bind_fed(batch.sizes, arrays, inputs, [], memory)
        return _reading(bound.step, known, [names.index(name) for name in bound.scalars])


def _reading(step: Callable[..., None], known: Array, taken: Sequence[int]) -> Run:
    """A run that finds its numbers in memory."""

    def run() -> None:
        step(*[float(known[i]) for i in taken])

    return run


def _step(
    workers: Sequence[Worker],
    *scalars: float,
    numbers: tuple[Array, Sequence[tuple[Array, int]]],
    first: Run,
    joins: Sequence[tuple[Array, Array]],
    rest: Run,
    loss: Array | None,
    update: Run | None,
) -> None:
    """One run.

    Args:
        numbers: where all processes find the scalars, and where shards find some of them, and which.
        first: the shard of this process.
        update: the slice of this process; None where `rest` updates all.
    """
    known, of_shards = numbers
    known[:] = scalars
    for target, i in of_shards:
        target[()] = scalars[i]
    for worker in workers:
        worker.start()
    first()
    for worker in workers:
        worker.wait()
    for target, source in joins:
        np.copyto(target, source)
    rest()
    if update is None:
        return
    if loss is not None and not isfinite(loss):
        raise NonFiniteError("loss")
    try:
        for worker in workers:
            worker.start(1)
        update()
        for worker in workers:
            worker.wait()
    except BaseException:
        for worker in workers:
            worker.close()  # or it would go on writing what the caller is about to restore
        raise
