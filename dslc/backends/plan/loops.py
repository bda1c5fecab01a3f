"""Planning: long arrays in tiles. Elementwise steps that follow each other on arrays of one shape run tile by tile.

An optimizer is about ten passes over vectors as long as all parameters, and so is the gradient of the gates of a whole
sequence. Where arrays do not fit in the second-level cache, ten passes over one tile after another read memory once instead of
ten times. Tiles are apart from each other, so any order that is right for whole arrays is right for every tile; a value that
nothing outside the loop needs is as large as one tile.

Arrays are cut as they lie in memory, so all of a loop have their elements there in order, without gaps. A step that broadcasts
ends a loop: in tiles of whole rows it measured no quicker. Where sizes are known only when they are bound, so is the number of
tiles; one is all there is of what is short.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import groupby

from dslc.backends.plan.aliases import Alias
from dslc.ops import OPS
from dslc.ops.ir import Node
from dslc.tensor_type import Dim, Shape, count, evaluate, symbols
from dslc_runtime.kernels import KERNELS
from dslc_runtime.tiles import tile_of

TILE = 32_768  # elements: five arrays of float32 fit in a megabyte
_USUAL = 256  # what a run-time size is taken for: if even then arrays are short, they run whole


@dataclass(frozen=True, slots=True)
class Span:
    """The nodes from time `first` to time `last`, both included, which run as one loop over arrays of `length` elements."""

    first: int
    last: int
    length: Dim


def loops(nodes: Sequence[Node], alias: Mapping[int, Alias], tile: int) -> tuple[Span, ...]:
    """The loops among the nodes of a run: neighbours that are elementwise on long arrays of equal shape, and share some."""
    found: list[Span] = []
    made = {node.id for node in nodes}
    time = 0
    for shape, alike in groupby(nodes, lambda node: _shape(node, alias, made)):
        for chain in _chains(list(alike), alias):
            if shape is not None and len(chain) > 1 and _is_long(count(shape), tile):
                found.append(Span(time, time + len(chain) - 1, count(shape)))
            time += len(chain)
    return tuple(found)


def _chains(nodes: Sequence[Node], alias: Mapping[int, Alias]) -> Iterator[Sequence[Node]]:
    """Nodes parted wherever none further on works on an array that one before does: apart they hold less memory at a time."""
    bases = [{alias[value.id].base for value in (*node.inputs, node.out) if value.shape} for node in nodes]
    last = {base: time for time, each in enumerate(bases) for base in each}
    first = end = 0
    for time, each in enumerate(bases):
        end = max(end, time, *(last[base] for base in each))
        if end == time:
            yield nodes[first : time + 1]
            first = time + 1


def _shape(node: Node, alias: Mapping[int, Alias], made: AbstractSet[int]) -> Shape | None:
    """The shape of the arrays a node works on element by element, or None where it is not to be tiled.

    A stretch of a vector is such an array, unless the vector is `made` in the same run: perhaps tile by tile.
    """
    if node.op not in OPS or not (kernel := KERNELS.get(OPS[node.op].kernel or "")) or not kernel.pointwise:
        return None
    for value in node.inputs:
        seen = alias[value.id]
        in_order = seen.dense and (seen.whole or (value.shape and seen.base not in made))
        if not in_order or value.shape not in ((), node.out.shape):
            return None
    return node.out.shape


def _is_long(length: Dim, tile: int) -> bool:
    try:
        usual = evaluate(length, dict.fromkeys(symbols(length), _USUAL))
    except ValueError:  # a quotient that is not whole for these
        return False
    return tile_of(usual, tile) < usual
