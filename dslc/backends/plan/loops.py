"""Planning: long vectors in tiles. Elementwise steps that follow each other on one length run tile by tile.

An optimizer is about ten passes over vectors as long as all parameters. Where those do not fit in the second-level cache, ten
passes over one tile after another read memory once instead of ten times. Tiles are apart from each other, so any order
that is right for whole vectors is right for every tile; a value that nothing outside the loop needs is as large as one tile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dslc.backends.plan.aliases import Alias
from dslc.ops import OPS
from dslc.ops.ir import Node
from dslc.tensor_type import TensorType

TILE = 32_768  # elements: five vectors of float32 fit in a megabyte
_WORTHWHILE = 1 << 19  # bytes of one vector; below that, tiles measured no better than whole vectors

_ELEMENTWISE = frozenset(
    {
        "add",
        "sub",
        "mul",
        "div",
        "neg",
        "square",
        "sqrt",
        "abs",
        "sign",
        "reciprocal",
        "maximum",
        "minimum",
        "exp",
        "log",
    }
)


@dataclass(frozen=True, slots=True)
class Span:
    """The nodes from time `first` to time `last`, both included, which run as one loop over vectors of one length."""

    first: int
    last: int
    length: int


def loops(nodes: Sequence[Node], alias: Mapping[int, Alias]) -> tuple[Span, ...]:
    """The loops among the nodes of a run: two or more neighbours that are elementwise on vectors of equal, known length."""
    found: list[Span] = []
    first = 0
    for time in range(len(nodes) + 1):
        length = _length(nodes[first], alias) if first < len(nodes) else None
        if time < len(nodes) and length is not None and _length(nodes[time], alias) == length:
            continue
        if length is not None and time - first > 1:
            found.append(Span(first, time - 1, length))
        first = time
    return tuple(found)


def tiled(type_: TensorType) -> TensorType:
    """The type of a vector that is needed one tile at a time."""
    return TensorType(type_.dtype, (TILE,))


def _length(node: Node, alias: Mapping[int, Alias]) -> int | None:
    """The length of the vectors a node works on element by element, or None where it is not to be tiled."""
    if node.op not in _ELEMENTWISE & OPS.keys() or node.out.type.rank != 1:
        return None
    (length,) = node.out.shape
    if not isinstance(length, int) or length * node.out.dtype.bytes < _WORTHWHILE or length < 2 * TILE:
        return None
    for value in node.inputs:
        whole = value.type == node.out.type and alias[value.id].base == value.id
        if value.shape and not whole:
            return None
    return length
