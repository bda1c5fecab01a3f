"""A graph as JSON in the node-link form of networkx: ``networkx.node_link_graph(data, edges="edges")`` reads it.

Nothing is left out but the bytes of constant arrays, of which the size and a digest are told. Sizes are numbers, or text
where they hold symbols. The body of a `scan` is an object of the same form, in the attribute `body`.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import TypeAlias

from dslc.graph.ir import Graph
from dslc.graph.region import graph_of
from dslc.ops.ir import Attr, Data, Node, Region
from dslc.tensor_type import DType, Size, TensorType

Json: TypeAlias = "None | bool | int | float | str | list[Json] | dict[str, Json]"

FORMAT_VERSION = 1


def node_link(graph: Graph, facts: Mapping[str, Json] | None = None) -> dict[str, Json]:
    """The form of a graph.

    Args:
        facts: more of the whole graph, for the object `graph`.
    """
    results: dict[str, Json] = {
        "outputs": {name: value.id for name, value in graph.outputs.items()},
        "updates": {name: value.id for name, value in graph.updates.items()},
    }
    return {
        "directed": True,
        "multigraph": True,
        "graph": {"format_version": FORMAT_VERSION, **(facts or {}), **results},
        "nodes": [_node(node) for node in graph.order()],
        "edges": [
            {"source": value.id, "target": node.id, "key": position}
            for node in graph.order()
            for position, value in enumerate(node.inputs)
        ],
    }


def _node(node: Node) -> Json:
    found: dict[str, Json] = {
        "id": node.id,
        "op": node.op,
        **_type(node.out.type),
        "attrs": {name: _attr(value) for name, value in node.attrs.items()},
    }
    if node.name:
        found["name"] = node.name
    if node.layer:
        found["layer"] = node.layer
    if node.span is not None:
        found["source"] = {"file": node.span.source.name, "line": node.span.line}
    return found


def _type(type_: TensorType) -> dict[str, Json]:
    return {"dtype": type_.dtype.value, "shape": [_attr(dim) for dim in type_.shape]}


def _attr(value: Attr) -> Json:
    if isinstance(value, float) and not abs(value) < float("inf"):
        return str(value)  # JSON has no word for these
    if isinstance(value, tuple):
        return [_attr(item) for item in value]
    if isinstance(value, DType):
        return value.value
    if isinstance(value, Size):
        return str(value)
    if isinstance(value, Data):
        return {"bytes": len(value.bytes), "sha256": sha256(value.bytes).hexdigest()}
    if isinstance(value, Region):
        return node_link(graph_of(value))
    return value
