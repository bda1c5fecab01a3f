"""Recomputation: training graph -> an equal graph that keeps less. Cheap results are computed again where the gradient reads them.

A result of the forward pass that the backward pass reads is kept in between. Where it is elementwise of what is kept anyway (other
such results, parameters, inputs, masks), the backward pass gets a copy of the node instead, right before it is first read,
and the memory of the first one is free as soon as the forward pass has gone on. Copies compute the same bytes.

Equal nodes are not shared in the result, so this comes last, after everything that goes through a `Builder`. Nothing inside
scans is changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from dslc.graph import Graph
from dslc.graph.ir import LEAVES
from dslc.ops import FAMILIES, OPS
from dslc.ops.ir import Node, Value
from dslc.record import replace

# One pass over memory each: little beside the products whose operands and results they are.
CHEAP = frozenset(op.name for family in ("arithmetic", "comparison", "math", "activation") for op in FAMILIES[family])

# The longest chain of them: what is computed again on the way to a value far back waits for its own readers meanwhile.
LONGEST = 8


def recompute(graph: Graph) -> Graph:
    """The graph with cheap results of what its outputs need computed again for its updates. Results keep their names."""
    forward = graph.ancestors(graph.outputs.values())
    made = _Recomputed(graph, _again(graph, forward))
    for node in graph.order():
        made.add(node, node.id in forward)
    made.graph.outputs = {name: made.first[value.id] for name, value in graph.outputs.items()}
    made.graph.updates = {name: made.read(value) for name, value in graph.updates.items()}
    return made.graph


@dataclass(slots=True)
class _Recomputed:
    """The graph under construction.

    Attributes:
        again: ids of the nodes that are computed again for who reads them after the forward pass.
        first, second: id in the old graph -> the value in this one, of the forward pass and computed again.
    """

    old: Graph
    again: frozenset[int]
    graph: Graph = field(default_factory=Graph)
    first: dict[int, Value] = field(default_factory=dict[int, Value])
    second: dict[int, Value] = field(default_factory=dict[int, Value])

    def add(self, node: Node, forward: bool) -> None:
        inputs = [self.first[value.id] if forward else self.read(value) for value in node.inputs]
        self.first[node.id] = self._copy(node, inputs)

    def read(self, value: Value) -> Value:
        """A value for one who reads it after the forward pass."""
        stack = [value.id]
        while stack:
            node = self.old.nodes[stack[-1]]
            missing = [v.id for v in node.inputs if v.id in self.again and v.id not in self.second]
            if node.id not in self.again or node.id in self.second:
                stack.pop()
            elif missing:
                stack += missing
            else:
                inputs = [self.second.get(v.id, self.first[v.id]) for v in node.inputs]
                self.second[stack.pop()] = self._copy(node, inputs)
        return self.second.get(value.id, self.first[value.id])

    def _copy(self, node: Node, inputs: list[Value]) -> Value:
        value = Value(len(self.graph.nodes), node.out.type)
        self.graph.add(replace(node, inputs=tuple(inputs), outputs=(value,)))
        return value


def _again(graph: Graph, forward: set[int]) -> frozenset[int]:
    """The nodes of the forward pass that can be computed again from what is kept, in few steps."""
    kept = _read_later(graph, forward)
    lasting = _lasting(graph) | _owners(graph, graph.outputs.values())
    found: set[int] = set()
    far: dict[int, int] = {}  # of what is kept or can be computed again: how many nodes behind what is kept
    for node in graph.order():
        if node.id not in forward or node.id in lasting:
            far[node.id] = 0
            continue
        view = node.op in OPS and OPS[node.op].view
        sources = [value.id for value in (node.inputs[:1] if view else node.inputs)]
        distance = max((far.get(source, LONGEST + 1) for source in sources), default=0) + (not view)
        if (view or node.op in CHEAP) and distance <= LONGEST:
            far[node.id] = distance
            if not view or sources[0] in found:
                found.add(node.id)
        elif node.id in kept:
            far[node.id] = 0
    return frozenset(found)


def _read_later(graph: Graph, forward: set[int]) -> set[int]:
    """What is read after the forward pass, and what that is a view of."""
    values = [value for node in graph.nodes.values() if node.id not in forward for value in node.inputs]
    return _owners(graph, [*values, *graph.updates.values()])


def _owners(graph: Graph, values: Iterable[Value]) -> set[int]:
    """The values, and those whose memory they show."""
    found: set[int] = set()
    for value in values:
        node = graph.nodes[value.id]
        found.add(node.id)
        while node.op in OPS and OPS[node.op].view:
            node = graph.producer(node.inputs[0])
            found.add(node.id)
    return found


def _lasting(graph: Graph) -> set[int]:
    """Leaves, numbers, and what depends on sizes and constants alone: there all the time."""
    static: set[int] = set()
    for node in graph.order():
        if node.op in ("constant", "size") or (node.op not in LEAVES and all(v.id in static for v in node.inputs)):
            static.add(node.id)
    return static | {node.id for node in graph.nodes.values() if node.op in LEAVES or not node.out.shape}
