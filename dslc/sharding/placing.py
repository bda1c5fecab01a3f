"""A graph -> the placement of each of its values, for a batch that is cut into shards.

Walks over the nodes once; over the body of a recurrence until the placements of its states no longer change. What needs rows of
several shards at once is computed for the whole batch, when the shards are done. Decides nothing about where the graph is cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from dslc.graph import Graph
from dslc.graph.ir import LEAVES
from dslc.ops import OPS
from dslc.ops.ir import Node, Value
from dslc.ops.scan import Scan, scan_of
from dslc.record import record, replace
from dslc.sharding.passing import passed
from dslc.sharding.placement import (
    Partial,
    Placement,
    Replicated,
    Sharded,
    UnshardableError,
    Whole,
    batch_axis,
    holds,
    joined,
    times_batch,
)
from dslc.source import Span
from dslc.tensor_type import Size, symbols


@record
class Refused:
    """Why a graph cannot be cut.

    Attributes:
        reason: what is the matter with a node: lower case, no final stop.
        op: its operator, or "".
        name: what the user calls its value, or "".
        layer: the layer that it was made for, or None.
        span: its place in the source.
    """

    reason: str
    op: str = ""
    name: str = ""
    layer: str | None = None
    span: Span | None = None

    def __str__(self) -> str:
        where = f"`{self.op}`" + (f" in `{self.layer}`" if self.layer else "") + ": "
        return (where if self.op else "") + self.reason


def refused(node: Node, reason: str) -> Refused:
    """A node that cannot be cut."""
    return Refused(reason, node.op, node.name, node.layer, node.span)


class RefusedError(Exception):
    """Carries what was refused out of nested bodies."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(str(refused))
        self.refused = refused


def batch_of(graph: Graph) -> Size:
    """The run-time size that is the first axis of every input that has it, and of some.

    Raises:
        RefusedError: there is none, or there are several.
    """
    shapes = [node.out.shape for node in graph.leaves("input") if node.out.shape]
    first = {shape[0] for shape in shapes}
    behind = frozenset[str]().union(*(symbols(size) for shape in shapes for size in shape[1:]))
    found = [size for size in first if isinstance(size, Size) and not size.symbols() & behind]
    if len(found) != 1 or str(found[0]) not in found[0].symbols():
        raise RefusedError(Refused("no size is the number of rows of all inputs"))
    return found[0]


@dataclass(slots=True)
class Placing:
    """Nodes as they are placed one by one.

    Attributes:
        batch: the number of rows.
        given: where the inputs are, by name; empty outside of bodies.
        placed: where values are, by id. A `scan` itself is where its operands are, as a whole.
        meeting: why nodes in which rows meet cannot be computed in a shard, by id.
    """

    batch: Size
    given: Mapping[str, Placement] = field(default_factory=dict[str, Placement])
    placed: dict[int, Placement] = field(default_factory=dict[int, Placement])
    meeting: dict[int, Refused] = field(default_factory=dict[int, Refused])
    _results: dict[int, list[Placement]] = field(default_factory=dict[int, list[Placement]])

    def place(self, nodes: Iterable[Node]) -> None:
        """Place nodes, inputs before users.

        Raises:
            RefusedError: what has rows is kept from batch to batch, or has no placement.
        """
        for node in nodes:
            try:
                self.placed[node.id] = self._place(node)
            except UnshardableError as error:
                self._wait(node, refused(node, str(error)))
            except RefusedError as error:
                self._wait(node, error.refused)

    def _wait(self, node: Node, why: Refused) -> None:
        """Leave a node to be computed for the whole batch."""
        if node.op in LEAVES:
            raise RefusedError(why)
        self.placed[node.id] = Whole()
        has_rows = any(isinstance(self.placed[value.id], Sharded) for value in node.inputs)
        if has_rows or any(holds(size, self.batch) for size in node.out.shape):
            self.meeting[node.id] = why

    def _place(self, node: Node) -> Placement:
        if node.op == "scan":
            return self._scan(scan_of(node))
        if node.op == "item":
            return self._results[node.inputs[0].id][node.attrs.int("index")]
        if node.op not in OPS:
            return self._leaf(node)
        return passed(node, [self._read(value) for value in node.inputs], self.batch)

    def _leaf(self, node: Node) -> Placement:
        axis = batch_axis(node.out.shape, self.batch)
        if node.op == "input" and self.given:
            return self.given[node.attrs.str("name")]
        if node.op == "constant":
            return Replicated(None if node.attrs["value"] == 0 else 0)
        if node.op == "size":
            return Replicated(self._degree_of_size(node))
        if axis is None:
            return Replicated(0)
        if node.op not in ("input", "draw"):
            raise UnshardableError("it is kept from batch to batch and has rows")
        return Sharded(axis, 1, times_batch(node.out.shape[axis], self.batch), 0)

    def _degree_of_size(self, node: Node) -> int:
        size = node.attrs.dim("size")
        if not holds(size, self.batch):
            return 0
        if times_batch(size, self.batch) is None:
            raise UnshardableError(f"{size} is no multiple of the number of rows")
        return -1

    def _read(self, value: Value) -> Placement:
        """Where a value is for those who read it."""
        placement = self.placed[value.id]
        return Whole() if isinstance(placement, Partial) and placement.closed else placement

    # ------------------------------------------------------------------------------------------ recurrences

    def _scan(self, scan: Scan) -> Placement:
        operands = {name: self._read(value) for name, value in scan.operands.items()}
        kinds = {type(placement) for placement in operands.values()}
        try:
            self._results[scan.node.id] = self._walked(scan, operands)
        except (UnshardableError, RefusedError):
            self._results[scan.node.id] = [Whole()] * len(scan.body.results)
            raise
        return Replicated(0) if kinds <= {Replicated} else Partial(0)

    def _walked(self, scan: Scan, operands: Mapping[str, Placement]) -> list[Placement]:
        """The placements of the results; those of the states are the same after every step."""
        if any(isinstance(placement, Whole) for placement in operands.values()):
            raise UnshardableError("it needs a value of the whole batch for every row")
        given = {name: _element(placement) if name[0] == "x" else placement for name, placement in operands.items()}
        while True:
            body = Placing(self.batch, given)
            body.place(scan.body.nodes)
            for why in body.meeting.values():
                raise RefusedError(why)
            found = [body.placed[value.id] for value in scan.body.results]
            if any(isinstance(placement, Whole) for placement in found):
                raise UnshardableError("a step needs a sum over all rows")
            before = [given[f"s{i}"] for i in range(len(scan.initial))]
            states = [joined(old, new) for old, new in zip(before, found, strict=False)]
            if states == before:
                return [*states, *map(_of_all_steps, found[len(states) :])]
            given |= {f"s{i}": placement for i, placement in enumerate(states)}


def _element(sequence: Placement) -> Placement:
    """A step's element of a sequence, whose axis 0 is time."""
    if not isinstance(sequence, Sharded):
        return sequence
    if sequence.axis == 0:
        raise UnshardableError("it walks over rows")
    return replace(sequence, axis=sequence.axis - 1)


def _of_all_steps(output: Placement) -> Placement:
    return replace(output, axis=output.axis + 1) if isinstance(output, Sharded) else output
