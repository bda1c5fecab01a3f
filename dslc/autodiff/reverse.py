"""Reverse-mode differentiation, graph to graph: the gradient of a scalar is appended to the graph that computes it.

Each operator's `vjp` turns the cotangent of its output into cotangents of its inputs, in the output's broadcast shape; they
are summed to the inputs' shapes here, once, and added up where a value is used several times. What comes out is ordinary
graph: passes optimise it, and it can be differentiated again. Source: A. Griewank and A. Walther, Evaluating Derivatives,
2nd edition, 2008, section 3.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from dslc.autodiff.recurrence import scan_cotangents
from dslc.diagnostics import InternalError
from dslc.graph import Builder, Graph
from dslc.ops import OPS
from dslc.ops.ir import Node, Value
from dslc.ops.scan import scan_of


def gradients(builder: Builder, loss: Value, wrt: Sequence[Value]) -> list[Value]:
    """The gradient of a scalar with respect to each value, in its shape; zeros where the loss does not depend on it.

    Raises:
        InternalError: the loss is not a floating-point scalar.
    """
    if loss.shape or not loss.dtype.is_float:
        raise InternalError("autodiff", f"%{loss.id}", f"the loss has type {loss.type}, not a floating-point scalar")
    found = pullback(builder, [(loss, builder.constant(1.0, loss.dtype))], wrt)
    return [_zeros(builder, value) if g is None else g for value, g in zip(wrt, found, strict=True)]


def pullback(builder: Builder, seeds: Sequence[tuple[Value, Value]], wrt: Sequence[Value]) -> list[Value | None]:
    """The cotangents of some values, given those of others; None where no path leads to one.

    Args:
        seeds: values with their cotangents; those of a value named twice add up.
        wrt: the values whose cotangents are wanted.
    """
    path = _path(builder.graph, [value.id for value, _ in seeds], wrt)
    wanted = {value.id for value in wrt} | {node.id for node in path}
    cotangents: dict[int, Value] = {}
    for value, g in seeds:
        _add(builder, cotangents, value, g)
    for node in reversed(path):
        _propagate(builder, node, wanted, cotangents)
    return [cotangents.get(value.id) for value in wrt]


def _path(graph: Graph, targets: Sequence[int], wrt: Sequence[Value]) -> list[Node]:
    """The nodes through which the targets depend on `wrt`, inputs before users; ids are such an order."""
    needed = set(targets)
    for number in sorted(graph.nodes, reverse=True):
        if number in needed:
            needed.update(value.id for value in graph.nodes[number].inputs)
    varied = {value.id for value in wrt}
    path: list[Node] = []
    for number in sorted(needed):
        node = graph.nodes[number]
        if any(value.id in varied for value in node.inputs):
            varied.add(number)
            path.append(node)
    return path


def _propagate(builder: Builder, node: Node, wanted: Set[int], cotangents: dict[int, Value]) -> None:
    """Add the cotangents of a node's inputs, of those that are wanted."""
    with builder.at(node.span, node.layer):
        for value, gx in zip(node.inputs, _cotangents(builder, node, wanted, cotangents), strict=True):
            if gx is not None and value.id in wanted:
                _add(builder, cotangents, value, gx)


def _cotangents(builder: Builder, node: Node, wanted: Set[int], known: Mapping[int, Value]) -> Sequence[Value | None]:
    """The cotangent of each input of a node; those of the `item`s meet at their `scan`."""
    if node.op == "scan":
        items = [item for item, _ in builder.graph.uses(node.out) if item.id in known]
        of_results = {item.attrs.int("index"): known[item.id] for item in items}
        return scan_cotangents(builder, scan_of(node), of_results, wanted, pullback)
    rule = OPS[node.op].vjp
    if rule is None or node.id not in known:
        return [None] * len(node.inputs)
    return rule(builder, node, known[node.id])


def _add(builder: Builder, cotangents: dict[int, Value], value: Value, g: Value) -> None:
    summed = g if g.shape == value.shape else builder.apply("sum_to", g, sizes=value.shape)
    before = cotangents.get(value.id)
    cotangents[value.id] = summed if before is None else builder.apply("add", before, summed)


def _zeros(builder: Builder, value: Value) -> Value:
    return builder.apply("expand", builder.constant(0.0, value.dtype), sizes=value.shape)
