"""The body of a `scan` -> a graph that can be planned like any other: operands are parameters, results are states it writes.

Parameters are read where they lie and states are written where they lie, so a step works on its elements of sequences and
of stacked results without copying them.
"""

from __future__ import annotations

from dataclasses import replace

from dslc.graph import Graph
from dslc.ops.ir import Attrs, Node, Region
from dslc_runtime.recurrence import Wiring


def step_graph(region: Region) -> Graph:
    """One step: parameters "s0", "x0", "c0", ... as the region names its inputs; the distinct results are written to "r0", ..."""
    graph = Graph()
    for node in region.nodes:
        graph.add(replace(node, op="param", attrs=Attrs({"key": node.attrs["name"]})) if node.op == "input" else node)
    graph.updates = {f"r{number}": value for number, value in enumerate(dict.fromkeys(region.results))}
    return graph


def body_of(node: Node) -> Region:
    """What a `scan` runs at every step."""
    region = node.attrs["body"]
    assert isinstance(region, Region)
    return region


def wiring(node: Node) -> Wiring:
    """How the steps of a `scan` are connected."""
    region = body_of(node)
    numbers = {value: number for number, value in enumerate(dict.fromkeys(region.results))}
    results = tuple(numbers[value] for value in region.results)
    return Wiring(node.attrs.int("states"), node.attrs.int("sequences"), results, node.attrs.bool("reverse"))
