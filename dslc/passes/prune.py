"""What nothing reads of a scan is no longer computed: outputs, states, operands. What is no work is not done in a scan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dslc.graph import Builder, Graph
from dslc.graph.region import ScanBody, graft
from dslc.ops.ir import Value
from dslc.ops.scan import Scan
from dslc.passes.scans import rebuild


def prune_scans(graph: Graph) -> Graph:
    """The graph whose scans compute what is read.

    - A state that no result depends on goes; one that never changes is a constant.
    - An output that hands an element of a sequence on is that sequence.
    - Equal outputs are one, and so are equal operands.
    """
    return rebuild(graph, _pruned)


def _pruned(builder: Builder, scan: Scan, read: list[int]) -> Mapping[int, Value]:
    leaves = scan.leaves
    fixed = {i for i, value in enumerate(scan.next) if value == leaves[f"s{i}"]}
    results: dict[int, Value] = {i: scan.initial[i] for i in fixed}
    elements = {leaves[f"x{i}"]: sequence for i, sequence in enumerate(scan.sequences)}
    states = len(scan.initial)
    results |= {i: elements[scan.body.results[i]] for i in read if i >= states and scan.body.results[i] in elements}
    left = [i for i in read if i not in results]
    return results | (_smaller(builder, scan, left, fixed) if left else {})


def _smaller(builder: Builder, scan: Scan, read: list[int], fixed: set[int]) -> dict[int, Value]:
    """A scan of the results that are read and the states these depend on."""
    kept = _needed_states(scan, read, fixed)
    body, known = ScanBody(), dict[int, Value]()
    leaves, operands = scan.leaves, scan.operands
    for i in kept:
        known[leaves[f"s{i}"].id] = body.state(scan.initial[i])
    states = len(scan.initial)
    wanted = [scan.body.results[i] for i in kept]
    outputs = list(dict.fromkeys(scan.body.results[i] for i in read if i >= states))
    for name in _leaves_of(scan, (*wanted, *outputs)):
        if leaves[name].id in known:
            continue
        if name[0] == "x":
            known[leaves[name].id] = body.element(operands[name])
        else:
            known[leaves[name].id] = body.constant(operands[name])
    if not body.walks:
        body.element(scan.sequences[0])
    after, made = (graft(body.builder, scan.body.nodes, values, known) for values in (wanted, outputs))
    results = body.finish(builder, after, made, scan.reverse)
    final, stacked = results[: len(kept)], dict(zip(outputs, results[len(kept) :], strict=True))
    return dict(zip(kept, final, strict=True)) | {i: stacked[scan.body.results[i]] for i in read if i >= states}


def _needed_states(scan: Scan, read: Iterable[int], fixed: set[int]) -> list[int]:
    """The states that results depend on, over any number of steps."""
    wanted = [scan.body.results[i] for i in read]
    found: set[int] = {i for i in read if i < len(scan.initial)}
    after = scan.next
    while True:
        names = _leaves_of(scan, (*wanted, *(after[i] for i in found)))
        reached = {int(name[1:]) for name in names if name[0] == "s"} - fixed
        if reached <= found:
            return sorted(found)
        found |= reached


def _leaves_of(scan: Scan, values: Iterable[Value]) -> list[str]:
    """The names of the leaves that values of the body depend on."""
    needed = {value.id for value in values}
    for node in reversed(scan.body.nodes):
        if node.id in needed:
            needed.update(value.id for value in node.inputs)
    return [name for name, leaf in scan.leaves.items() if leaf.id in needed]
