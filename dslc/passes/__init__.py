"""Graph -> equivalent, smaller graph. A pass never reports users' mistakes; after each one the graph is proved legal."""

from __future__ import annotations

from dslc.graph import Graph, verify
from dslc.passes.dead import remove_dead
from dslc.passes.rewrite import rewrite


def optimize(graph: Graph) -> Graph:
    """Run all passes."""
    for pass_ in (rewrite, remove_dead):
        graph = pass_(graph)
        verify(graph, pass_.__name__)
    return graph
