"""Operators of several passes over memory, spelled out: for an engine that plans every pass by itself.

Forward and backward then share their parts (the deviation of a norm, the distribution function of a gelu, the exponentials of a
softmax), each is computed once, and sums become products. Results are equal but for the order in which sums add. Rules as in
`algebra`; not for export, where one operator says more.
"""

from __future__ import annotations

from dslc.graph import Builder
from dslc.ops.entropy_parts import losses
from dslc.ops.ir import Node, Value
from dslc.passes.rewrite import Rules
from dslc.tensor_type import DType

_FEW = 32  # classes; of more, sums along the first axis would lose places, and the parts would be much memory


def layer_norm(b: Builder, node: Node) -> Value | None:
    """layer_norm(x, weight, bias) -> standardize(x) * weight + bias, over the last axis."""
    x, weight, bias = node.inputs
    last = x.type.rank - 1
    if node.attrs.int("axis") != last:
        return None
    y = b.apply("standardize", x, axes=last, eps=node.attrs["eps"])
    return b.apply("add", b.apply("mul", y, weight), bias)


def standardize(b: Builder, node: Node) -> Value | None:
    """standardize(x) -> (x - mean(x)) * (1 / sqrt(variance(x) + eps)), over the last axis."""
    (x,) = node.inputs
    if not _over_last(node):
        return None
    variance = b.apply("variance", x, axes=-1, keepdims=True)
    deviation = b.apply("sqrt", b.apply("add", variance, b.constant(node.attrs.float("eps"), x.dtype)))
    return b.apply("mul", _centred(b, x), b.apply("reciprocal", deviation))


def variance(b: Builder, node: Node) -> Value | None:
    """variance(x) -> mean(square(x - mean(x))), over the last axis or over all others."""
    (x,), keepdims = node.inputs, node.attrs.bool("keepdims")
    axes, others = node.attrs.ints("axes"), tuple(range(node.inputs[0].type.rank - 1))
    over_others = others and axes == others and not keepdims
    if node.attrs["correction"] != 0 or not (_over_last(node) or over_others):
        return None
    centred = b.apply("sub", x, b.apply("mean", x, axes=axes)) if over_others else _centred(b, x)
    return b.apply("mean", b.apply("square", centred), axes=axes, keepdims=keepdims)


def gelu(b: Builder, node: Node) -> Value:
    """gelu_exact(x) -> x * normal_cdf(x)."""
    (x,) = node.inputs
    return b.apply("mul", x, b.apply("normal_cdf", x))


def softmax_cross_entropy(b: Builder, node: Node) -> Value | None:
    """softmax_cross_entropy(logits, ids) -> the losses of its parts, where there are few classes."""
    parts = _entropy_parts(b, node)
    return None if parts is None else losses(b, parts)


def softmax_cross_entropy_grad(b: Builder, node: Node) -> Value | None:
    """softmax_cross_entropy_grad(logits, ids, g) -> the gradient from the parts that the loss is made of."""
    parts = _entropy_parts(b, node)
    return None if parts is None else b.apply("entropy_parts_grad", parts, *node.inputs[1:], axis=node.attrs["axis"])


def _entropy_parts(b: Builder, node: Node) -> Value | None:
    logits, ids = node.inputs[:2]
    axis = node.attrs.int("axis")
    classes = logits.shape[axis]
    if not (isinstance(classes, int) and 0 < classes <= _FEW) or logits.dtype is DType.F16:
        return None
    return b.apply("entropy_parts", logits, ids, axis=axis)


def _over_last(node: Node) -> bool:
    return node.attrs.ints("axes") == (node.inputs[0].type.rank - 1,)


def _centred(b: Builder, x: Value) -> Value:
    return b.apply("sub", x, b.apply("mean", x, axes=-1, keepdims=True))


SPELLING: Rules = {
    "layer_norm": (layer_norm,),
    "standardize": (standardize,),
    "variance": (variance,),
    "gelu_exact": (gelu,),
    "softmax_cross_entropy": (softmax_cross_entropy,),
    "softmax_cross_entropy_grad": (softmax_cross_entropy_grad,),
}
