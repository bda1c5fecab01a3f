"""The same function of several parts of one tensor -> the function of all of them, and the parts of that.

``sigmoid(z[:, :n]), sigmoid(z[:, n:2 * n])`` -> ``s = sigmoid(z[:, :2 * n])`` and views of ``s``: the gates of a recurrent cell
become one call instead of one each, on elements that lie in order. Results are equal to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

from dslc.graph import Builder, Graph
from dslc.ops.ir import Attrs, Node, Value
from dslc.passes.dead import live
from dslc.passes.views import POINTWISE
from dslc.record import record

# Parts may have gaps between them, over which the function is then computed for nothing: a quarter of all. For three of four
# gates of 32 x 64 elements, one call on all four took half the time of three calls.
_COVERED = 0.75


@record
class _Kind:
    """What nodes have in common that differ only in the part they work on.

    Attributes:
        operands: the tensors of which operands are parts, and those that are operands as they are.
        cut: which operands are parts.
        axis: the one along which they are cut.
    """

    op: str
    attrs: Attrs
    operands: tuple[Value, ...]
    cut: tuple[bool, ...]
    axis: int


@record
class _Part:
    """A node's part: from `start` to `stop` along its kind's axis."""

    start: int
    stop: int


def unite_parts(graph: Graph) -> Graph:
    """The graph with parts united, until none are left that could be."""
    while True:
        kinds = _kinds(graph)
        hulls = {kind: hull for kind, parts in kinds.items() if (hull := _hull(parts.values())) is not None}
        if not hulls:
            return graph
        graph = _united(graph, {node: (kind, part) for kind in hulls for node, part in kinds[kind].items()}, hulls)


def _kinds(graph: Graph) -> dict[_Kind, dict[int, _Part]]:
    """The nodes on parts by kind."""
    found: dict[_Kind, dict[int, _Part]] = {}
    needed = live(graph)
    for node in graph.order():
        if node.id in needed and node.op in POINTWISE and (known := _kind(graph, node)) is not None:
            kind, part = known
            found.setdefault(kind, {})[node.id] = part
    return found


def _kind(graph: Graph, node: Node) -> tuple[_Kind, _Part] | None:
    """What kind a node is of, if all its operands are the same part of tensors, or the same for every part."""
    makers = [graph.producer(value) for value in node.inputs]
    cuts = [_cut(maker, node) for maker in makers]
    places = {cut for cut in cuts if cut is not None}
    if len(places) != 1:
        return None
    ((axis, part),) = places
    from_right = axis - node.out.type.rank
    for value, cut in zip(node.inputs, cuts, strict=True):
        if cut is None and value.type.rank >= -from_right and value.shape[from_right] != 1:
            return None
    operands = tuple(
        value if cut is None else maker.inputs[0] for value, maker, cut in zip(node.inputs, makers, cuts, strict=True)
    )
    return _Kind(node.op, node.attrs, operands, tuple(cut is not None for cut in cuts), axis), part


def _cut(maker: Node, user: Node) -> tuple[int, _Part] | None:
    """The axis along which an operand is cut out of a tensor of the same rank as the result, and which part it is."""
    if maker.op != "slice" or maker.out.shape != user.out.shape or any(s != 1 for s in maker.attrs.ints("steps")):
        return None
    whole = maker.inputs[0].shape
    axes = [axis for axis, size in enumerate(maker.out.shape) if size != whole[axis]]
    if len(axes) != 1:
        return None
    (axis,) = axes
    start, size = maker.attrs.shape("starts")[axis], maker.out.shape[axis]
    if not isinstance(start, int) or not isinstance(size, int):
        return None
    return axis, _Part(start, start + size)


def _hull(parts: Iterable[_Part]) -> _Part | None:
    """The part that holds all parts; None where there are less than two, they overlap, or it is much larger than they are."""
    ordered = sorted(set(parts), key=lambda part: part.start)
    if len(ordered) < 2 or any(a.stop > b.start for a, b in pairwise(ordered)):
        return None
    hull = _Part(ordered[0].start, ordered[-1].stop)
    covered = sum(part.stop - part.start for part in ordered)
    return hull if covered >= _COVERED * (hull.stop - hull.start) else None


def _united(graph: Graph, members: Mapping[int, tuple[_Kind, _Part]], hulls: Mapping[_Kind, _Part]) -> Graph:
    builder, values, whole = Builder(), dict[int, Value](), dict[_Kind, Value]()
    needed = live(graph)
    for node in graph.order():
        if node.id not in needed:
            continue
        with builder.at(node.span, node.layer):
            if node.id not in members:
                values[node.id] = builder.copy(node, [values[value.id] for value in node.inputs])
                continue
            kind, part = members[node.id]
            hull = hulls[kind]
            if kind not in whole:
                operands = [
                    _part(builder, values[value.id], kind.axis, hull.start, hull.stop) if cut else values[value.id]
                    for value, cut in zip(kind.operands, kind.cut, strict=True)
                ]
                whole[kind] = builder.apply(kind.op, *operands, **kind.attrs)
            made = _part(builder, whole[kind], kind.axis, part.start - hull.start, part.stop - hull.start)
            values[node.id] = builder.named(made, node.name)
    builder.graph.outputs |= {name: values[value.id] for name, value in graph.outputs.items()}
    builder.graph.updates |= {name: values[value.id] for name, value in graph.updates.items()}
    return builder.graph


def _part(b: Builder, x: Value, axis: int, start: int, stop: int) -> Value:
    """The elements from `start` to `stop` along an axis; all of them are the tensor itself."""
    if start == 0 and stop == x.shape[axis]:
        return x
    before: tuple[None, ...] = (None,) * axis
    return b.apply("slice", x, starts=(*before, start), stops=(*before, stop))
