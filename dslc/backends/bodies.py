"""The body of a `scan` -> a graph that can be planned like any other: operands are parameters, results are states it writes.

Parameters are read where they lie and states are written where they lie, so a step works on its elements of sequences and
of stacked results without copying them.
"""

from __future__ import annotations

from dslc.graph import Graph
from dslc.ops.ir import Attrs
from dslc.ops.scan import Scan
from dslc.record import replace
from dslc_runtime.recurrence import Wiring


def step_graph(scan: Scan) -> Graph:
    """One step: parameters "s0", "x0", "c0", ... as the body names its inputs; the distinct results are written to "r0", ..."""
    graph = Graph()
    for node in scan.body.nodes:
        graph.add(replace(node, op="param", attrs=Attrs({"key": node.attrs["name"]})) if node.op == "input" else node)
    graph.updates = {f"r{number}": value for number, value in enumerate(dict.fromkeys(scan.body.results))}
    return graph


def wiring(scan: Scan) -> Wiring:
    """How the steps of a scan are connected."""
    numbers = {value: number for number, value in enumerate(dict.fromkeys(scan.body.results))}
    results = tuple(numbers[value] for value in scan.body.results)
    return Wiring(len(scan.initial), len(scan.sequences), results, scan.reverse)
