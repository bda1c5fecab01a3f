"""What a graph costs, layer by layer: floating-point operations, and the bytes of its values. Sizes may be symbols.

Input: a graph as it will be computed. Output: a `Cost` for each layer's path; None stands for what belongs to no layer (the
loss, the optimizer). Nothing is run or planned here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dslc.graph import Graph
from dslc.graph.ir import LEAVES
from dslc.ops import OPS
from dslc.ops.ir import Node
from dslc.ops.scan import scan_of
from dslc.tensor_type import Dim, count


@dataclass(frozen=True, slots=True)
class Cost:
    """Costs of one layer.

    Attributes:
        flops: floating-point operations.
        memory: bytes of the values it computes; views of others take none.
        kept: those of them that the gradient reads later.
    """

    flops: Dim = 0
    memory: Dim = 0
    kept: Dim = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.flops + other.flops, self.memory + other.memory, self.kept + other.kept)


def cost_by_layer(graph: Graph) -> dict[str | None, Cost]:
    """The costs of each layer in a graph: an inference graph, or that of a training step."""
    kept = _kept(graph)
    found: dict[str | None, Cost] = {}
    for node in graph.order():
        if node.op not in LEAVES:
            memory = _bytes(node)
            cost = Cost(0, memory, memory if node.id in kept else 0)
            found[node.layer] = found.get(node.layer, Cost()) + cost
            for layer, flops in _flops(node):
                found[layer] = found.get(layer, Cost()) + Cost(flops)
    return found


def _flops(node: Node) -> Iterable[tuple[str | None, Dim]]:
    """The operations of a node by layer; of a scan, those of its steps."""
    if node.op != "scan":
        yield node.layer, OPS[node.op].flops(tuple(value.type for value in node.inputs), node.out.type)
        return
    scan = scan_of(node)
    for inner in scan.body.nodes:
        if inner.op not in LEAVES:
            for layer, flops in _flops(inner):
                yield (node.layer if layer is None else layer), flops * scan.length


def _bytes(node: Node) -> Dim:
    """The bytes of a node's value; none for a view, and for a scan itself, whose results are its `item`s."""
    if OPS[node.op].view or node.op == "scan":
        return 0
    return count(node.out.shape) * node.out.dtype.bytes


def _kept(graph: Graph) -> set[int]:
    """The values on the way to the outputs that are read again by what is computed for the updates alone."""
    forward = graph.ancestors(graph.outputs.values())
    read = {value.id for node in graph.order() if node.id not in forward for value in node.inputs}
    return {_owner(graph, number) for number in read & forward}


def _owner(graph: Graph, number: int) -> int:
    """The value whose memory a view shows; other values themselves."""
    node = graph.nodes[number]
    while node.op not in LEAVES and OPS[node.op].view:
        node = graph.producer(node.inputs[0])
    return node.id
