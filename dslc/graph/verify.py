"""A graph -> nothing, or the proof that it is not legal. It reports defects of ours, never users' mistakes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dslc.diagnostics import InternalError
from dslc.graph.ir import LEAVES, Graph
from dslc.ops import OPS
from dslc.ops.ir import Node, Value
from dslc.ops.opdef import OpError
from dslc.ops.scan import scan_of

_BODY_LEAVES = ("input", "constant", "size")


def verify(graph: Graph, stage: str) -> None:
    """Prove a graph legal: inputs present and made before, types as inferred, edges mirror inputs, results present.

    That every input has a smaller id than its user also proves the graph acyclic. Bodies of scans are proved too.

    Raises:
        InternalError: it is not; `stage` and the node are named.
    """
    _verify_nodes(graph.nodes, graph.results(), stage)
    _verify_edges(graph, stage)


def _verify_nodes(nodes: Mapping[int, Node], results: Iterable[Value], stage: str) -> None:
    for node in nodes.values():
        _verify_inputs(nodes, node, stage)
        if node.op in LEAVES:
            continue
        if node.op not in OPS:
            raise InternalError(stage, _where(node), "is no operator", node.span)
        _verify_type(node, stage)
        if node.op == "scan":
            _verify_body(node, stage)
        _verify_items(nodes, node, stage)
    for value in results:
        if value.id not in nodes or nodes[value.id].out != value:
            raise InternalError(stage, f"%{value.id}", "a result is not in the graph")
        if nodes[value.id].op == "scan":
            raise InternalError(stage, f"scan %{value.id}", "is a result; only `item` reads it")


def _verify_inputs(nodes: Mapping[int, Node], node: Node, stage: str) -> None:
    for position, value in enumerate(node.inputs):
        if value.id not in nodes or nodes[value.id].out != value:
            raise InternalError(stage, _where(node), f"input {position} is not in the graph", node.span)
        if value.id >= node.id:
            raise InternalError(stage, _where(node), f"input {position} is made after it", node.span)


def _verify_edges(graph: Graph, stage: str) -> None:
    inputs = {
        (value.id, node.id, position) for node in graph.nodes.values() for position, value in enumerate(node.inputs)
    }
    edges = {(source, target, position) for source, target, position in graph.net.edges(keys=True)}
    for source, target, position in inputs ^ edges:
        raise InternalError(stage, f"%{target}", f"input {position}, %{source}, is not an edge, or an edge is no input")


def _verify_type(node: Node, stage: str) -> None:
    types = tuple(value.type for value in node.inputs)
    try:
        inferred = OPS[node.op].infer(types, node.attrs)
    except OpError as error:
        raise InternalError(stage, _where(node), str(error), node.span) from error
    except (AssertionError, LookupError, TypeError, ValueError) as error:
        raise InternalError(stage, _where(node), f"has unfit attributes: {error!r}", node.span) from error
    if inferred != node.out.type:
        raise InternalError(stage, _where(node), f"has type {node.out.type}, its operands give {inferred}", node.span)


def _verify_body(node: Node, stage: str) -> None:
    body = scan_of(node).body
    for leaf in body.nodes:
        if leaf.op in LEAVES and leaf.op not in _BODY_LEAVES:
            raise InternalError(stage, _where(node), f"its body has a leaf {leaf.op} %{leaf.id}", node.span)
    _verify_nodes({inner.id: inner for inner in body.nodes}, body.results, stage)


def _verify_items(nodes: Mapping[int, Node], node: Node, stage: str) -> None:
    """Only `item` reads a `scan`, and it reads results that there are, as they are."""
    scans = [value for value in node.inputs if nodes[value.id].op == "scan"]
    if bool(scans) != (node.op == "item"):
        message = "reads no scan" if node.op == "item" else "reads a scan itself; only `item` does"
        raise InternalError(stage, _where(node), message, node.span)
    if not scans:
        return
    scan, index = scan_of(nodes[scans[0].id]), node.attrs.int("index")
    found = scan.result_type(index) if index < len(scan.body.results) else "nothing"
    if found != node.out.type:
        raise InternalError(stage, _where(node), f"has type {node.out.type}, the scan gives {found}", node.span)


def _where(node: Node) -> str:
    return f"{node.op} %{node.id}"
