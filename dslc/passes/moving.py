"""Work leaves the bodies of scans: what does not need the states is done before, what the states do not need afterwards.

Both are done for all steps at once: one large product instead of T small ones. Sums may be taken in another order, so that
results can differ by rounding.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dslc.graph import Builder, Graph
from dslc.graph.region import ScanBody, graft, opened
from dslc.ops.ir import Node, Value
from dslc.ops.scan import Scan
from dslc.passes.batching import Steps, batched
from dslc.passes.scans import rebuild
from dslc.tensor_type import Shape, TensorType, count, evaluate, symbols

_KEPT = frozenset({"constant", "size", "expand"})  # no work: as cheap inside

MAX_GROWTH = 16  # elements handed out, for one element of the output that is made of them
_TYPICAL = 32  # a run-time size, to compare numbers of elements


def hoist(graph: Graph) -> Graph:
    """scan(f(g(x), s)) -> scan(f(y, s)) over y = g(x) for all steps."""
    return rebuild(graph, _hoisted)


def sink(graph: Graph) -> Graph:
    """An output g(y) that no state needs -> g of all y, afterwards."""
    return rebuild(graph, _sunk)


# ---------------------------------------------------------------------------------------------- before


def _hoisted(builder: Builder, scan: Scan, read: list[int]) -> Mapping[int, Value]:
    outside = _independent(builder, scan)
    states = len(scan.initial)
    results = {i: _repeated(builder, scan, outside[scan.body.results[i].id]) for i in read if _is_out(scan, i, outside)}
    outputs = [i for i in read if i >= states and i not in results]
    body, wanted = ScanBody(), [*scan.next, *(scan.body.results[i] for i in outputs)]
    leaves = scan.leaves
    known = {leaves[f"s{i}"].id: body.state(value) for i, value in enumerate(scan.initial)}
    known |= _handed_in(body, scan, outside, wanted)
    made = graft(body.builder, scan.body.nodes, wanted, known)
    if not body.walks:
        body.element(scan.sequences[0])
    left = body.finish(builder, made[:states], made[states:], scan.reverse)
    return results | dict(enumerate(left[:states])) | dict(zip(outputs, left[states:], strict=True))


def _is_out(scan: Scan, result: int, outside: Mapping[int, Steps]) -> bool:
    return result >= len(scan.initial) and scan.body.results[result].id in outside


def _repeated(builder: Builder, scan: Scan, steps: Steps) -> Value:
    """The values of all steps."""
    if steps.varies:
        return steps.value
    return builder.apply("expand", steps.value, sizes=(scan.length, *steps.value.shape))


def _independent(builder: Builder, scan: Scan) -> dict[int, Steps]:
    """The values of the body that do not depend on states, for all steps, as far as there are operators for that."""
    leaves = scan.leaves
    outside = {leaves[f"x{i}"].id: Steps(value, True) for i, value in enumerate(scan.sequences)}
    outside |= {leaves[f"c{i}"].id: Steps(value, False) for i, value in enumerate(scan.constants)}
    for node in scan.body.nodes:
        made = _for_all_steps(builder, scan, node, outside)
        if made is not None:
            outside[node.id] = made
    return outside


def _for_all_steps(builder: Builder, scan: Scan, node: Node, known: Mapping[int, Steps]) -> Steps | None:
    if node.op == "input" or any(value.id not in known for value in node.inputs):
        return None
    with builder.at(node.span, node.layer):
        made = batched(builder, node, tuple(known[value.id] for value in node.inputs), scan.length)
    if made is not None:
        builder.named(made.value, node.name)
    return made


def _handed_in(body: ScanBody, scan: Scan, outside: Mapping[int, Steps], wanted: Iterable[Value]) -> dict[int, Value]:
    """The outermost values that are known outside, as leaves of a new body."""
    known: dict[int, Value] = {}
    needed = {value.id for value in wanted}
    for node in reversed(scan.body.nodes):
        if node.id not in needed:
            continue
        if node.id in outside and node.op not in _KEPT:
            steps = outside[node.id]
            known[node.id] = body.element(steps.value) if steps.varies else body.constant(steps.value)
        else:
            needed.update(value.id for value in node.inputs)
    return known


# ---------------------------------------------------------------------------------------------- afterwards


def _sunk(builder: Builder, scan: Scan, read: list[int]) -> Mapping[int, Value]:
    later = _Later(scan)
    states = len(scan.initial)
    outputs = {i: scan.body.results[i] for i in read if i >= states}
    handed: dict[Value, None] = {}
    moved: dict[int, Steps] = {}
    for i, value in outputs.items():
        needed = later.needed(value)
        new = [v for v in needed if v not in handed]
        if value in needed or sum(_elements(v.shape) for v in new) > MAX_GROWTH * _elements(value.shape):
            handed[value] = None
        else:
            moved[i] = later.steps[value.id]
            handed |= dict.fromkeys(new)
    body, known = opened(scan)
    after, made = (graft(body.builder, scan.body.nodes, values, known) for values in (scan.next, handed))
    results = body.finish(builder, after, made, scan.reverse)
    stacked = dict(zip(handed, results[states:], strict=True))
    places = later.places(stacked)
    found = {i: stacked[value] for i, value in outputs.items() if i not in moved}
    copies = graft(builder, later.graph.order(), (steps.value for steps in moved.values()), places)
    for (i, steps), value in zip(moved.items(), copies, strict=True):
        found[i] = _repeated(builder, scan, Steps(value, steps.varies))
    return dict(enumerate(results[:states])) | found


class _Later:
    """The values of a body that states do not need, for all steps, over leaves that stand for the others.

    Attributes:
        steps: what each value is; those that cannot be had afterwards are leaves.
    """

    def __init__(self, scan: Scan) -> None:
        self._scan = scan
        self._builder = Builder()
        self._leaves: dict[int, Value] = {}  # the leaf that stands for a value, by its id
        self._stacked: list[Value] = []  # the values that leaves stand for, but for elements and constants
        self._masks: dict[int, int] = {}  # which of these a value depends on, as bits
        self.steps: dict[int, Steps] = {}
        inner = _inner(scan)
        kinds = {leaf.id: name[0] for name, leaf in scan.leaves.items()}
        for node in scan.body.nodes:
            made = None
            if node.id not in inner or node.op in _KEPT:
                made = _for_all_steps(self._builder, scan, node, self.steps)
            self.steps[node.id] = made or self._leaf(node.out, kinds.get(node.id, "s"))
        for node in self.graph.order():
            for value in node.inputs:
                self._masks[node.id] = self._masks.get(node.id, 0) | self._masks.get(value.id, 0)

    @property
    def graph(self) -> Graph:
        return self._builder.graph

    def _leaf(self, value: Value, kind: str) -> Steps:
        shape = value.shape if kind == "c" else (self._scan.length, *value.shape)
        leaf = self._builder.leaf("input", TensorType(value.dtype, shape), name=str(value.id))
        self._leaves[value.id] = leaf
        if kind == "s":
            self._masks[leaf.id] = 1 << len(self._stacked)
            self._stacked.append(value)
        return Steps(leaf, kind != "c")

    def needed(self, value: Value) -> list[Value]:
        """The values that have to be handed out to have a value afterwards; itself where it cannot be had."""
        mask = self._masks.get(self.steps[value.id].value.id, 0)
        found: list[Value] = []
        while mask:
            lowest = mask & -mask
            found.append(self._stacked[lowest.bit_length() - 1])
            mask ^= lowest
        return found

    def places(self, stacked: Mapping[Value, Value]) -> dict[int, Value]:
        """What the leaves are in the graph outside."""
        found = {self._leaves[value.id].id: made for value, made in stacked.items() if value.id in self._leaves}
        operands = self._scan.operands
        for name, leaf in self._scan.leaves.items():
            if name[0] != "s":
                found[self._leaves[leaf.id].id] = operands[name]
        return found


def _inner(scan: Scan) -> set[int]:
    """The values that the next states need."""
    needed = {value.id for value in scan.next}
    for node in reversed(scan.body.nodes):
        if node.id in needed:
            needed.update(value.id for value in node.inputs)
    return needed


def _elements(shape: Shape) -> int:
    """About how many elements a shape has."""
    size = count(shape)
    return evaluate(size, dict.fromkeys(symbols(size), _TYPICAL))
