"""Dead code: what no result needs goes. Inputs stay, because they are the graph's interface."""

from __future__ import annotations

from dslc.graph import Graph


def live(graph: Graph) -> set[int]:
    """The ids of the nodes that a result needs, and of all inputs."""
    found = {value.id for value in graph.results()} | {node.id for node in graph.leaves("input")}
    for number in sorted(graph.nodes, reverse=True):
        if number in found:
            found.update(value.id for value in graph.nodes[number].inputs)
    return found


def remove_dead(graph: Graph) -> Graph:
    """The graph without nodes that no output, update or input needs."""
    needed = live(graph)
    kept = Graph(outputs=dict(graph.outputs), updates=dict(graph.updates))
    for node in graph.order():
        if node.id in needed:
            kept.add(node)
    return kept
