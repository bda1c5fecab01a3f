"""Rules about tensors that lie one after another in a vector: what is done to all of them is done to the vector. All are exact.

A penalty on every parameter of a training step becomes a few operators on the vector of parameters and on that of gradients.
"""

from __future__ import annotations

from collections.abc import Sequence

from dslc.graph import Builder
from dslc.ops.ir import Node, Value
from dslc.passes.rewrite import Rules
from dslc.tensor_type import Dim, count

_Part = tuple[Value, Dim]  # a vector, and where in it a tensor begins


def packed_parts(b: Builder, node: Node) -> Value | None:
    """pack(parts of v, which are all of it in order) -> v."""
    return _whole(node.inputs, [_part(b, value) for value in node.inputs])


def packed_sums(b: Builder, node: Node) -> Value | None:
    """pack(x + part of v, y + part of v, ...) -> pack(x, y, ...) + v, where the parts are all of v in order."""
    others: list[Value] = []
    parts: list[_Part | None] = []
    for value in node.inputs:
        inner = b.graph.producer(value)
        if inner.op != "add" or any(operand.type != value.type for operand in inner.inputs):
            return None
        found = [_part(b, operand) for operand in inner.inputs]
        which = next((i for i, part in enumerate(found) if part is not None), None)
        if which is None:
            return None
        parts.append(found[which])
        others.append(inner.inputs[1 - which])
    v = _whole(node.inputs, parts)
    return None if v is None else b.apply("add", b.apply("pack", *others), v)


def _part(b: Builder, value: Value) -> _Part | None:
    """Which elements of a vector a tensor holds, in their order."""
    node = b.graph.producer(value)
    if node.op == "reshape":
        node = b.graph.producer(node.inputs[0])
    if node.op == "segment":
        return node.inputs[0], node.attrs.int("offset")
    if node.op == "slice" and node.inputs[0].type.rank == 1 and node.attrs.shape("steps") == (1,):
        return node.inputs[0], node.attrs.shape("starts")[0]
    return None


def _whole(tensors: Sequence[Value], parts: Sequence[_Part | None]) -> Value | None:
    """The vector of which parts are all, one after another; None where they are not."""
    if not parts or parts[0] is None:
        return None
    v, end = parts[0][0], 0
    for value, part in zip(tensors, parts, strict=True):
        if part is None or part != (v, end):
            return None
        end = end + count(value.shape)
    return v if v.type.shape == (end,) else None


ARENAS: Rules = {"pack": (packed_parts, packed_sums)}
