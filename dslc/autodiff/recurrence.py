"""The gradient of a `scan`: another `scan`, in the other direction.

One step is differentiated like any graph: cotangents of the next states and of the outputs go in, cotangents of the states
and elements come out. The states of the backward `scan` are the cotangents of the forward one's states. What a step back needs
of the step forward is made an output of the forward `scan`, which is therefore built once more, with these outputs added;
`passes` unites the two. What is cheap to have again (views, and what all steps share) is computed again.
Source: P. Werbos, Backpropagation through time, Proceedings of the IEEE 78, 1990.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TypeAlias

from dslc.autodiff.steps import Totals
from dslc.graph import Builder
from dslc.graph.ir import LEAVES
from dslc.graph.region import ScanBody, graft, graph_of, opened
from dslc.ops import OPS
from dslc.ops.ir import Node, Value
from dslc.ops.scan import Scan

Pullback: TypeAlias = Callable[[Builder, Sequence[tuple[Value, Value]], Sequence[Value]], list[Value | None]]


def scan_cotangents(
    builder: Builder, scan: Scan, of_results: Mapping[int, Value], wanted: Set[int], pullback: Pullback
) -> list[Value | None]:
    """The cotangent of each operand of a `scan`, None where it is not wanted or no path leads to it.

    Args:
        builder: of the graph that holds the `scan`.
        of_results: the cotangents of its results, by index; the others are zero.
        wanted: ids of the values whose cotangents are wanted.
        pullback: how a step is differentiated.
    """
    step = _differentiate(scan, of_results, wanted, pullback)
    body, known = ScanBody(), dict[int, Value]()
    for i, g in step.of_states.items():
        initial = of_results.get(i)
        known[g.id] = body.state(_zeros(builder, g) if initial is None else initial)
    for i, g in step.of_outputs.items():
        known[g.id] = body.element(of_results[i])
    found = [g for g in step.cotangents.values() if g is not None]
    known |= _from_forward(builder, scan, step, found, body)
    copies = dict(zip((g.id for g in found), graft(body.builder, step.nodes, found, known), strict=True))
    inside = {name: copies[g.id] for name, g in step.cotangents.items() if g is not None}
    return _run_back(builder, scan, step, body, inside)


@dataclass(frozen=True, slots=True)
class _StepBack:
    """A step with its gradient, as one graph.

    Attributes:
        nodes: of the step and its gradient, inputs before users.
        forward: the ids of those that belong to the step.
        of_states, of_outputs: the leaves for the cotangents of results, by index.
        cotangents: of the leaves of the step, by name.
    """

    nodes: list[Node]
    forward: set[int]
    of_states: dict[int, Value]
    of_outputs: dict[int, Value]
    cotangents: dict[str, Value | None]


def _differentiate(scan: Scan, of_results: Mapping[int, Value], wanted: Set[int], pullback: Pullback) -> _StepBack:
    b = Builder(graph_of(scan.body))
    own = set(b.graph.nodes)
    results = scan.body.results
    seeded = [i for i, value in enumerate(scan.next) if value.dtype.is_float]
    of_states = {i: b.leaf("input", results[i].type, name=f"g{i}") for i in seeded}
    outputs = [i for i in sorted(of_results) if i >= len(scan.next)]
    of_outputs = {i: b.leaf("input", results[i].type, name=f"g{i}") for i in outputs}
    leaves = {name: leaf for name, leaf in scan.leaves.items() if leaf.dtype.is_float}
    operands = scan.operands
    asked = [name for name in leaves if name[0] == "s" or operands[name].id in wanted]
    seeds = [(results[i], g) for i, g in (of_states | of_outputs).items()]
    found = pullback(b, seeds, [leaves[name] for name in asked])
    nodes = b.graph.order()
    for node in nodes:
        # The gradient of a `scan` in the step runs that `scan` again, for residuals of its own: it belongs to the step.
        if node.op in ("scan", "item") and all(value.id in own for value in node.inputs):
            own.add(node.id)
    return _StepBack(nodes, own, of_states, of_outputs, dict(zip(asked, found, strict=True)))


def _from_forward(
    builder: Builder, scan: Scan, step: _StepBack, found: Sequence[Value], body: ScanBody
) -> dict[int, Value]:
    """What the backward body reads of the step forward, by id, as leaves of the backward body."""
    by_id = {node.id: node for node in step.nodes}
    leaves = {leaf.id: name for name, leaf in scan.leaves.items()}
    shared = _shared(scan, step)
    operands = scan.operands
    known: dict[int, Value] = {}
    residuals: list[Value] = []
    needed = {value.id for value in found}
    for number in sorted(by_id, reverse=True):
        node = by_id[number]
        if number not in needed:
            continue
        name = leaves.get(number, "")
        if name[:1] == "x":
            known[number] = body.element(operands[name])
        elif name[:1] == "c":
            known[number] = body.constant(operands[name])
        elif name or (number in step.forward and not (number in shared or _is_view(node))):
            residuals.append(node.out)
        else:
            needed.update(value.id for value in node.inputs)
    residuals.reverse()
    for value, stacked in zip(residuals, _stacked(builder, scan, step, residuals), strict=True):
        known[value.id] = body.element(stacked)
    return known


def _shared(scan: Scan, step: _StepBack) -> set[int]:
    """The values of the step that are the same at every step."""
    varying = {leaf.id for name, leaf in scan.leaves.items() if name[0] != "c"}
    for node in step.nodes:
        if any(value.id in varying for value in node.inputs):
            varying.add(node.id)
    return step.forward - varying


def _is_view(node: Node) -> bool:
    return node.op in LEAVES or OPS[node.op].view


def _stacked(builder: Builder, scan: Scan, step: _StepBack, residuals: Sequence[Value]) -> list[Value]:
    """Values of all steps forward: outputs of the same `scan`, built once more."""
    if not residuals:
        return []
    body, known = opened(scan)
    forward = [node for node in step.nodes if node.id in step.forward]
    outputs = list(dict.fromkeys((*scan.outputs, *residuals)))
    after, made = (graft(body.builder, forward, values, known) for values in (scan.next, outputs))
    results = body.finish(builder, after, made, scan.reverse)
    stacked = dict(zip(outputs, results[len(scan.next) :], strict=True))
    return [stacked[value] for value in residuals]


def _run_back(
    builder: Builder, scan: Scan, step: _StepBack, body: ScanBody, inside: Mapping[str, Value]
) -> list[Value | None]:
    """The backward `scan` and what its results are to the operands of the forward one."""
    after = [inside[f"s{i}"] if f"s{i}" in inside else _zeros(body.builder, g) for i, g in step.of_states.items()]
    totals = Totals(body, builder, after)
    of_elements = {name: totals.output(value) for name, value in inside.items() if name[0] == "x"}
    of_constants = {name: totals.total(value) for name, value in inside.items() if name[0] == "c"}
    if not body.walks:
        body.element(scan.sequences[0])
    results = totals.finish(not scan.reverse)
    found = {f"s{i}": results.final(position) for position, i in enumerate(step.of_states)}
    found |= {name: results.stacked(index) for name, index in of_elements.items()}
    found |= {name: total(results) for name, total in of_constants.items()}
    return [found.get(name) for name in scan.operands]


def _zeros(builder: Builder, like: Value) -> Value:
    return builder.apply("expand", builder.constant(0.0, like.dtype), sizes=like.shape)
