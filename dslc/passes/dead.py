"""Dead code: what no result needs goes. Inputs stay, because they are the graph's interface."""

from __future__ import annotations

from dslc.graph import Graph


def remove_dead(graph: Graph) -> Graph:
    """The graph without nodes that no output, update or input needs."""
    live = {value.id for value in graph.results()}
    for number in sorted(graph.nodes, reverse=True):
        node = graph.nodes[number]
        if number in live:
            live.update(value.id for value in node.inputs)
    kept = Graph(outputs=dict(graph.outputs), updates=dict(graph.updates))
    for node in graph.order():
        if node.id in live or node.op == "input":
            kept.add(node)
    return kept
