"""Normalised exponentials along an axis, and the cross entropy of them with class ids."""

from __future__ import annotations

from dslc.ops.axes import normal_axis, ones_at, without
from dslc.ops.cost import per_operand, per_result
from dslc.ops.index import check_picking, one_hot_onnx, pick_onnx
from dslc.ops.ir import Attrs, Builder, Node, OnnxEmitter, Value
from dslc.ops.opdef import InferRule, OnnxRule, OpDef, OpError, Option
from dslc.ops.rows import beside, reducing
from dslc.ops.rules import FLOATS, check_kind
from dslc.tensor_type import DType, TensorType

_AXIS = Option("axis", "axis", -1)


def _float_like(name: str) -> InferRule:
    def infer(types: tuple[TensorType, ...], _: Attrs) -> TensorType:
        check_kind(name, types, FLOATS)
        return types[0]

    return infer


def _along_axis(op_type: str) -> OnnxRule:
    def emit(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
        return onnx.node(op_type, names[0], axis=node.attrs.int("axis"))

    return emit


# ---------------------------------------------------------------------------------------------- softmax, log_softmax


def _softmax_vjp(b: Builder, node: Node, g: Value) -> list[Value | None]:
    return [_through_softmax(b, node.out, g, node.attrs.int("axis"))]


def _through_softmax(b: Builder, y: Value, g: Value, axis: int) -> Value:
    """y * (g - sum(g * y)): the gradient of softmax, from its result."""
    weighted = b.apply("mul", g, y)
    total = b.apply("sum", weighted, axes=axis, keepdims=True)
    return b.apply("sub", weighted, b.apply("mul", y, total))


def _log_softmax_vjp(b: Builder, node: Node, g: Value) -> list[Value | None]:
    total = b.apply("sum", g, axes=node.attrs["axis"], keepdims=True)
    return [b.apply("sub", g, b.apply("mul", b.apply("exp", node.out), total))]


# ---------------------------------------------------------------------------------------------- logsumexp


def _logsumexp_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    check_kind("logsumexp", types, FLOATS)
    (x,), axes = types, (attrs.int("axis"),)
    return TensorType(x.dtype, ones_at(x.shape, axes) if attrs.bool("keepdims") else without(x.shape, axes))


def _logsumexp_vjp(b: Builder, node: Node, g: Value) -> list[Value | None]:
    (x,), axis = node.inputs, node.attrs["axis"]
    g = g if node.attrs.bool("keepdims") else b.apply("expand_dims", g, axis=axis)
    # Not exp(x - y): far from zero the result is rounded by more than logarithms of the shares.
    return [b.apply("mul", b.apply("softmax", x, axis=axis), g)]


def _logsumexp_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    axes = onnx.constant([node.attrs.int("axis")], DType.I64)
    return onnx.node("ReduceLogSumExp", names[0], axes, keepdims=int(node.attrs.bool("keepdims")))


# ---------------------------------------------------------------------------------------------- cross entropy with ids


def _entropy_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    logits, ids = types
    check_kind("softmax_cross_entropy", types[:1], FLOATS)
    check_picking("softmax_cross_entropy", logits, ids, attrs.int("axis"))
    return TensorType(logits.dtype, ids.shape)


def _entropy_vjp(b: Builder, node: Node, g: Value) -> list[Value | None]:
    logits, ids = node.inputs
    return [b.apply("softmax_cross_entropy_grad", logits, ids, g, axis=node.attrs["axis"]), None]


def _entropy_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    (logits, ids), axis = names, node.attrs.int("axis")
    return onnx.node("Neg", pick_onnx(onnx, onnx.node("LogSoftmax", logits, axis=axis), ids, axis))


def _entropy_grad_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    logits, ids, g = types
    check_picking("softmax_cross_entropy_grad", logits, ids, attrs.int("axis"))
    if g.shape != ids.shape:
        raise OpError(f"`softmax_cross_entropy_grad` needs one cotangent per id: {g} and {ids}")
    return logits


def _entropy_grad_vjp(b: Builder, node: Node, h: Value) -> list[Value | None]:
    (logits, ids, g), axis = node.inputs, node.attrs.int("axis")
    p = b.apply("softmax", logits, axis=axis)
    scaled = b.apply("mul", h, b.apply("expand_dims", g, axis=axis))
    expected = b.apply("sum", b.apply("mul", h, p), axes=axis)
    to_g = b.apply("sub", expected, b.apply("pick", h, ids, axis=axis))
    return [_through_softmax(b, p, scaled, axis), None, to_g]


def _entropy_grad_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    (logits, ids, g), axis = names, node.attrs.int("axis")
    code = one_hot_onnx(onnx, ids, node.inputs[1].type, axis, node.out.type)
    error = onnx.node("Sub", onnx.node("Softmax", logits, axis=axis), code)
    return onnx.node("Mul", error, onnx.node("Unsqueeze", g, onnx.constant([axis], DType.I64)))


SOFTMAX = (
    OpDef(
        name="softmax",
        doc="""exp(x) / sum(exp(x)) along an axis, the last by default: positive numbers that add up to 1.

        Floats. The largest element is subtracted first, so nothing overflows. Gradient: y * (g - sum(g * y)).""",
        example="y = softmax(x, axis = -1)",
        infer=_float_like("softmax"),
        rows=beside("axis", 0),
        options=(_AXIS,),
        normalize=normal_axis("softmax"),
        vjp=_softmax_vjp,
        kernel="softmax",
        flops=per_result(5),
        onnx=_along_axis("Softmax"),
        inplace=(0,),
        result_range="probability",
    ),
    OpDef(
        name="log_softmax",
        doc="""x - log(sum(exp(x))) along an axis, the last by default: the logarithm of `softmax`, without its rounding to 0.

        Floats. Gradient: g - exp(y) * sum(g).""",
        infer=_float_like("log_softmax"),
        rows=beside("axis", 0),
        options=(_AXIS,),
        normalize=normal_axis("log_softmax"),
        vjp=_log_softmax_vjp,
        kernel="log_softmax",
        flops=per_result(5),
        onnx=_along_axis("LogSoftmax"),
        inplace=(0,),
        result_range="log-probability",
    ),
    OpDef(
        name="logsumexp",
        doc="""log(sum(exp(x))) along an axis, the last by default, without overflow; of nothing it is -inf.

        Floats. Gradient: softmax(x) * g.""",
        example="y = logsumexp(x)",
        infer=_logsumexp_type,
        rows=reducing("axis", 0),
        options=(_AXIS, Option("keepdims", "bool", False)),
        normalize=normal_axis("logsumexp"),
        vjp=_logsumexp_vjp,
        kernel="logsumexp",
        flops=per_operand(4),
        onnx=_logsumexp_onnx,
    ),
    OpDef(
        name="softmax_cross_entropy",
        doc="""-log_softmax(logits)[id] for every row along `axis`: what `cross_entropy` computes, before it is averaged.

        One operator because forward and backward together take 0.6 of the time of the single steps.
        Gradient: (softmax(logits) - one_hot(id)) * g.""",
        infer=_entropy_type,
        rows=reducing("axis", 0),
        operands=("logits", "ids"),
        options=(_AXIS,),
        normalize=normal_axis("softmax_cross_entropy"),
        vjp=_entropy_vjp,
        kernel="softmax_cross_entropy",
        flops=per_operand(5),
        onnx=_entropy_onnx,
        call=False,
    ),
    OpDef(
        name="softmax_cross_entropy_grad",
        doc="""(softmax(logits) - one_hot(ids)) * g along `axis`: the gradient of `softmax_cross_entropy`.""",
        infer=_entropy_grad_type,
        rows=beside("axis", 0, 0, 1),
        operands=("logits", "ids", "g"),
        options=(_AXIS,),
        normalize=normal_axis("softmax_cross_entropy_grad"),
        vjp=_entropy_grad_vjp,
        kernel="softmax_cross_entropy_grad",
        flops=per_operand(6),
        onnx=_entropy_grad_onnx,
        inplace=(0,),
        call=False,
    ),
)
