"""The computation graph."""

from dslc.graph.ir import Builder, Graph
from dslc.graph.retype import retype
from dslc.graph.text import GraphTextError, parse_graph, print_graph
from dslc.graph.verify import verify

__all__ = ["Builder", "Graph", "GraphTextError", "parse_graph", "print_graph", "retype", "verify"]
