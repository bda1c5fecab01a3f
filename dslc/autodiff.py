"""Reverse-mode differentiation, graph to graph: the gradient of a scalar is appended to the graph that computes it.

Each operator's `vjp` turns the cotangent of its output into cotangents of its inputs, in the output's broadcast shape; they
are summed to the inputs' shapes here, once, and added up where a value is used several times. What comes out is ordinary
graph: passes optimise it, and it can be differentiated again. Source: A. Griewank and A. Walther, Evaluating Derivatives,
2nd edition, 2008, section 3.2.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

from dslc.diagnostics import InternalError
from dslc.graph import Builder, Graph
from dslc.ops import OPS
from dslc.ops.ir import Node, Value


def gradients(builder: Builder, loss: Value, wrt: Sequence[Value]) -> list[Value]:
    """The gradient of a scalar with respect to each value, in its shape; zeros where the loss does not depend on it.

    Raises:
        InternalError: the loss is not a floating-point scalar.
    """
    if loss.shape or not loss.dtype.is_float:
        raise InternalError("autodiff", f"%{loss.id}", f"the loss has type {loss.type}, not a floating-point scalar")
    path = _path(builder.graph, loss, wrt)
    wanted = {value.id for value in wrt} | {node.id for node in path}
    cotangents: dict[int, Value] = {loss.id: builder.constant(1.0, loss.dtype)}
    for node in reversed(path):
        g = cotangents.get(node.id)
        if g is not None:
            _propagate(builder, node, g, wanted, cotangents)
    return [_gradient(builder, value, cotangents) for value in wrt]


def _path(graph: Graph, loss: Value, wrt: Sequence[Value]) -> list[Node]:
    """The nodes through which the loss depends on `wrt`, inputs before users; ids are such an order."""
    needed = {loss.id}
    for number in sorted((i for i in graph.nodes if i <= loss.id), reverse=True):
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


def _propagate(builder: Builder, node: Node, g: Value, wanted: Set[int], cotangents: dict[int, Value]) -> None:
    """Add the cotangents of a node's inputs, of those that are wanted."""
    rule = OPS[node.op].vjp
    if rule is None:
        return
    with builder.at(node.span):
        for value, gx in zip(node.inputs, rule(builder, node, g), strict=True):
            if gx is None or value.id not in wanted:
                continue
            summed = gx if gx.shape == value.shape else builder.apply("sum_to", gx, sizes=value.shape)
            before = cotangents.get(value.id)
            cotangents[value.id] = summed if before is None else builder.apply("add", before, summed)


def _gradient(builder: Builder, value: Value, cotangents: dict[int, Value]) -> Value:
    if value.id in cotangents:
        return cotangents[value.id]
    return builder.apply("expand", builder.constant(0.0, value.dtype), sizes=value.shape)
