"""What a plan is: steps, and the memory in which each value lies. Plain data; `plan` makes one.

Nothing in a plan depends on run-time sizes: order, aliasing and lives of buffers are decided on symbols. Where a buffer lies
in memory follows from the lives once sizes are bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from dslc.graph import Graph
from dslc.ops.ir import Node, Value
from dslc.tensor_type import Dim, TensorType, count, evaluate
from dslc_runtime.memory import Life, in_a_row, most_live, shared
from dslc_runtime.tiles import tile_of


@dataclass(frozen=True, slots=True)
class Leaf:
    """Memory the plan does not own: a leaf of the graph that is the caller's or a constant. Only a state is ever written."""

    node: Node

    @property
    def type(self) -> TensorType:
        return self.node.out.type


@dataclass(frozen=True, slots=True)
class Buffer:
    """Memory of the plan, live from time `first` to time `last`, both included.

    A kept buffer belongs to one binding and lives as long as it: results, and what is computed once when sizes are bound
    (`first` is -1). The others share one scratch memory.

    Attributes:
        number: its place among the buffers of its kind, kept or not.
        tile: the elements of a tile, where it holds one tile of its type after another; None: it holds all of it.
    """

    id: int
    type: TensorType
    first: int
    last: int
    number: int
    kept: bool
    tile: int | None = None

    def bytes(self, sizes: Mapping[str, int]) -> int:
        """Bytes of it for given run-time sizes."""
        length = evaluate(count(self.type.shape), sizes)
        return (length if self.tile is None else tile_of(length, self.tile)) * self.type.dtype.bytes


@dataclass(frozen=True, slots=True)
class Part:
    """A segment of a packed vector's memory, computed in place so that packing copies nothing."""

    id: int
    whole: Storage
    offset: Dim
    type: TensorType


Storage: TypeAlias = "Leaf | Buffer | Part"


@dataclass(frozen=True, slots=True)
class View:
    """The memory of another value, seen through a view operator (`node`, whose operand 0 it is)."""

    node: Node


Place: TypeAlias = "Leaf | Buffer | Part | View"


@dataclass(frozen=True, slots=True)
class Call:
    """Run a node's kernel. The output goes to the node's place; operands are read from theirs."""

    node: Node


@dataclass(frozen=True, slots=True)
class Loop:
    """Run elementwise calls tile by tile over arrays of `length` elements. A buffer of one tile is used anew by every tile."""

    calls: tuple[Call, ...]
    length: Dim
    tile: int

    def tiles(self, sizes: Mapping[str, int]) -> int:
        """How many tiles there are for given run-time sizes."""
        length = evaluate(self.length, sizes)
        return -(-length // tile_of(length, self.tile)) if length else 0


@dataclass(frozen=True, slots=True)
class Host:
    """Work out a scalar in Python's own numbers."""

    node: Node


@dataclass(frozen=True, slots=True)
class Fill:
    """Store a host number in an array, for kernels to read."""

    value: Value
    target: Storage


@dataclass(frozen=True, slots=True)
class Copy:
    """Copy a value: an operand into its segment of a packed vector, a leaf into a result, a new value into a state."""

    value: Value
    source: Place
    target: Storage


@dataclass(frozen=True, slots=True)
class Finite:
    """Stop unless an output is finite; stands before the first write to a state."""

    value: Value
    name: str


Step: TypeAlias = "Call | Loop | Host | Fill | Copy | Finite"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run, and where everything lies.

    Attributes:
        prologue: steps run once when sizes are bound.
        steps: steps of every run.
        times: of each step; the lifetimes of buffers are said in these. -1 is before the first node.
        places: value id -> where it lies. A host number has a place only if a kernel reads it.
        outputs: output name -> where the result is found, valid until the next run.
        leaves: the array leaves in id order; a state that is only written has none in the graph, one is made for it here.
        scalars: the inputs given as Python numbers at every run.
        buffers: all of them, by id.
        parts: the segments of packed vectors.
    """

    graph: Graph
    prologue: tuple[Step, ...]
    steps: tuple[Step, ...]
    times: tuple[int, ...]
    places: Mapping[int, Place]
    outputs: Mapping[str, Place]
    leaves: tuple[Node, ...]
    scalars: tuple[Node, ...]
    buffers: tuple[Buffer, ...]
    parts: tuple[Part, ...]

    def leaves_of(self, op: str) -> tuple[Node, ...]:
        """The leaves of one kind, in the order in which the program takes them."""
        return tuple(node for node in self.leaves if node.op == op)

    def scans(self) -> tuple[Node, ...]:
        """The scans in the order in which they run."""
        return tuple(step.node for step in self.steps if isinstance(step, Call) and step.node.op == "scan")

    def scratch_bytes(self, sizes: Mapping[str, int]) -> int:
        """Bytes of the scratch memory for given run-time sizes."""
        return shared(self._lives(sizes))[1]

    def kept_bytes(self, sizes: Mapping[str, int]) -> int:
        """Bytes of the kept memory for given run-time sizes."""
        return in_a_row([buffer.bytes(sizes) for buffer in self.buffers if buffer.kept])[1]

    def live_bytes(self, sizes: Mapping[str, int]) -> int:
        """The most bytes of scratch buffers that are live at one step: no plan of these lifetimes needs less."""
        return most_live(self._lives(sizes))

    def live_at_most(self, sizes: Mapping[str, int]) -> tuple[Buffer, ...]:
        """The scratch buffers that are live together at the time when they take most."""
        scratch = [buffer for buffer in self.buffers if not buffer.kept]
        known = [tuple(b for b in scratch if b.first <= time <= b.last) for time in sorted({b.first for b in scratch})]
        return max(known, key=lambda live: sum(buffer.bytes(sizes) for buffer in live), default=())

    def _lives(self, sizes: Mapping[str, int]) -> list[Life]:
        return [(b.bytes(sizes), b.first, b.last) for b in self.buffers if not b.kept]
