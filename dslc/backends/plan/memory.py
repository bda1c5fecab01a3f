"""Planning, last part: the places of `places` put together, so that each value can be asked where it lies.

First every need for memory is collected with its lifetime, then places are made on demand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TypeAlias

from dslc.backends.plan.aliases import Alias
from dslc.backends.plan.model import Buffer, Leaf, Part, Place, Storage, View
from dslc.backends.plan.places import START, Group, Read, Run, groups, reads
from dslc.backends.plan.schedule import Schedule
from dslc.graph.ir import LEAVES
from dslc.ops.ir import Node, Value
from dslc.tensor_type import Dim, TensorType

# What memory is for: ("group", a group), ("static" | "fill", a value), ("output", a name),
# ("aside", a state: the value of another state, saved before that one is written), ("copy", a pack and an offset).
Key: TypeAlias = tuple[str, "int | str | Group | tuple[int, Dim]"]


@dataclass(frozen=True, slots=True)
class Life:
    """A need for memory from time `first` to time `last`, both included.

    Attributes:
        kept: it is memory of its own, never shared.
        tile: the elements of a tile, where no more is needed at a time.
    """

    type: TensorType
    first: int
    last: int
    kept: bool = False
    tile: int | None = None


@dataclass(slots=True)
class Memory:
    """Where everything lies."""

    run: Run
    when: Schedule
    read: Mapping[int, list[Read]]
    groups: Mapping[int, Group]
    buffers: dict[Key, Buffer] = field(default_factory=dict[Key, Buffer])
    parts: dict[Key, Part] = field(default_factory=dict[Key, Part])

    def place(self, value: Value) -> Place:
        """Where a value that is an array lies."""
        node = self.run.graph.nodes[value.id]
        if ("fill", node.id) in self.buffers:
            return self.buffers["fill", node.id]
        if node.op in LEAVES:
            return Leaf(node)
        if self.run.alias[node.id].base != node.id:
            return View(node)
        if node.id in self.when.static:
            return self.buffers["static", node.id]
        return self.storage(self.groups[node.id])

    def storage(self, group: Group) -> Storage:
        """The memory of a group."""
        if group.state is not None:
            return Leaf(group.state)
        if group.segment is None:
            return self.buffers["group", group]
        whole, offset = group.segment
        return self.part(("group", group), whole, offset, group.type)

    def part(self, key: Key, whole: Group, offset: Dim, type_: TensorType) -> Part:
        """A segment of a packed vector."""
        if key not in self.parts:
            storage = self.storage(whole)  # may number a part of its own
            self.parts[key] = Part(len(self.parts), storage, offset, type_)
        return self.parts[key]

    def output(self, name: str) -> Place:
        """Where a result lies after a run."""
        key = ("output", name)
        return self.buffers[key] if key in self.buffers else self.place(self.run.graph.outputs[name])

    def in_place(self, name: str) -> bool:
        """Whether nothing is left to do for an update: the new value is the old one, or was computed where it belongs."""
        value, state = self.run.graph.updates[name], self.run.states[name]
        group = self.groups.get(self.run.alias[value.id].base)
        return value.id == state.id or (group is not None and group.state is state)


def allot(run: Run, when: Schedule) -> Memory:
    """Lay out a run."""
    read = reads(run)
    memory = Memory(run, when, read, groups(run, read))
    needs = dict(_needs(memory))
    numbers = {False: count(), True: count()}
    for id_, (key, need) in enumerate(needs.items()):
        life = _through_loops(run, need)
        number = next(numbers[life.kept])
        memory.buffers[key] = Buffer(id_, life.type, life.first, life.last, number, life.kept, life.tile)
    return memory


def _needs(memory: Memory) -> Iterator[tuple[Key, Life]]:
    run, when = memory.run, memory.when
    for group in dict.fromkeys(memory.groups.values()):
        if group.segment is None and group.state is None:
            tile = run.tile if _within_loop(run, group) else None
            yield ("group", group), Life(group.type, group.start(), group.end(), group.outlives(), tile)
    for node in when.order:
        if node.id in when.static and node.id not in when.host and has_step(node, run.alias):
            yield ("static", node.id), Life(node.out.type, START, run.end, kept=True)
    yield from _fills(memory)
    for name, value in run.graph.outputs.items():
        if run.alias[value.id].base not in run.owned:
            yield ("output", name), Life(value.type, START, run.end, kept=True)
    states = {node.id for node in run.states.values()}
    for name, value in run.graph.updates.items():
        if run.alias[value.id].base in states and not memory.in_place(name):
            yield ("aside", name), Life(value.type, START, run.end)


def _fills(memory: Memory) -> Iterator[tuple[Key, Life]]:
    """Host numbers that kernels read need an array."""
    run, when = memory.run, memory.when
    times: dict[int, list[int]] = {}
    known = {node.id: time for time, node in enumerate(run.nodes)}
    for node in when.order:
        if node.id in when.host or not has_step(node, run.alias):
            continue
        for value in node.inputs:
            times.setdefault(run.alias[value.id].base, []).append(known.get(node.id, START))
    for value in run.graph.results():
        if run.alias[value.id].base != value.id:
            times.setdefault(run.alias[value.id].base, []).append(run.end)
    for node in when.order:
        if node.id not in when.host or node.id not in times or node.op == "constant":
            continue
        if node.id in when.static:
            yield ("fill", node.id), Life(node.out.type, START, run.end, kept=True)
        else:
            yield ("fill", node.id), Life(node.out.type, min(times[node.id]), max(times[node.id]))


def _within_loop(run: Run, group: Group) -> bool:
    """Whether nothing outside one loop needs a group: a tile of it is enough."""
    return not group.parts and any(loop.first <= group.start() and group.end() <= loop.last for loop in run.loops)


def _through_loops(run: Run, life: Life) -> Life:
    """A life that begins or ends within a loop goes through all of it: the next tile begins where the last one began."""
    first, last = life.first, life.last
    for loop in run.loops:
        if loop.first < first <= loop.last:
            first = loop.first
        if loop.first <= last < loop.last:
            last = loop.last
    return replace(life, first=first, last=last)


def has_step(node: Node, alias: Mapping[int, Alias]) -> bool:
    """Whether a node computes something, rather than being a leaf, a view or one of the results of another node."""
    return node.op not in LEAVES and node.op != "item" and alias[node.id].base == node.id
