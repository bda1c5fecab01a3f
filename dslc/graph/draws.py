"""Random tensors as plain inputs: graph -> the same graph with every `draw` leaf an input named like its stream.

So an engine that draws nothing itself computes with the numbers the runtime drew.
"""

from __future__ import annotations

from dslc.graph.ir import Graph
from dslc.ops.ir import Attrs
from dslc.record import replace


def draws_as_inputs(graph: Graph) -> Graph:
    """A graph without draws; ids stay as they are."""
    found = Graph(outputs=dict(graph.outputs), updates=dict(graph.updates))
    for node in graph.order():
        drawn = node.op == "draw"
        found.add(replace(node, op="input", attrs=Attrs({"name": node.attrs.str("stream")})) if drawn else node)
    return found
