"""A sum of pieces between zeros -> the pieces joined: what the gradient of cutting a tensor apart is.

The values are the same, but a zero may have another sign: -0.0 + 0.0 is 0.0, and the piece keeps -0.0.
"""

from __future__ import annotations

from dslc.graph import Builder
from dslc.ops.ir import Node, Value
from dslc.passes.rewrite import Rules
from dslc.tensor_type import Dim

# How many terms and partial sums are looked at: each sum of a long chain looks down it, and shared ones would be seen again.
_MOST = 512


def pieces_joined(b: Builder, node: Node) -> Value | None:
    """pad_slice(x) + pad_slice(y) + ... -> concat(x, y, ...) where the pieces fill an axis without gap or overlap."""
    pieces = _pieces(b, node)
    if pieces is None:
        return None
    axes = {axis for piece in pieces for axis in _cut_axes(piece)}
    if len(axes) != 1 or any(step != 1 for piece in pieces for step in piece.attrs.ints("steps")):
        return None
    (axis,) = axes
    ordered = _in_order(pieces, axis)
    return None if ordered is None else b.apply("concat", *(piece.inputs[0] for piece in ordered), axis=axis)


def _pieces(b: Builder, node: Node) -> list[Node] | None:
    """The terms of a sum, all of which are pieces between zeros of one shape; None if one is not, or they are too many."""
    found: list[Node] = []
    rest = list(node.inputs)
    for _ in range(_MOST):
        if not rest:
            return found
        term = b.graph.producer(rest.pop())
        if term.out.type != node.out.type or term.op not in ("add", "pad_slice"):
            return None
        if term.op == "add":
            rest += term.inputs
        else:
            found.append(term)
    return None


def _cut_axes(piece: Node) -> list[int]:
    """The axes along which a piece is less than the whole."""
    (x,) = piece.inputs
    return [axis for axis, size in enumerate(x.shape) if size != piece.out.shape[axis]]


def _in_order(pieces: list[Node], axis: int) -> list[Node] | None:
    """The pieces from the first to the last, each beginning where the one before ends."""
    starting = {piece.attrs.shape("starts")[axis]: piece for piece in pieces}
    ordered: list[Node] = []
    end: Dim = 0
    while end in starting and len(ordered) < len(pieces):
        piece = starting.pop(end)
        ordered.append(piece)
        end = end + piece.inputs[0].shape[axis]
    whole = pieces[0].out.shape[axis]
    return ordered if len(ordered) == len(pieces) and end == whole else None


JOINS: Rules = {"add": (pieces_joined,)}
