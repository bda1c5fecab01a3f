"""scan(f)(a), scan(g)(a) -> scan(f x g)(a): scans over the same operands whose states are the same become one.

So are a scan and the same one built again with residuals for its gradient.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dslc.graph import Builder, Graph
from dslc.graph.region import graft, opened, region_of
from dslc.ops.ir import Value
from dslc.ops.scan import Scan, scan_of
from dslc.passes.scans import rebuild


def unite_scans(graph: Graph) -> Graph:
    """The graph with one scan in the place of several that run alike."""
    groups = _groups(scan_of(node) for node in graph.order() if node.op == "scan")
    if all(len(group) == 1 for group in groups):
        return graph
    group_of = {scan.node.id: group for group in groups for scan in group}
    made: dict[int, Mapping[int, Value]] = {}

    def remake(builder: Builder, scan: Scan, _: list[int]) -> Mapping[int, Value]:
        if scan.node.id not in made:
            made.update(_united(builder, scan, group_of[scan.node.id]))
        return made[scan.node.id]

    return rebuild(graph, remake)


def _groups(scans: Iterable[Scan]) -> list[list[Scan]]:
    """Scans by what they run over and how their states go on."""
    alike: dict[object, list[Scan]] = {}
    for scan in scans:
        ids = tuple(tuple(value.id for value in kind) for kind in (scan.initial, scan.sequences, scan.constants))
        alike.setdefault((ids, scan.reverse), []).append(scan)
    found: dict[object, list[Scan]] = {}
    for key, group in alike.items():
        for scan in group:
            found.setdefault((key, _recurrence(scan) if len(group) > 1 else None), []).append(scan)
    return list(found.values())


def _recurrence(scan: Scan) -> object:
    """How the states of a scan go on: equal for scans that compute them in the same way."""
    body, known = opened(scan)
    after = graft(body.builder, scan.body.nodes, scan.next, known)
    body.builder.graph.outputs = {str(i): value for i, value in enumerate(after)}
    return region_of(body.builder.graph)


def _united(builder: Builder, first: Scan, group: list[Scan]) -> dict[int, Mapping[int, Value]]:
    """One scan with the outputs of all of a group; the results of each, by the id of its node."""
    body, known = opened(first)
    by_name = {name: known[leaf.id] for name, leaf in first.leaves.items()}
    copies: dict[int, list[Value]] = {}
    for scan in group:
        leaves = {leaf.id: by_name[name] for name, leaf in scan.leaves.items()}
        copies[scan.node.id] = graft(body.builder, scan.body.nodes, scan.body.results, leaves)
    states = len(first.initial)
    outputs = list(dict.fromkeys(value for results in copies.values() for value in results[states:]))
    results = body.finish(builder, copies[first.node.id][:states], outputs, first.reverse)
    final, stacked = results[:states], dict(zip(outputs, results[states:], strict=True))
    return {
        number: dict(enumerate([*final, *(stacked[value] for value in own[states:])])) for number, own in copies.items()
    }
