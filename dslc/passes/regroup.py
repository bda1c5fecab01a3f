"""Sums in the bodies of scans are taken in an order that lets their first part leave the loop.

(x + h) + b -> (x + b) + h, where only h depends on a state: what is in brackets is the same computation for all steps. The
results can differ by rounding.
"""

from __future__ import annotations

from functools import reduce

from dslc.graph import Builder, Graph
from dslc.graph.region import graft, opened
from dslc.ops.ir import Node, Value
from dslc.ops.scan import Scan
from dslc.passes.scans import has_scans, rebuild


def regroup(graph: Graph) -> Graph:
    """The graph whose scans add first what depends on no state."""
    return rebuild(graph, _regrouped) if has_scans(graph) else graph


def _regrouped(builder: Builder, scan: Scan, _: list[int]) -> dict[int, Value]:
    """A scan with the sums of its body in another order."""
    body, known = opened(scan)
    sums = _Sums(scan)
    for node in scan.body.nodes:
        early, late = sums.parts(node)
        if len(early) > 1 and late:
            with body.builder.at(node.span, node.layer):
                made = _sum(body.builder, [known[v.id] for v in early], [known[v.id] for v in late])
            known[node.id] = body.builder.named(made, node.name)
        else:
            graft(body.builder, (node,), (node.out,), known)
    results = [known[value.id] for value in scan.body.results]
    states = len(scan.initial)
    return dict(enumerate(body.finish(builder, results[:states], results[states:], scan.reverse)))


def _sum(b: Builder, *parts: list[Value]) -> Value:
    """The sum of the sums of several lists."""
    sums = [reduce(lambda x, y: b.apply("add", x, y), part) for part in parts]
    return reduce(lambda x, y: b.apply("add", x, y), sums)


class _Sums:
    """Which values of a body depend on states, and the terms of its sums."""

    def __init__(self, scan: Scan) -> None:
        self._by_id = {node.id: node for node in scan.body.nodes}
        self._varying = {leaf.id for name, leaf in scan.leaves.items() if name[0] == "s"}
        self._readers: dict[int, list[str]] = {value.id: ["result"] for value in scan.body.results}
        for node in scan.body.nodes:
            for value in node.inputs:
                self._readers.setdefault(value.id, []).append(node.op)
            if any(value.id in self._varying for value in node.inputs):
                self._varying.add(node.id)

    def parts(self, node: Node) -> tuple[list[Value], list[Value]]:
        """The terms of a whole sum: those that depend on no state, and the others."""
        if node.op != "add" or node.id not in self._varying or self._is_part(node):
            return [], []
        terms, rest = list[Value](), list(reversed(node.inputs))
        while rest:
            term = self._by_id[rest.pop().id]
            if self._is_part(term):
                rest += reversed(term.inputs)
            else:
                terms.append(term.out)
        return [v for v in terms if v.id not in self._varying], [v for v in terms if v.id in self._varying]

    def _is_part(self, node: Node) -> bool:
        """Whether a node is a sum that only a longer sum reads."""
        return node.op == "add" and node.id in self._varying and self._readers.get(node.id) == ["add"]
