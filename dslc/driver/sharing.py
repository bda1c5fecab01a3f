"""Training steps on one process -> the same steps on several that share out the rows of a batch, where that is worth while.

What is measured on other rows between epochs is shared out where the steps are.

Whether it is says the program, the size of a batch and the number of cores, never a timing, so that a run can be repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial

from dslc.backends.to_numpy import compile_numpy
from dslc.driver.cost import cost_by_layer
from dslc.graph import Graph
from dslc.passes import optimize
from dslc.sharding import Sharding, shard, sliced
from dslc.tensor_type import Size, evaluate, symbol
from dslc_runtime import engine
from dslc_runtime.data.parts import Part
from dslc_runtime.program import Program
from dslc_runtime.sharded import Sharded
from dslc_runtime.shards import Cut, Slice
from dslc_runtime.state import State
from dslc_runtime.threads import default_threads, usable_cores
from dslc_runtime.workers import can_fork

# Measured on two cores: a step of 150 million operations (two milliseconds) is 1.5 times as fast on two processes; to wake one
# and to wait for it takes about 0.1 ms.
_WORTH_SHARING = 100e6
_LEAST_ROWS = 8
# Each process writes a gradient of all parameters, and the first one reads them all: with 21 million parameters, steps on two
# processes took 1.1 times as long as on one with two threads; with 0.7 million they are quicker.
_MOST_PARAMETERS = 4e6
_MOST_PROCESSES = 4  # more have not been measured


@dataclass(frozen=True, slots=True)
class Cores:
    """What a training runs on.

    Attributes:
        threads: cores in use: by linear algebra, and in a step by `processes`.
        processes: that share out the rows of a batch.
        cuts: the graph of each step cut for them, where there are several.
    """

    threads: int
    processes: int = 1
    cuts: tuple[Sharding, ...] = ()

    @property
    def in_steps(self) -> int | None:
        """The threads of linear algebra in each of several processes; None for one, which uses all."""
        return 1 if self.processes > 1 else None


def cores_for(
    graphs: Sequence[Graph], state: State, part: Part, batch: int | None, threads: int | None, *, share: bool
) -> Cores:
    """What training steps are worth.

    Args:
        graphs: of the steps, as `dslc.training` makes them.
        part: what is trained on, of which only shapes matter.
        batch: rows of a batch; None: all.
        threads: how many cores to use; None chooses by the work of a step.
        share: whether several processes may be used.
    """
    rows = min(batch or len(part), len(part))
    parameters = sum(group.layout.size for group in state.groups)
    share = share and parameters <= _MOST_PARAMETERS
    processes = min(threads or usable_cores(), rows // _LEAST_ROWS, _MOST_PROCESSES) if share and can_fork() else 1
    cuts = _cuts(graphs, part, rows, processes) if processes > 1 else ()
    if cuts:
        return Cores(threads or usable_cores(), processes, cuts)
    return Cores(threads or threads_for(state, rows))


def threads_for(state: State, rows: int) -> int:
    """The threads of linear algebra for steps on so many rows that one process runs."""
    return default_threads(work_of(state, rows))


def work_of(state: State, rows: int) -> float:
    """Multiply-adds of one step, about: each weight meets each row forward, and twice more backward."""
    return 3.0 * rows * sum([group.layout.size for group in state.groups])


def _cuts(graphs: Sequence[Graph], part: Part, rows: int, processes: int) -> tuple[Sharding, ...]:
    """The steps cut; none where they are too short, or rows cannot be computed apart, as under batch norm."""
    shapes = {name: (rows, *field.shape[1:]) for name, field in part.fields.items()}
    if not all(_is_worth_it(graph, shapes) for graph in graphs):
        return ()
    cuts = [shard(graph, processes) for graph in graphs]
    made = tuple(cut for cut in cuts if isinstance(cut, Sharding))
    return made if len(made) == len(cuts) else ()


@contextmanager
def shared_out(
    cores: Cores, state: State, wholes: Sequence[Program], *, remat: bool
) -> Generator[tuple[Sequence[engine.Program], State]]:
    """Steps that run on these cores, and the state that they work on. What was learned is in `state` at the end.

    Args:
        wholes: the steps on one process; among several, for batches of too few rows.
        remat: whether cheap results are computed again instead of kept.
    """
    if not cores.cuts:
        yield wholes, state
        return
    steps = [
        _shared_step(cut, cores.processes, partial(wholes.__getitem__, position), remat)
        for position, cut in enumerate(cores.cuts)
    ]
    mapped = state.shared()
    try:
        yield steps, mapped
    finally:
        for step in steps:
            step.close()
        state.copy_from(mapped)


@contextmanager
def evaluation_shared_out(cores: Cores, graph: Graph, whole: Program) -> Generator[engine.Program]:
    """An evaluation that runs on the cores of the steps, on state that they work on; `whole` where its rows meet in the loss.

    Args:
        graph: what a batch contributes to the figures, as it was lowered; `whole` is its program on one process.
    """
    cut = shard(graph, cores.processes) if cores.cuts else None
    if not isinstance(cut, Sharding):
        yield whole
        return
    shared = _shared_step(cut, cores.processes, lambda: whole, remat=False)
    try:
        yield shared
    finally:
        shared.close()


def _shared_step(cut: Sharding, processes: int, whole: Callable[[], Program], remat: bool) -> Sharded:
    how = Cut(cut.batch, processes, cut.inputs, cut.draws, cut.joined)
    part = compile_numpy(optimize(cut.part), remat=remat)
    updates = sliced(cut.rest, processes)
    if updates is None:
        return Sharded(part, compile_numpy(optimize(cut.rest)), how, whole)
    slices = [Slice(each.start, each.stop, compile_numpy(optimize(each.graph))) for each in updates.slices]
    return Sharded(part, compile_numpy(optimize(updates.once)), how, whole, slices)


def _is_worth_it(graph: Graph, shapes: Mapping[str, tuple[int, ...]]) -> bool:
    """Whether a step on a batch of these shapes takes long enough. Its operations are counted, not timed."""
    sizes = {
        str(dim): size
        for leaf in graph.leaves("input")
        for dim, size in zip(leaf.out.shape, shapes.get(leaf.attrs.str("name"), ()), strict=False)
        if isinstance(dim, Size) and dim == symbol(str(dim))
    }
    with suppress(KeyError):  # a size that no input tells: of a batch that is random tensors alone
        return sum(evaluate(cost.flops, sizes) for cost in cost_by_layer(graph).values()) >= _WORTH_SHARING
    return False
