"""Bodies of scans are written so that more of them can leave the loop.

Results can differ by rounding: terms are added in another order.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from dslc.graph import Builder, Graph
from dslc.ops.ir import Node, Value
from dslc.ops.scan import Scan
from dslc.passes.scans import on_states, rebuild, rewrite_body
from dslc.tensor_type import Dim


def split_products(graph: Graph) -> Graph:
    """[x h] @ w -> x @ w_x + h @ w_h, where only h depends on a state: the first product can leave the loop."""
    return rebuild(graph, _with_products_split)


def regroup_sums(graph: Graph) -> Graph:
    """(x + h) + b -> (x + b) + h, where only h depends on a state: the sum in brackets can leave the loop."""
    return rebuild(graph, _with_sums_regrouped)


def _sum(b: Builder, terms: list[Value]) -> Value:
    return reduce(lambda x, y: b.apply("add", x, y), terms)


# ---------------------------------------------------------------------------------------------- products


def _with_products_split(builder: Builder, scan: Scan, _: list[int]) -> dict[int, Value]:
    varying = on_states(scan)
    by_id = {node.id: node for node in scan.body.nodes}

    def split(b: Builder, node: Node, known: Mapping[int, Value]) -> Value | None:
        if node.op != "matmul" or node.inputs[1].id in varying or node.inputs[1].type.rank != 2:
            return None
        joined = by_id[node.inputs[0].id]
        if joined.op != "concat" or joined.attrs.int("axis") != joined.out.type.rank - 1:
            return None
        late = [value.id in varying for value in joined.inputs]
        if all(late) or not any(late):
            return None
        weights = _rows(b, known[node.inputs[1].id], joined.inputs)
        parts = [(known[value.id], weight) for value, weight in zip(joined.inputs, weights, strict=True)]
        early = [b.apply("matmul", *part) for part, is_late in zip(parts, late, strict=True) if not is_late]
        rows, rest = zip(*(part for part, is_late in zip(parts, late, strict=True) if is_late), strict=True)
        left = rows[0] if len(rows) == 1 else b.apply("concat", *rows, axis=-1)
        right = rest[0] if len(rest) == 1 else b.apply("concat", *rest, axis=0)
        return _sum(b, [*early, b.apply("matmul", left, right)])

    return rewrite_body(builder, scan, split)


def _rows(b: Builder, weight: Value, parts: tuple[Value, ...]) -> list[Value]:
    """The rows of a weight that the parts of a joined operand meet."""
    found: list[Value] = []
    start: Dim = 0
    for part in parts:
        stop = start + part.shape[-1]
        found.append(b.apply("slice", weight, starts=(start,), stops=(stop,)))
        start = stop
    return found


# ---------------------------------------------------------------------------------------------- sums


def _with_sums_regrouped(builder: Builder, scan: Scan, _: list[int]) -> dict[int, Value]:
    sums = _Sums(scan)

    def regroup(b: Builder, node: Node, known: Mapping[int, Value]) -> Value | None:
        early, late = sums.parts(node)
        if len(early) < 2:
            return None
        return b.apply("add", *(_sum(b, [known[value.id] for value in terms]) for terms in (early, late)))

    return rewrite_body(builder, scan, regroup)


class _Sums:
    """The whole sums of a body, with their terms."""

    def __init__(self, scan: Scan) -> None:
        self._by_id = {node.id: node for node in scan.body.nodes}
        self._varying = on_states(scan)
        self._readers: dict[int, list[str]] = {value.id: ["result"] for value in scan.body.results}
        for node in scan.body.nodes:
            for value in node.inputs:
                self._readers.setdefault(value.id, []).append(node.op)

    def parts(self, node: Node) -> tuple[list[Value], list[Value]]:
        """The terms of a whole sum that depends on states: those that do not, and those that do."""
        if not self._is_sum(node) or self._is_part(node):
            return [], []
        terms, rest = list[Value](), list(reversed(node.inputs))
        while rest:
            term = self._by_id[rest.pop().id]
            if self._is_part(term):
                rest += reversed(term.inputs)
            else:
                terms.append(term.out)
        return [v for v in terms if v.id not in self._varying], [v for v in terms if v.id in self._varying]

    def _is_sum(self, node: Node) -> bool:
        return node.op == "add" and node.id in self._varying

    def _is_part(self, node: Node) -> bool:
        """Whether a node is a sum that only a longer sum reads."""
        return self._is_sum(node) and self._readers.get(node.id) == ["add"]
