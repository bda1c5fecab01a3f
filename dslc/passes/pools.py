"""Rules that work on what is left after a maximum pool instead of before it, which is a fraction of the elements.

A maximum commutes with what never decreases, so a bias for each channel and a relu may come after the pool. Their gradients
move with them. Results are equal, with two exceptions: a sum may add in another order, and where adding a bias rounds
two elements of a window to the same number, the gradient goes to the larger and no more to the first of them.

They are for engines that work node by node. Others join a convolution with the bias and the relu that follow it.
"""

from __future__ import annotations

from dslc.graph import Builder
from dslc.ops.ir import Attr, Node, Value
from dslc.passes.rewrite import Rules


def relu_after_pool(b: Builder, node: Node) -> Value | None:
    """max_pool(relu(x)) -> relu(max_pool(x))."""
    inner = b.graph.producer(node.inputs[0])
    return b.apply("relu", b.apply("max_pool", inner.inputs[0], **node.attrs)) if inner.op == "relu" else None


def bias_after_pool(b: Builder, node: Node) -> Value | None:
    """max_pool(x + c) -> max_pool(x) + c for a `c` that is the same throughout a window."""
    terms = _shifted(b, node)
    if terms is None:
        return None
    x, c = terms
    return b.apply("add", b.apply("max_pool", x, **node.attrs), c)


def tap_before_bias(b: Builder, node: Node) -> Value | None:
    """max_pool_tap(x + c) -> max_pool_tap(x) for a `c` that is the same throughout a window."""
    terms = _shifted(b, node)
    return None if terms is None else b.apply("max_pool_tap", terms[0], **node.attrs)


def relu_gradient_before_put(b: Builder, node: Node) -> Value | None:
    """relu_grad(put_tap(g, max_pool_tap(y)), y) -> put_tap(relu_grad(g, max_pool(y)), max_pool_tap(x)) for y = relu(x).

    Where a window's maximum is positive, it is where x has its maximum; elsewhere nothing gets through either way.
    """
    put, y = b.graph.producer(node.inputs[0]), b.graph.producer(node.inputs[1])
    if put.op != "put_tap" or y.op != "relu":
        return None
    g, tap = put.inputs[0], b.graph.producer(put.inputs[1])
    shared = _shared(put)
    if tap.op != "max_pool_tap" or tap.inputs[0].id != y.id or _shared(tap) != shared:
        return None
    largest = b.apply("max_pool", y.out, **shared)
    first = b.apply("max_pool_tap", y.inputs[0], **shared)
    return b.apply("put_tap", b.apply("relu_grad", g, largest), first, **put.attrs)


def sum_before_put(b: Builder, node: Node) -> Value | None:
    """sum(put_tap(g, ...)) -> sum(g) over all axes that windows move along, where nothing is put beside the image."""
    put = b.graph.producer(node.inputs[0])
    if put.op != "put_tap" or any(pad != 0 for pad in put.attrs.shape("pad")):
        return None
    along = range(2, put.out.type.rank)
    return b.apply("sum", put.inputs[0], **node.attrs) if set(along) <= set(node.attrs.ints("axes")) else None


def _shared(node: Node) -> dict[str, Attr]:
    return {name: node.attrs[name] for name in ("window", "stride", "pad")}


def _shifted(b: Builder, node: Node) -> tuple[Value, Value] | None:
    """``x`` and ``c`` of a pooled ``x + c``."""
    inner = b.graph.producer(node.inputs[0])
    axes = len(node.attrs.ints("window"))
    if inner.op != "add":
        return None
    for x, c in (inner.inputs, reversed(inner.inputs)):
        if x.type == inner.out.type and all(size == 1 for size in c.shape[-axes:]):
            return x, c
    return None


POOLS: Rules = {
    "max_pool": (relu_after_pool, bias_after_pool),
    "max_pool_tap": (tap_before_bias,),
    "relu_grad": (relu_gradient_before_put,),
    "sum": (sum_before_put,),
}
