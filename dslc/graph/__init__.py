"""The computation graph."""

from dslc.graph.ir import Builder, Graph, verify

__all__ = ["Builder", "Graph", "verify"]
