"""Planning, first part: graph -> the order of its nodes, and when each is worked out.

A node is one of
- a leaf, which is the caller's memory, a constant or a run-time size;
- *host*: scalar float64 or int64 arithmetic on learning rate, step count, sizes and constants, done in Python's own numbers;
- *static*: it depends on sizes and constants alone, so it is worked out once when sizes are bound;
- anything else, which runs at every step.

It decides nothing about memory.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

from dslc.graph import Graph
from dslc.graph.ir import LEAVES
from dslc.ops.ir import Data, Node
from dslc.tensor_type import DType

# Host operators and how Python writes them; each agrees with NumPy's float64 in every case (see `dslc_runtime.scalars`).
HOST_FORMS = {
    "add": "{0} + {1}",
    "sub": "{0} - {1}",
    "mul": "{0} * {1}",
    "neg": "-{0}",
    "square": "{0} * {0}",
    "div": "host_div({0}, {1})",
    "pow": "host_pow({0}, {1})",
    "sqrt": "host_sqrt({0})",
    "cast": "float({0})",
}
_EXACT_IN_INTEGERS = frozenset({"add", "sub", "mul", "neg", "square"})


@dataclass(frozen=True, slots=True)
class Schedule:
    """The live nodes of a graph, operands before users.

    Attributes:
        order: host numbers, which need nothing else; then what `loss` needs, what other outputs need, and the rest; by id
            among equals.
        host: ids of the values that are Python numbers.
        static: ids of the values that depend on sizes and constants alone.
        scalars: the inputs given as Python numbers at every step.
    """

    order: tuple[Node, ...]
    host: frozenset[int]
    static: frozenset[int]
    scalars: tuple[Node, ...]


def schedule(graph: Graph) -> Schedule:
    """Order the live nodes of a graph and say when each is worked out."""
    order = _order(graph)
    host: set[int] = set()
    static: set[int] = set()
    for node in order:
        if _is_static(node, static):
            static.add(node.id)
        if _is_host(node, host, graph):
            host.add(node.id)
    order.sort(key=lambda node: node.id not in host)
    scalars = tuple(node for node in graph.leaves("input") if _is_host(node, host, graph))
    return Schedule(tuple(order), frozenset(host), frozenset(static), scalars)


def _order(graph: Graph) -> list[Node]:
    """Topological order by (what it is for, id), with a heap: deterministic and linear but for the heap."""
    rank = dict.fromkeys(graph.ancestors(graph.updates.values()), 2)
    rank |= dict.fromkeys(graph.ancestors(graph.outputs.values()), 1)
    if "loss" in graph.outputs:
        rank |= dict.fromkeys(graph.ancestors([graph.outputs["loss"]]), 0)
    missing: dict[int, int] = {}
    users: dict[int, list[int]] = {}
    for i in rank:
        operands = {value.id for value in graph.nodes[i].inputs}
        missing[i] = len(operands)
        for operand in operands:
            users.setdefault(operand, []).append(i)
    ready = [(rank[i], i) for i, count in missing.items() if count == 0]
    heapq.heapify(ready)
    order: list[Node] = []
    while ready:
        _, i = heapq.heappop(ready)
        order.append(graph.nodes[i])
        for user in users.get(i, ()):
            missing[user] -= 1
            if missing[user] == 0:
                heapq.heappush(ready, (rank[user], user))
    return order


def _is_static(node: Node, static: set[int]) -> bool:
    if node.op in LEAVES:
        return node.op in ("constant", "size")
    return node.op != "scan" and all(value.id in static for value in node.inputs)


def _is_host(node: Node, host: set[int], graph: Graph) -> bool:
    if node.out.shape:
        return False
    if node.op == "size":
        return True
    if node.op == "constant":
        return not isinstance(node.attrs["value"], Data) and node.out.dtype in (DType.F64, DType.I64)
    if node.op == "input":
        # In a graph that trains, a float64 scalar input is a schedule's number; elsewhere it is a tensor like any other.
        return bool(graph.updates) and node.out.dtype is DType.F64
    if node.op not in HOST_FORMS or not all(value.id in host for value in node.inputs):
        return False
    if node.op == "cast":
        # A float16 or float32 number is rounded when an array takes it, so nothing is computed from it on the host.
        return node.out.dtype.is_float and node.inputs[0].dtype in (DType.F64, DType.I64)
    if node.out.dtype is DType.I64:
        return node.op in _EXACT_IN_INTEGERS
    return all(value.dtype is DType.F64 for value in node.inputs) and node.out.dtype is DType.F64
