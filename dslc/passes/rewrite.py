"""The driver of rewriting rules: a graph is built anew, every node offered to its rules, until no rule fires.

A rule takes the builder of the new graph and a node in it, and gives a value of the same type that replaces the node's
output, or None. It never changes a node. Ids of the new graph count up in the order of the old one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from dslc.diagnostics import InternalError
from dslc.graph import Builder, Graph
from dslc.ops.ir import Node, Value
from dslc.passes.dead import live

Rule: TypeAlias = Callable[[Builder, Node], Value | None]
Rules: TypeAlias = Mapping[str, tuple[Rule, ...]]  # operator -> the rules for its nodes, tried in order

MAX_SWEEPS = 30  # over a graph; rules that go on longer feed each other


def rewrite(graph: Graph, rules: Rules) -> Graph:
    """The graph with rules applied everywhere, operands before users, until none fires. Equal nodes become one.

    Raises:
        InternalError: rules keep firing; they are named.
    """
    fired: set[str] = set()
    for _ in range(MAX_SWEEPS):
        fired = set()
        graph = _sweep(graph, rules, fired)
        if not fired:
            return graph
    raise InternalError("passes", "graph", f"rules keep firing: {', '.join(sorted(fired))}")


def merged(*tables: Rules) -> Rules:
    """All rules of several tables, those of earlier tables first."""
    result: dict[str, tuple[Rule, ...]] = {}
    for table in tables:
        for op, rules in table.items():
            result[op] = result.get(op, ()) + rules
    return result


def _sweep(graph: Graph, rules: Rules, fired: set[str]) -> Graph:
    """Offer every live node to its rules once."""
    builder = Builder()
    values: dict[int, Value] = {}
    needed = live(graph)
    for node in graph.order():
        if node.id not in needed:
            continue
        made = builder.copy(node, [values[value.id] for value in node.inputs])
        if node.op in rules:
            with builder.at(node.span, node.layer):
                made = builder.named(_first(builder, made, rules[node.op], fired), node.name)
        values[node.id] = made
    builder.graph.outputs |= {name: values[value.id] for name, value in graph.outputs.items()}
    builder.graph.updates |= {name: values[value.id] for name, value in graph.updates.items()}
    return builder.graph


def _first(builder: Builder, made: Value, rules: tuple[Rule, ...], fired: set[str]) -> Value:
    """What the first rule that fires puts in the place of a value; the value itself if none does."""
    node = builder.graph.producer(made)
    for rule in rules:
        value = rule(builder, node)
        if value is None or value.id == made.id:
            continue
        if value.type != made.type:
            raise InternalError(
                "passes", rule.__name__, f"a value of type {value.type} for {node.op} of type {made.type}"
            )
        fired.add(rule.__name__)
        return value
    return made
