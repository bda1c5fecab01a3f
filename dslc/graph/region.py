"""Bodies of `scan` nodes: a region as a graph and back, and a `scan` under construction.

`ScanBody` collects the operands of a `scan` while its body is built, so that nobody else numbers the leaves of a body.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from dslc.graph.ir import Builder, Graph
from dslc.ops.ir import Node, Region, Value
from dslc.ops.scan import Scan, scan_of
from dslc.tensor_type import TensorType


def graph_of(region: Region) -> Graph:
    """The graph of a region; its results are the outputs ``"0"``, ``"1"``, ..."""
    graph = Graph(outputs={str(i): value for i, value in enumerate(region.results)})
    for node in region.nodes:
        graph.add(node)
    return graph


def region_of(graph: Graph) -> Region:
    """A graph as a region; its outputs in their order are the results."""
    return Region(tuple(graph.order()), tuple(graph.outputs.values()))


def graft(builder: Builder, nodes: Iterable[Node], wanted: Iterable[Value], known: dict[int, Value]) -> list[Value]:
    """Copy the computation of some values into a graph under construction; what they are there.

    Args:
        nodes: the nodes to copy from, inputs before users.
        wanted: values of these nodes.
        known: what values are in the new graph already, by id; the copies are added to it.
    """
    results = list(wanted)
    by_id = {node.id: node for node in nodes}
    needed = {value.id for value in results} - known.keys()
    for number in sorted(by_id, reverse=True):
        if number in needed:
            needed.update(value.id for value in by_id[number].inputs if value.id not in known)
    for number in sorted(needed):
        node = by_id[number]
        known[number] = builder.copy(node, [known[value.id] for value in node.inputs])
    return [known[value.id] for value in results]


def item(builder: Builder, token: Value, index: int) -> Value:
    """A result of a `scan`: the final states, then the outputs of all steps."""
    out = scan_of(builder.graph.producer(token)).result_type(index)
    return builder.apply("item", token, index=index, dtype=out.dtype, sizes=out.shape)


@dataclass(slots=True)
class ScanBody:
    """The body of a `scan` under construction, with the operands of the node outside. Equal operands become one leaf."""

    builder: Builder = field(default_factory=Builder)
    _initial: list[Value] = field(default_factory=list[Value])
    _sequences: dict[Value, Value] = field(default_factory=dict[Value, Value])  # operand -> leaf
    _constants: dict[Value, Value] = field(default_factory=dict[Value, Value])

    def state(self, initial: Value) -> Value:
        """A state before the step; `initial` is its value before the first."""
        self._initial.append(initial)
        return self.builder.leaf("input", initial.type, name=f"s{len(self._initial) - 1}")

    def element(self, sequence: Value) -> Value:
        """The step's element of a sequence, whose axis 0 is time."""
        if sequence not in self._sequences:
            element = TensorType(sequence.dtype, sequence.shape[1:])
            self._sequences[sequence] = self.builder.leaf("input", element, name=f"x{len(self._sequences)}")
        return self._sequences[sequence]

    def constant(self, value: Value) -> Value:
        """A value from outside that is the same at every step."""
        if value not in self._constants:
            self._constants[value] = self.builder.leaf("input", value.type, name=f"c{len(self._constants)}")
        return self._constants[value]

    @property
    def walks(self) -> bool:
        """Whether there is a sequence yet, which says how many steps there are."""
        return bool(self._sequences)

    def finish(self, outer: Builder, next: Sequence[Value], outputs: Sequence[Value], reverse: bool) -> list[Value]:
        """Make the node in the graph outside; its results: the final states, then the outputs stacked along axis 0."""
        self.builder.graph.outputs = {str(i): value for i, value in enumerate((*next, *outputs))}
        body = region_of(self.builder.graph)
        return outer.loop(body, self._initial, list(self._sequences), list(self._constants), reverse)


def opened(scan: Scan) -> tuple[ScanBody, dict[int, Value]]:
    """A new body over the operands of a scan, and what the leaves of the scan's body are in it, by id."""
    body, leaves = ScanBody(), scan.leaves
    known = {leaves[f"s{i}"].id: body.state(value) for i, value in enumerate(scan.initial)}
    known |= {leaves[f"x{i}"].id: body.element(value) for i, value in enumerate(scan.sequences)}
    known |= {leaves[f"c{i}"].id: body.constant(value) for i, value in enumerate(scan.constants)}
    return body, known
