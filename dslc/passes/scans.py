"""Passes into the bodies of scans, and the frame of passes that make the scans of a graph over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from dslc.graph import Builder, Graph
from dslc.graph.region import graph_of, item, opened, region_of
from dslc.ops.ir import Node, Value
from dslc.ops.scan import Scan, scan_of
from dslc.passes.dead import live
from dslc.record import replace

# A scan whose operands are in the new graph, and which results are read -> what these are in the new graph, or None where the
# scan stays as it is.
Remake: TypeAlias = Callable[[Builder, Scan, list[int]], Mapping[int, Value] | None]
Pass: TypeAlias = Callable[[Graph], Graph]


def has_scans(graph: Graph) -> bool:
    """Whether there is any recurrence."""
    return any(node.op == "scan" for node in graph.nodes.values())


def everywhere(run: Pass) -> Pass:
    """A pass over the bodies of all scans, inner ones first, and then over the graph."""

    def over(graph: Graph) -> Graph:
        return run(_with_bodies(graph, over) if has_scans(graph) else graph)

    return over


def where_scans_are(run: Pass, *, outer_first: bool = False) -> Pass:
    """A pass over the graphs that hold scans: the graph, and before it (or after) the bodies that hold some themselves."""

    def inside(graph: Graph) -> Graph:
        inner = any(_is_nested(node) for node in graph.nodes.values())
        return _with_bodies(graph, over, _is_nested) if inner else graph

    def over(graph: Graph) -> Graph:
        return inside(run(graph)) if outer_first else run(inside(graph))

    return over


def _is_nested(node: Node) -> bool:
    """Whether a node is a scan whose body holds scans."""
    return node.op == "scan" and any(inner.op == "scan" for inner in scan_of(node).body.nodes)


def _is_scan(node: Node) -> bool:
    return node.op == "scan"


def _with_bodies(graph: Graph, run: Pass, chosen: Callable[[Node], bool] = _is_scan) -> Graph:
    changed = Graph(outputs=dict(graph.outputs), updates=dict(graph.updates))
    for node in graph.order():
        changed.add(_with_body(node, run) if chosen(node) else node)
    return changed


def _with_body(node: Node, run: Pass) -> Node:
    body = region_of(run(graph_of(scan_of(node).body)))
    return replace(node, attrs=type(node.attrs)(dict(node.attrs) | {"body": body}))


def rebuild(graph: Graph, remake: Remake) -> Graph:
    """The graph with its scans made over."""
    builder, values, needed = Builder(), dict[int, Value](), live(graph)
    results: dict[int, Mapping[int, Value]] = {}
    for node in graph.order():
        if node.id not in needed:
            continue
        if node.op == "scan":
            read = sorted(user.attrs.int("index") for user, _ in graph.uses(node.out) if user.id in needed)
            with builder.at(node.span, node.layer):
                scan = _moved(scan_of(node), values)
                made = remake(builder, scan, read)
                results[node.id] = _kept(builder, scan, read) if made is None else made
        elif node.op == "item":
            values[node.id] = builder.named(results[node.inputs[0].id][node.attrs.int("index")], node.name)
        else:
            values[node.id] = builder.copy(node, [values[value.id] for value in node.inputs])
    builder.graph.outputs |= {name: values[value.id] for name, value in graph.outputs.items()}
    builder.graph.updates |= {name: values[value.id] for name, value in graph.updates.items()}
    return builder.graph


def _kept(builder: Builder, scan: Scan, read: list[int]) -> Mapping[int, Value]:
    """The results of a scan that stays as it is."""
    token = builder.copy(scan.node, [*scan.initial, *scan.sequences, *scan.constants])
    return {index: item(builder, token, index) for index in read}


def _moved(scan: Scan, values: Mapping[int, Value]) -> Scan:
    """A scan over what its operands are in the new graph."""
    initial, sequences, constants = (
        tuple(values[value.id] for value in operands) for operands in (scan.initial, scan.sequences, scan.constants)
    )
    return replace(scan, initial=initial, sequences=sequences, constants=constants)


# What the value of a node is to be: in the new body, of what the values of the old one are there, by id.
Made: TypeAlias = Callable[[Builder, Mapping[int, Value]], Value]


def rewrite_body(builder: Builder, scan: Scan, changes: Mapping[int, Made]) -> dict[int, Value] | None:
    """A scan with some nodes of its body, by id, made over; its results, or None where there are none to be."""
    if not changes:
        return None
    body, known = opened(scan)
    for node in scan.body.nodes:
        if node.id in known:
            continue
        if node.id not in changes:
            known[node.id] = body.builder.copy(node, [known[v.id] for v in node.inputs])
            continue
        with body.builder.at(node.span, node.layer):
            known[node.id] = body.builder.named(changes[node.id](body.builder, known), node.name)
    results = [known[value.id] for value in scan.body.results]
    states = len(scan.initial)
    return dict(enumerate(body.finish(builder, results[:states], results[states:], scan.reverse)))


def on_states(scan: Scan) -> set[int]:
    """The ids of the values of a body that depend on a state."""
    found = {leaf.id for name, leaf in scan.leaves.items() if name[0] == "s"}
    for node in scan.body.nodes:
        if any(value.id in found for value in node.inputs):
            found.add(node.id)
    return found
