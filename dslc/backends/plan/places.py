"""Planning, third part: the memory of every value. The rules:

- Two values share memory only where the later one may overwrite the earlier: an operator writes over an operand that dies
  there and that its `inplace` allows, or straight into memory that is waiting for the result.
- Waiting memory is a segment of a packed vector, for each operand of `pack` that a kernel computes; and a state, for its new
  value, once everything that reads the old value has run (or runs in that very step, element by element). Where the new value
  is packed, that is asked of each segment: an optimizer may update one after another.
- Inputs, parameters, draws and constants are never written. Results and what is computed once are never overwritten.
- A state is not written before `loss` is known, so that a loss that is not finite leaves it as it was.

Time is the index of a node in the order of the run; `START` is before it (copies of old values), the end is after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dslc.backends.plan.aliases import Alias
from dslc.backends.plan.loops import Span
from dslc.graph import Graph
from dslc.ops import OPS
from dslc.ops.ir import Node
from dslc.tensor_type import Dim, TensorType, count

START = -1


@dataclass(frozen=True, slots=True)
class Read:
    """A use of some memory at a time.

    Attributes:
        harmless: the reader may write over exactly what it reads.
        elements: which are read, where that is known and they lie without gaps; it may be any of them elsewhere.
    """

    time: int
    harmless: bool = False
    elements: range | None = None


@dataclass(slots=True, eq=False)
class Group:
    """Values that lie one after another in the same memory, all of one type.

    Attributes:
        first: when it is first written.
        reads: every use of a value in it, views included.
        segment: the packed vector it is a part of, and the offset in elements.
        state: the state it is written into.
        parts: the groups that are segments of this one.
        kept: whether it outlives the run.
    """

    type: TensorType
    first: int
    reads: list[Read] = field(default_factory=list[Read])
    segment: tuple[Group, Dim] | None = None
    state: Node | None = None
    parts: list[Group] = field(default_factory=list["Group"])
    kept: bool = False

    def everything(self) -> Iterator[Group]:
        """This group and all its parts."""
        yield self
        for part in self.parts:
            yield from part.everything()

    def start(self) -> int:
        """When anything in it is first written."""
        return min(group.first for group in self.everything())

    def end(self) -> int:
        """When anything in it is last needed."""
        return max((read.time for group in self.everything() for read in group.reads), default=self.start())

    def outlives(self) -> bool:
        """Whether anything in it outlives the run."""
        return any(group.kept for group in self.everything())

    def dies_at(self, time: int) -> bool:
        """Whether nothing needs it after `time`, and at that time only steps that may overwrite it."""
        return all(
            read.time < time or (read.time == time and read.harmless)
            for group in self.everything()
            for read in group.reads
        )


@dataclass(frozen=True, slots=True)
class Run:
    """What is to be laid out: the nodes with a step of their own, in order, and what the values alias.

    Attributes:
        nodes: kernel calls, packs and host arithmetic, by time.
        alias: value id -> alias.
        owned: ids of the base values that the run computes into memory of the plan, and when.
        states: state name -> its leaf.
        loss_time: when the output `loss` is known, or `START`.
        loops: the neighbours that run tile by tile.
        tile: the elements of a tile.
    """

    graph: Graph
    nodes: Sequence[Node]
    alias: Mapping[int, Alias]
    owned: Mapping[int, int]
    states: Mapping[str, Node]
    loss_time: int
    loops: tuple[Span, ...]
    tile: int

    @property
    def end(self) -> int:
        """The time after the last node."""
        return len(self.nodes)


def reads(run: Run) -> dict[int, list[Read]]:
    """Every read of every base value by nodes, results and updates."""
    found: dict[int, list[Read]] = {}
    for time, node in enumerate(run.nodes):
        allowed = OPS[node.op].inplace
        for position, value in enumerate(node.inputs):
            alias = run.alias[value.id]
            elements = _elements(alias.start, value.type)
            exact = alias.whole or elements is not None
            harmless = position in allowed and exact and value.type == node.out.type
            found.setdefault(alias.base, []).append(Read(time, harmless, elements))
    for value in run.graph.outputs.values():
        base = run.alias[value.id].base
        found.setdefault(base, []).append(Read(run.end if base in run.owned else START))
    for name, value in run.graph.updates.items():
        base = run.alias[value.id].base
        if value.id != run.states[name].id:
            found.setdefault(base, []).append(Read(run.end if base in run.owned else START))
    return found


def groups(run: Run, read: Mapping[int, list[Read]]) -> dict[int, Group]:
    """Base value id -> its group, for every value in memory of the plan. The updates in place are those with a `state`."""
    found = _alone(run, read)
    _place_in_packs(run, found)
    _place_in_states(run, found, read)
    _place_in_operands(run, found, read)
    return found


def _alone(run: Run, read: Mapping[int, list[Read]]) -> dict[int, Group]:
    """Each value by itself."""
    found = {i: Group(run.graph.nodes[i].out.type, time, list(read.get(i, ()))) for i, time in run.owned.items()}
    for value in run.graph.outputs.values():
        group = found.get(run.alias[value.id].base)
        if group is not None:
            group.kept = True
    return found


def _place_in_packs(run: Run, found: Mapping[int, Group]) -> None:
    """Let the operands of a pack be computed in its memory. A value in two places of packs is copied to the second."""
    for node in run.nodes:
        if node.op != "pack":
            continue
        vector = found[node.id]
        offset: Dim = 0
        for value in node.inputs:
            alias = run.alias[value.id]
            group = found.get(alias.base)
            if group is not None and alias.whole and group.segment is None:
                group.segment = vector, offset
                vector.parts.append(group)
            offset = offset + count(value.shape)


def _place_in_states(run: Run, found: Mapping[int, Group], read: Mapping[int, list[Read]]) -> None:
    """Let new values of states be computed in the state's memory."""
    for name, value in run.graph.updates.items():
        state, alias = run.states[name], run.alias[value.id]
        group = found.get(alias.base)
        if group is None or not alias.whole or group.segment is not None or group.state is not None:
            continue
        fits = value.type == group.type == state.out.type
        if fits and not group.outlives() and _may_write(run, state, group, 0, read):
            group.state = state
            group.reads.remove(Read(run.end))


def _may_write(run: Run, state: Node, group: Group, offset: Dim, read: Mapping[int, list[Read]]) -> bool:
    """Whether a group may lie in a state from an offset on: the loss is known, and old elements are read before new ones come."""
    if group.start() <= run.loss_time:
        return False
    writes = list(_writes(group, offset))
    return all(
        _comes_first(run, each, elements, time)
        for each in read.get(state.id, ())
        for elements, time in writes
        if _may_meet(each.elements, elements)
    )


def _comes_first(run: Run, old: Read, elements: range | None, time: int) -> bool:
    """Whether elements of a state are read before some of them are written, where both may be steps of a loop over tiles."""
    if old.elements == elements:
        return old.time < time or (old.time == time and old.harmless)
    return old.time < time and not any(loop.first <= old.time and time <= loop.last for loop in run.loops)


def _writes(group: Group, offset: Dim) -> Iterator[tuple[range | None, int]]:
    """Which elements of a vector a group that lies in it is, and when they are first written; so for all its parts."""
    yield _elements(offset, group.type), group.first
    for part in group.parts:
        assert part.segment is not None
        yield from _writes(part, offset + part.segment[1])


def _elements(start: Dim | None, type_: TensorType) -> range | None:
    """The elements of a vector that a tensor is, if that is known."""
    length = count(type_.shape)
    return range(start, start + length) if isinstance(start, int) and isinstance(length, int) else None


def _may_meet(some: range | None, others: range | None) -> bool:
    """Whether an element may be one of both."""
    return some is None or others is None or max(some.start, others.start) < min(some.stop, others.stop)


def _place_in_operands(run: Run, found: dict[int, Group], read: Mapping[int, list[Read]]) -> None:
    """Let results be computed over an operand that dies there."""
    for time, node in enumerate(run.nodes):
        if node.id not in run.owned:
            continue
        for position in OPS[node.op].inplace:
            alias = run.alias[node.inputs[position].id]
            old, new = found.get(alias.base), found[node.id]
            if old is None or not alias.whole or not node.inputs[position].type == old.type == new.type:
                continue
            if _may_take_over(run, old, new, time, read):
                _take_over(old, new)
                found[node.id] = old
                break


def _may_take_over(run: Run, old: Group, new: Group, time: int, read: Mapping[int, list[Read]]) -> bool:
    """Whether `new`, written first at `time`, may lie where `old` does."""
    if old is new or old.segment is not None or old.state is not None or not old.dies_at(time):
        return False
    outer, offset = new, 0
    while outer.segment is not None:
        outer, inside = outer.segment
        offset = offset + inside
    return outer.state is None or _may_write(run, outer.state, old, offset, read)


def _take_over(old: Group, new: Group) -> None:
    """Let `old` go on as `new`: it moves to where `new` was to be."""
    if new.segment is not None:
        vector = new.segment[0]
        vector.parts[:] = [old if part is new else part for part in vector.parts]
    old.segment, old.state, old.kept = new.segment, new.state, new.kept
    old.reads.extend(new.reads)
