"""Rules about operators that only arrange or repeat elements. All are exact."""

from __future__ import annotations

from dslc.graph import Builder
from dslc.ops import FAMILIES
from dslc.ops.ir import Node, Value
from dslc.passes.rewrite import Rules
from dslc.tensor_type import TensorType

# Operators that work on each element by itself and broadcast their operands.
POINTWISE = frozenset(
    op.name
    for family in ("arithmetic", "comparison", "math", "activation")
    for op in FAMILIES[family]
    if op.kernel is not None and not op.view
) | {"divide_by_size"}


def same_shape(_: Builder, node: Node) -> Value | None:
    """A view of the type its operand has -> the operand; for operators that cannot reorder elements."""
    (x,) = node.inputs
    return x if x.type == node.out.type else None


# ---------------------------------------------------------------------------------------------- order of axes


def same_order(_: Builder, node: Node) -> Value | None:
    """transpose(x, axes in order) -> x."""
    axes = node.attrs.ints("axes")
    return node.inputs[0] if axes == tuple(range(len(axes))) else None


def transpose_twice(b: Builder, node: Node) -> Value | None:
    """x.T.T -> x with one order of axes."""
    inner = b.graph.producer(node.inputs[0])
    if inner.op != "transpose":
        return None
    first = inner.attrs.ints("axes")
    return b.apply("transpose", inner.inputs[0], axes=tuple(first[axis] for axis in node.attrs.ints("axes")))


# ---------------------------------------------------------------------------------------------- shapes


def reshape_of_reshape(b: Builder, node: Node) -> Value | None:
    """reshape(x of another shape) -> reshape(x); the other shape may also come from axes of size 1 put in or taken out.

    Not of a tensor whose elements lie apart, which `reshape` copies in order: the outer one is a view of that copy, and others may
    read it too.
    """
    inner = b.graph.producer(node.inputs[0])
    if inner.op not in ("reshape", "squeeze", "expand_dims"):
        return None
    (x,) = inner.inputs
    copies = inner.op == "reshape" and b.graph.producer(x).op in ("transpose", "expand", "slice")
    return None if copies and x.type != node.out.type else b.apply("reshape", x, sizes=node.out.shape)


def axes_there_and_back(b: Builder, node: Node) -> Value | None:
    """squeeze(expand_dims(x)) -> x and the reverse, where the shape is x's again."""
    inner = b.graph.producer(node.inputs[0])
    fits = inner.op in ("squeeze", "expand_dims") and inner.inputs[0].type == node.out.type
    return inner.inputs[0] if fits else None


def whole_slice(_: Builder, node: Node) -> Value | None:
    """x[:] -> x: every element, in order."""
    (x,) = node.inputs
    forward = all(step == 1 for step in node.attrs.ints("steps"))
    return x if forward and x.type == node.out.type else None


def reduce_nothing(_: Builder, node: Node) -> Value | None:
    """max(x, axes = []) -> x; also min. Not sum and mean, which turn -0 into 0."""
    (x,) = node.inputs
    return x if not node.attrs.ints("axes") and x.type == node.out.type else None


def join_one(_: Builder, node: Node) -> Value | None:
    """concat(x) -> x of one tensor."""
    return node.inputs[0] if len(node.inputs) == 1 else None


# ---------------------------------------------------------------------------------------------- repeated elements


def full_of_scalar(b: Builder, node: Node) -> Value | None:
    """full(sizes, value) -> expand(value, sizes), so that there is one way to repeat a number."""
    value = node.attrs["value"]
    assert isinstance(value, bool | int | float)
    made = b.leaf("constant", TensorType(node.out.dtype), value=value)
    return b.apply("expand", made, sizes=node.out.shape)


def expand_of_expand(b: Builder, node: Node) -> Value | None:
    """expand(expand(x)) -> expand(x), also where leading axes of size 1 were put in between."""
    (x,) = node.inputs
    origin = _unexpanded(b, x)
    return None if origin is x else b.apply("expand", origin, sizes=node.out.shape)


def view_of_scalar(b: Builder, node: Node) -> Value | None:
    """A view of a scalar repeated -> the scalar repeated in the view's shape."""
    inner = b.graph.producer(node.inputs[0])
    if inner.op != "expand" or inner.inputs[0].type.rank > 0:
        return None
    return b.apply("expand", inner.inputs[0], sizes=node.out.shape)


def before_expansion(b: Builder, node: Node) -> Value | None:
    """f(expand(x), y) -> f(x, y), expanded afterwards where that is still needed; `f` broadcasts by itself."""
    origins = tuple(_unexpanded(b, value) for value in node.inputs)
    if origins == node.inputs:
        return None
    made = b.apply(node.op, *origins, **node.attrs)
    return made if made.type == node.out.type else b.apply("expand", made, sizes=node.out.shape)


def _unexpanded(b: Builder, value: Value) -> Value:
    """The value that `value` repeats along axes as broadcasting would; itself if it repeats none."""
    node = b.graph.producer(value)
    while node.op == "expand" or (node.op == "expand_dims" and _is_leading(node)):
        node = b.graph.producer(node.inputs[0])
    return node.out


def _is_leading(node: Node) -> bool:
    """Whether axes of size 1 were put in front only, which broadcasting would do too."""
    axes = node.attrs.ints("axis")
    return axes == tuple(range(len(axes)))


VIEWS: Rules = {
    "transpose": (same_order, transpose_twice, view_of_scalar),
    "reshape": (same_shape, reshape_of_reshape, view_of_scalar),
    "squeeze": (same_shape, axes_there_and_back, view_of_scalar),
    "expand_dims": (same_shape, axes_there_and_back, view_of_scalar),
    "expand": (same_shape, expand_of_expand),
    "slice": (whole_slice, view_of_scalar),
    "concat": (join_one,),
    "full": (full_of_scalar,),
    **dict.fromkeys(("max", "min"), (reduce_nothing,)),
    **dict.fromkeys(sorted(POINTWISE), (before_expansion,)),
}
