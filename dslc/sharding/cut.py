"""The graph of a training step -> two: what is run for each shard of a batch, and what is run once, when the shards are done.

A value is handed from the first to the second where it is a sum over rows that nothing in a shard reads any more: the
gradient of a group of parameters, a loss, a figure. Every shard gives its own, and the second graph adds them up. Rows of figures
are handed over side by side. What is the same for all rows is computed where it is needed. Where a figure needs all rows at once,
as distances from their mean do, it is computed in the second graph, of rows that are handed over; an update that does is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce

from dslc.figures import is_loss
from dslc.graph import Builder, Graph
from dslc.graph.region import graft
from dslc.ops import OPS
from dslc.ops.ir import Node, Value
from dslc.sharding.placement import Placement, Replicated, Sharded, Whole, as_partial, batch_axis
from dslc.sharding.placing import Placing, Refused, RefusedError, batch_of, refused
from dslc.tensor_type import DType, TensorType

SHARE = "share"  # inputs of `rest` are called so, with the number of a shard behind it: its part of the rows


@dataclass(frozen=True, slots=True)
class Sharding:
    """A step's graph in two.

    Attributes:
        part: run for the rows of a shard, with their inputs and draws. Its outputs are what `rest` reads; no updates.
        rest: run once. For each output ``n`` of `part` it has the inputs ``n.0``, ``n.1``, ...: what each shard gave; where
            their numbers of rows matter also ``share.0``, ...: f64, each shard's rows divided by all. Outputs and updates
            are those of the graph, in its order.
        inputs: the inputs of `part` that are cut, with the axis they are cut along.
        draws: the same for its random tensors, by stream; in the axis the batch comes first.
        joined: the outputs of `part` that are rows, of which `rest` reads all as one input of that name: side by side on axis 0.
        batch: the name of the run-time size that is the number of rows.
    """

    part: Graph
    rest: Graph
    inputs: Mapping[str, int]
    draws: Mapping[str, int]
    joined: tuple[str, ...]
    batch: str


def shard(graph: Graph, parts: int) -> Sharding | Refused:
    """Cut the graph of a training step for so many shards, or say why it cannot be cut.

    Args:
        graph: as `dslc.training` makes it.
        parts: how many shards there are.
    """
    try:
        placing = Placing(batch_of(graph))
        needed = graph.ancestors(graph.results())
        placing.place(node for node in graph.order() if node.id in needed)
        _require_apart(graph, placing)
        return _Cut(graph, placing, parts).made()
    except RefusedError as error:
        return error.refused


def _require_apart(graph: Graph, placing: Placing) -> None:
    """Refuse a loss or an update that needs rows of several shards at once: nearly all of the step would be computed once."""
    learned = [value for name, value in graph.outputs.items() if is_loss(name)]
    updating = graph.ancestors([*learned, *graph.updates.values()])
    for node, why in placing.meeting.items():
        if node in updating:
            raise RefusedError(why)


@dataclass(frozen=True, slots=True)
class _Cut:
    graph: Graph
    placing: Placing
    parts: int

    def made(self) -> Sharding:
        handed, order = self._handed(), self.graph.order()
        part, rest = Builder(), Builder()
        values = graft(part, order, handed.values(), {})
        part.graph.outputs |= {name: _crossing(part, value) for name, value in zip(handed, values, strict=True)}
        known = {value.id: self._completed(rest, name, value) for name, value in handed.items()}
        results = graft(rest, order, self.graph.results(), known)
        outputs = len(self.graph.outputs)
        rest.graph.outputs |= zip(self.graph.outputs, results[:outputs], strict=True)
        rest.graph.updates |= zip(self.graph.updates, results[outputs:], strict=True)
        joined = tuple(name for name, value in handed.items() if isinstance(self._placed(value), Sharded))
        inputs, draws = (self._axes(part.graph.leaves(op), key) for op, key in (("input", "name"), ("draw", "stream")))
        return Sharding(part.graph, rest.graph, inputs, draws, joined, str(self.placing.batch))

    def _placed(self, value: Value) -> Placement:
        return self.placing.placed[value.id]

    def _axes(self, leaves: Iterable[Node], key: str) -> dict[str, int]:
        """The axes that leaves are cut along, by name."""
        axes = {leaf.attrs.str(key): batch_axis(leaf.out.shape, self.placing.batch) for leaf in leaves}
        return {name: axis for name, axis in axes.items() if axis is not None}

    def _handed(self) -> dict[str, Value]:
        """What `rest` reads of the shards, by name."""
        found: dict[int, Value] = {}
        seen: set[int] = set()
        stack = list(self.graph.results())
        while stack:
            value = stack.pop()
            if value.id in seen:
                continue
            seen.add(value.id)
            node = self.graph.producer(value)
            if self._is_handed(node):
                self._require_handable(node)
                found[value.id] = value
            else:
                stack += node.inputs
        return self._named([value for _, value in sorted(found.items())])

    def _is_handed(self, node: Node) -> bool:
        """Whether a value is made of rows, be it the same for all of them, and no other arrangement of such a value."""
        placement = self._placed(node.out)
        if isinstance(placement, Sharded) and not _is_side_by_side(placement) and node.op in OPS and OPS[node.op].view:
            return False
        if isinstance(placement, Replicated):
            return any(not isinstance(self._placed(value), Replicated) for value in node.inputs)
        return not isinstance(placement, Whole)

    def _require_handable(self, node: Node) -> None:
        placement = self._placed(node.out)
        if isinstance(placement, Sharded):
            if not _is_side_by_side(placement) or placement.degree:
                raise RefusedError(refused(node, "its rows do not lie side by side"))
            if any(value.id == node.id for value in self.graph.updates.values()):
                raise RefusedError(refused(node, "rows are kept from batch to batch"))
        elif as_partial(placement).degree and not node.out.dtype.is_float:
            raise RefusedError(refused(node, "whole numbers cannot be weighted by rows"))

    def _named(self, values: Iterable[Value]) -> dict[str, Value]:
        """Values by a name: that of an output where it is one, else what made it."""
        outputs = {value.id: name for name, value in reversed(self.graph.outputs.items())}
        taken = {SHARE} | {node.attrs.str("name") for node in self.graph.leaves("input") if not node.out.shape}
        found: dict[str, Value] = {}
        for value in values:
            name = outputs.get(value.id) or f"{self.graph.producer(value).op}:{value.id}"
            while name in taken:
                name += "'"
            taken.add(name)
            found[name] = value
        return found

    def _completed(self, rest: Builder, name: str, value: Value) -> Value:
        """A value of the whole batch, of what the shards hand over."""
        placement, node = self._placed(value), self.graph.producer(value)
        with rest.at(node.span, node.layer):
            if isinstance(placement, Sharded):
                return rest.leaf("input", value.type, name=name)
            degree = as_partial(placement).degree
            type_ = TensorType(value.dtype, value.shape or (1,))
            terms = [rest.leaf("input", type_, name=f"{name}.{i}") for i in range(self.parts)]
            if degree:
                shares = [_share(rest, i, degree, value.dtype) for i in range(self.parts)]
                terms = [rest.apply("mul", *pair) for pair in zip(terms, shares, strict=True)]
            total = reduce(lambda left, right: rest.apply("add", left, right), terms)
            return total if value.shape else rest.apply("reshape", total, sizes=())


def _is_side_by_side(placement: Sharded) -> bool:
    return placement.axis == 0 and placement.before in (1, None)


def _crossing(part: Builder, value: Value) -> Value:
    """A value as it is handed over: a scalar as one element, since a scalar input of a step is a number of its schedule."""
    return value if value.shape else part.apply("reshape", value, sizes=(1,))


def _share(rest: Builder, number: int, degree: int, dtype: DType) -> Value:
    """A shard's part of the rows, to a power."""
    share = rest.leaf("input", TensorType(DType.F64), name=f"{SHARE}.{number}")
    if degree != 1:
        share = rest.apply("pow", share, rest.constant(degree, DType.F64))
    return share if dtype is DType.F64 else rest.apply("cast", share, dtype=dtype)
