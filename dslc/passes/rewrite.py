"""The driver of rewriting rules: a graph is built anew, and every node is offered to the rules until none fires.

A rule takes the builder of the new graph and a node in it, and gives a value that replaces the node's output, or None. It
never changes a node. Ids of the new graph count up in the order of the old one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from dslc.diagnostics import InternalError
from dslc.graph import Builder, Graph
from dslc.ops import OPS
from dslc.ops.ir import Node, Value

Rule: TypeAlias = Callable[[Builder, Node], Value | None]

MAX_FIRINGS = 50  # per node; rules that go on longer feed each other


def rewrite(graph: Graph, rules: Sequence[Rule] = ()) -> Graph:
    """The graph with rules applied everywhere, bottom up. Without rules it is a copy in which equal nodes are one.

    Raises:
        InternalError: rules keep firing on one node; they are named.
    """
    builder = Builder()
    values: dict[int, Value] = {}
    for node in graph.order():
        with builder.at(node.span, node.name):
            made = _rebuild(builder, node, [values[value.id] for value in node.inputs])
            values[node.id] = _settle(builder, made, rules)
    builder.graph.outputs |= {name: values[value.id] for name, value in graph.outputs.items()}
    builder.graph.updates |= {name: values[value.id] for name, value in graph.updates.items()}
    return builder.graph


def _rebuild(builder: Builder, node: Node, inputs: Sequence[Value]) -> Value:
    if node.op in OPS:
        return builder.apply(node.op, *inputs, **node.attrs)
    return builder.leaf(node.op, node.out.type, **node.attrs)


def _settle(builder: Builder, value: Value, rules: Sequence[Rule]) -> Value:
    """The value that is left when no rule fires on its node any more."""
    fired: list[str] = []
    while (found := _first(builder, builder.graph.producer(value), rules)) is not None:
        value, name = found
        fired.append(name)
        if len(fired) > MAX_FIRINGS:
            raise InternalError("passes", f"%{value.id}", f"rules keep firing: {', '.join(sorted(set(fired)))}")
    return value


def _first(builder: Builder, node: Node, rules: Sequence[Rule]) -> tuple[Value, str] | None:
    for rule in rules:
        value = rule(builder, node)
        if value is not None and value.id != node.id:
            return value, rule.__name__
    return None
