"""What comes after the shards -> what is computed once, and what each process updates: a slice of the parameters.

An optimizer works element by element on vectors of all parameters, so a vector can be cut anywhere. Where something else reads a
whole vector, a norm of the gradient for one, nothing is cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from dslc.graph import Builder, Graph
from dslc.graph.ir import LEAVES
from dslc.graph.region import graft
from dslc.ops import OPS
from dslc.ops.ir import Attr, Node, Value
from dslc.tensor_type import Shape, TensorType

STEP = 1024  # elements: slices begin where pages of memory and tiles may begin


@dataclass(frozen=True, slots=True)
class Slice:
    """The elements from `start` to `stop` of all vectors, and the graph that updates them."""

    start: int
    stop: int
    graph: Graph


@dataclass(frozen=True, slots=True)
class Sliced:
    """The graph of what is computed once, before any update, and the updates."""

    once: Graph
    slices: tuple[Slice, ...]


def sliced(rest: Graph, parts: int, step: int = STEP) -> Sliced | None:
    """Cut the updates of a graph for so many processes; None where they are no functions of single elements.

    Args:
        rest: what `shard` leaves to be done when the shards are done.
        step: slices begin at multiples of so many elements.
    """
    vector = _vector(rest)
    if vector is None or vector[0] < parts * step:
        return None
    needed = rest.ancestors(rest.updates.values())
    nodes = [node for node in rest.order() if node.id in needed]
    if not all(_is_of_elements(node, vector) for node in nodes):
        return None
    once = Builder()
    results = graft(once, rest.order(), rest.outputs.values(), {})
    once.graph.outputs |= zip(rest.outputs, results, strict=True)
    length = vector[0]
    bounds = [length * number // parts // step * step for number in range(parts)] + [length]
    slices = (Slice(start, stop, _updates(rest, nodes, vector, (stop - start,))) for start, stop in pairwise(bounds))
    return Sliced(once.graph, tuple(slices))


def _vector(rest: Graph) -> tuple[int] | None:
    """The one shape of everything that is updated, if it is a vector of known length."""
    shapes = {value.shape for value in rest.updates.values()}
    shape: Shape = shapes.pop() if len(shapes) == 1 else ()
    return (shape[0],) if len(shape) == 1 and isinstance(shape[0], int) else None


def _is_of_elements(node: Node, vector: tuple[int]) -> bool:
    """Whether a vector's elements depend on those at their own places, and on numbers."""
    if node.op in LEAVES:
        return not node.out.shape or (node.out.shape == vector and node.op in ("input", "state"))
    if any(value.shape not in ((), vector) for value in (*node.inputs, node.out)):
        return False
    read = [i for i, value in enumerate(node.inputs) if value.shape]
    if not node.out.shape:
        return not read
    rule = OPS[node.op].rows
    if rule is None:
        return False
    rows = rule(tuple(value.type for value in node.inputs), node.attrs, node.out.type)
    return not rows.reshapes and not rows.completes and all(rows.axes[i] == (0,) for i in read)


def _updates(rest: Graph, nodes: Sequence[Node], vector: tuple[int], length: tuple[int]) -> Graph:
    """The updates with vectors of another length."""
    builder = Builder()
    values: dict[int, Value] = {}
    for node in nodes:
        with builder.at(node.span, node.layer):
            attrs: dict[str, Attr] = {name: length if value == vector else value for name, value in node.attrs.items()}
            if node.op in LEAVES:
                shape = length if node.out.shape == vector else node.out.shape
                made = builder.leaf(node.op, TensorType(node.out.dtype, shape), **attrs)
            else:
                made = builder.apply(node.op, *(values[value.id] for value in node.inputs), **attrs)
            values[node.id] = builder.named(made, node.name)
    builder.graph.updates |= {name: values[value.id] for name, value in rest.updates.items()}
    return builder.graph
