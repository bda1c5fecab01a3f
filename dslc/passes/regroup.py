"""Bodies of scans are written so that more of them can leave the loop.

Results can differ by rounding: terms are added, and factors multiplied, in another order.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial, reduce

from dslc.graph import Builder, Graph
from dslc.ops.ir import Node, Value
from dslc.ops.scan import Scan
from dslc.passes.scans import Made, on_states, rebuild, rewrite_body
from dslc.tensor_type import Dim


def split_products(graph: Graph) -> Graph:
    """[x h] @ w -> x @ w_x + h @ w_h, where only h depends on a state: the first product can leave the loop."""
    return rebuild(graph, _with_products_split)


def regroup_sums(graph: Graph) -> Graph:
    """(x + h) + b -> (x + b) + h, where only h depends on a state: the sum in brackets can leave the loop."""
    return rebuild(graph, partial(_regrouped, op="add"))


def regroup_factors(graph: Graph) -> Graph:
    """(g * x) * y -> (x * y) * g, where only g depends on a state: the product in brackets can leave the loop.

    That is what gradients along time are made of: a cotangent times what the forward steps left behind.
    """
    return rebuild(graph, partial(_regrouped, op="mul"))


def _chain(b: Builder, op: str, parts: list[Value]) -> Value:
    return reduce(lambda x, y: b.apply(op, x, y), parts)


# ---------------------------------------------------------------------------------------------- products


def _with_products_split(builder: Builder, scan: Scan, _: list[int]) -> dict[int, Value] | None:
    varying = on_states(scan)
    by_id = {node.id: node for node in scan.body.nodes}
    changes: dict[int, Made] = {}
    for node in scan.body.nodes:
        if node.op != "matmul" or node.inputs[1].id in varying or node.inputs[1].type.rank != 2:
            continue
        joined = by_id[node.inputs[0].id]
        if joined.op == "concat" and joined.attrs.int("axis") == joined.out.type.rank - 1:
            late = tuple(value.id in varying for value in joined.inputs)
            if any(late) and not all(late):
                changes[node.id] = partial(_split, parts=joined.inputs, late=late, weight=node.inputs[1])
    return rewrite_body(builder, scan, changes)


def _split(
    b: Builder, known: Mapping[int, Value], parts: tuple[Value, ...], late: tuple[bool, ...], weight: Value
) -> Value:
    """The sum of the products of the parts that do not depend on states, one by one, and of those that do, together."""
    weights = _rows(b, known[weight.id], parts)
    factors = [(known[value.id], rows) for value, rows in zip(parts, weights, strict=True)]
    early = [b.apply("matmul", *pair) for pair, is_late in zip(factors, late, strict=True) if not is_late]
    rows, rest = zip(*(pair for pair, is_late in zip(factors, late, strict=True) if is_late), strict=True)
    left = rows[0] if len(rows) == 1 else b.apply("concat", *rows, axis=-1)
    right = rest[0] if len(rest) == 1 else b.apply("concat", *rest, axis=0)
    return _chain(b, "add", [*early, b.apply("matmul", left, right)])


def _rows(b: Builder, weight: Value, parts: tuple[Value, ...]) -> list[Value]:
    """The rows of a weight that the parts of a joined operand meet."""
    found: list[Value] = []
    start: Dim = 0
    for part in parts:
        stop = start + part.shape[-1]
        found.append(b.apply("slice", weight, starts=(start,), stops=(stop,)))
        start = stop
    return found


# ---------------------------------------------------------------------------------------------- sums and products of many


def _regrouped(builder: Builder, scan: Scan, _: list[int], op: str) -> dict[int, Value] | None:
    chains = _Chains(scan, op)
    parts = {node.id: chains.parts(node) for node in scan.body.nodes}
    changes: dict[int, Made] = {
        number: partial(_in_two, op=op, early=early, late=late)
        for number, (early, late) in parts.items()
        if len(early) > 1
    }
    return rewrite_body(builder, scan, changes)


def _in_two(b: Builder, known: Mapping[int, Value], op: str, early: list[Value], late: list[Value]) -> Value:
    """Those that do not depend on states, and those that do."""
    return b.apply(op, *(_chain(b, op, [known[value.id] for value in parts]) for parts in (early, late)))


class _Chains:
    """The whole sums of a body with their terms, or the whole products with their factors."""

    def __init__(self, scan: Scan, op: str) -> None:
        self._op = op
        self._by_id = {node.id: node for node in scan.body.nodes}
        self._varying = on_states(scan)
        self._readers: dict[int, list[str]] = {value.id: ["result"] for value in scan.body.results}
        for node in scan.body.nodes:
            for value in node.inputs:
                self._readers.setdefault(value.id, []).append(node.op)

    def parts(self, node: Node) -> tuple[list[Value], list[Value]]:
        """The parts of a whole chain that depends on states: those that do not, and those that do."""
        if not self._is_chain(node) or self._is_part(node):
            return [], []
        parts, rest = list[Value](), list(reversed(node.inputs))
        while rest:
            part = self._by_id[rest.pop().id]
            if self._is_part(part):
                rest += reversed(part.inputs)
            else:
                parts.append(part.out)
        return [v for v in parts if v.id not in self._varying], [v for v in parts if v.id in self._varying]

    def _is_chain(self, node: Node) -> bool:
        return node.op == self._op and node.id in self._varying

    def _is_part(self, node: Node) -> bool:
        """Whether a node is a chain that only a longer one reads."""
        return self._is_chain(node) and self._readers.get(node.id) == [self._op]
