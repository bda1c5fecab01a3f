"""A graph as networkx sees it, for its algorithms.

Importing networkx takes longer than planning a small model: only who asks for it does.
"""

from __future__ import annotations

import networkx as nx

from dslc.graph.ir import Graph


def network(graph: Graph) -> nx.MultiDiGraph[int]:
    """The nodes by id, with an edge for each input, keyed by its position: ``x * x`` has two edges between one pair of nodes."""
    net: nx.MultiDiGraph[int] = nx.MultiDiGraph()
    for node in graph.order():
        net.add_node(node.id)
        for position, value in enumerate(node.inputs):
            net.add_edge(value.id, node.id, key=position)
    return net
