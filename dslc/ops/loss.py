"""Losses: a prediction and a target of the same shape -> one number.

Every loss is a formula per element, reduced by the option `reduction`: "mean" (default), "sum" or
"none". They are built from other operators, so their gradients follow; the two whose built gradient would lose digits or give
nan (`bce`, `bce_logits`) have an operator of their own per element. A scalar target fills.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

from dslc.ops.axes import without
from dslc.ops.cost import per_result
from dslc.ops.ir import Attrs, Builder, Node, OnnxEmitter, Value
from dslc.ops.opdef import DecomposeRule, InferRule, OpDef, OpError, Option
from dslc.ops.rows import OF_TWO
from dslc.ops.rules import FLOATS, check_kind, check_same_dtype, float_options
from dslc.tensor_type import TensorType, broadcast

LOSS_CODE = "DL2105"
REDUCTION = Option("reduction", "string", "mean", choices=("mean", "sum", "none"))

PerElement: TypeAlias = Callable[[Builder, Value, Value, Attrs], Value]


# ---------------------------------------------------------------------------------------------- types


def check_pair(name: str, types: tuple[TensorType, ...]) -> TensorType:
    """Refuse a prediction and a target that differ in shape or element type; a scalar target fits everything.

    Returns:
        The prediction's type.

    Raises:
        OpError: it names both types, and the axis of size 1 too many where that is what is wrong.
    """
    prediction, target = types
    if prediction.dtype.is_float and target.dtype.is_integer and target.rank and target.shape == prediction.shape[:-1]:
        raise OpError(
            f"`{name}` compares numbers, and {target} holds a class id for each row of {prediction}",
            LOSS_CODE,
            1,
            help="logits and class ids take `cross_entropy(logits, label)`",
        )
    check_kind(name, types, FLOATS)
    check_same_dtype(name, types)
    if target.rank and prediction.shape != target.shape:
        raise OpError(
            f"`{name}` compares tensors of the same shape, got {prediction} and {target}",
            LOSS_CODE,
            help=_squeezing(prediction, target),
        )
    return prediction


def _squeezing(prediction: TensorType, target: TensorType) -> str:
    """Which axis of size 1 to take out to make the shapes equal, in words, or ""."""
    longer, shorter, words = (
        (prediction, target, "prediction") if prediction.rank > target.rank else (target, prediction, "target")
    )
    for axis in range(longer.rank - 1, -1, -1):
        if longer.shape[axis] == 1 and without(longer.shape, (axis,)) == shorter.shape:
            shown = -1 if axis == longer.rank - 1 else axis
            return f"take the axis of size 1 out of the {words} with `squeeze(..., axis = {shown})`"
    return ""


def _pair_type(name: str) -> InferRule:
    def infer(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
        prediction = check_pair(name, types)
        if attrs["reduction"] == "batchmean" and prediction.rank == 0:
            raise OpError(f"`{name}` has no batch to average over: {prediction}", LOSS_CODE, 0)
        return prediction if attrs["reduction"] == "none" else TensorType(prediction.dtype)

    return infer


def _elements_type(name: str) -> InferRule:
    def infer(types: tuple[TensorType, ...], _: Attrs) -> TensorType:
        return check_pair(name, types)

    return infer


# ---------------------------------------------------------------------------------------------- reductions


def reduced(b: Builder, losses: Value, attrs: Attrs) -> Value:
    """The losses reduced as the attribute `reduction` says."""
    match attrs["reduction"]:
        case "mean":
            return b.apply("mean", losses)
        case "sum":
            return b.apply("sum", losses)
        case "batchmean":
            return b.apply("divide_by_size", b.apply("sum", losses), size=losses.shape[0])
        case _:
            return losses


def _from_elements(formula: PerElement) -> DecomposeRule:
    """The loss of a formula per element."""

    def decompose(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
        prediction, target = inputs
        return reduced(b, formula(b, prediction, target, attrs), attrs)

    return decompose


# ---------------------------------------------------------------------------------------------- formulas


def _squared(b: Builder, p: Value, t: Value, _: Attrs) -> Value:
    return b.apply("square", b.apply("sub", p, t))


def _absolute(b: Builder, p: Value, t: Value, _: Attrs) -> Value:
    return b.apply("abs", b.apply("sub", p, t))


def _huber(b: Builder, p: Value, t: Value, attrs: Attrs) -> Value:
    # m * (e - m / 2) with m = min(e, delta) is both branches at once, and so is its gradient.
    error = _absolute(b, p, t, attrs)
    bounded = b.apply("minimum", error, b.constant(attrs.float("delta"), p.dtype))
    half = b.apply("mul", bounded, b.constant(0.5, p.dtype))
    return b.apply("mul", bounded, b.apply("sub", error, half))


def _bce(b: Builder, p: Value, t: Value, _: Attrs) -> Value:
    return b.apply("bce_elements", p, t)


def _bce_logits_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    reduced_type = _pair_type("bce_logits")(types[:2], attrs)
    if len(types) == 3:
        check_same_dtype("bce_logits", (types[0], types[2]))
        if broadcast(types[0].shape, types[2].shape) != types[0].shape:
            raise OpError(f"`pos_weight` of `bce_logits` has to fit {types[0]}, and is {types[2]}", LOSS_CODE, 2)
    return reduced_type


def _bce_logits(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    x, t, *weights = inputs
    if not weights:
        return reduced(b, b.apply("bce_logits_elements", x, t), attrs)
    # (1 - t) x + (1 + (w - 1) t) softplus(-x): with w = 1 this is max(x, 0) - x t + log(1 + exp(-|x|)).
    one = b.constant(1.0, x.dtype)
    weight = b.apply("add", one, b.apply("mul", b.apply("sub", weights[0], one), t))
    missed = b.apply("mul", b.apply("sub", one, t), x)
    return reduced(b, b.apply("add", missed, b.apply("mul", weight, b.apply("softplus", b.apply("neg", x)))), attrs)


def _kl(b: Builder, log_p: Value, t: Value, _: Attrs) -> Value:
    one = b.constant(1.0, t.dtype)
    positive = b.apply("where", b.apply("gt", t, b.constant(0.0, t.dtype)), t, one)  # 0 * log(0) is 0
    return b.apply("mul", t, b.apply("sub", b.apply("log", positive), log_p))


def _hinge(b: Builder, x: Value, t: Value, _: Attrs) -> Value:
    return b.apply("relu", b.apply("sub", b.constant(1.0, x.dtype), b.apply("mul", t, x)))


def _squared_hinge(b: Builder, x: Value, t: Value, attrs: Attrs) -> Value:
    return b.apply("square", _hinge(b, x, t, attrs))


def _log_cosh(b: Builder, p: Value, t: Value, _: Attrs) -> Value:
    # log(cosh(e)) = e + log(1 + exp(-2 e)) - log(2), which does not overflow.
    error = b.apply("sub", p, t)
    tail = b.apply("softplus", b.apply("mul", error, b.constant(-2.0, p.dtype)))
    return b.apply("add", error, b.apply("sub", tail, b.constant(math.log(2.0), p.dtype)))


# ---------------------------------------------------------------------------------------------- elements of bce


def _bce_elements_vjp(b: Builder, node: Node, g: Value) -> list[Value | None]:
    p, t = node.inputs
    rest = b.apply("sub", b.constant(1.0, p.dtype), p)
    variance = b.apply("maximum", b.apply("mul", p, rest), b.constant(1e-12, p.dtype))
    to_p = b.apply("mul", g, b.apply("div", b.apply("sub", p, t), variance))
    lowest = b.constant(-100.0, p.dtype)
    log_p, log_rest = (b.apply("maximum", b.apply("log", value), lowest) for value in (p, rest))
    return [to_p, b.apply("mul", g, b.apply("sub", log_rest, log_p))]


def _bce_elements_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    (p, t), dtype = names, node.out.dtype
    one, lowest = onnx.constant(1.0, dtype), onnx.constant(-100.0, dtype)
    log_p = onnx.node("Max", onnx.node("Log", p), lowest)
    log_rest = onnx.node("Max", onnx.node("Log", onnx.node("Sub", one, p)), lowest)
    hit, miss = onnx.node("Mul", t, log_p), onnx.node("Mul", onnx.node("Sub", one, t), log_rest)
    return onnx.node("Neg", onnx.node("Add", hit, miss))


def _bce_logits_elements_vjp(b: Builder, node: Node, g: Value) -> list[Value | None]:
    x, t = node.inputs
    error = b.apply("sub", b.apply("sigmoid", x), t)
    return [b.apply("mul", g, error), b.apply("mul", g, b.apply("neg", x))]


def _bce_logits_elements_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    (x, t), dtype = names, node.out.dtype
    one = onnx.constant(1.0, dtype)
    tail = onnx.node("Log", onnx.node("Add", one, onnx.node("Exp", onnx.node("Neg", onnx.node("Abs", x)))))
    return onnx.node("Add", onnx.node("Sub", onnx.node("Relu", x), onnx.node("Mul", x, t)), tail)


# ---------------------------------------------------------------------------------------------- the table

_PAIR = ("prediction", "target")

LOSS = (
    OpDef(
        name="mse",
        doc="""Mean squared error: (p - t) ** 2. PyTorch: `F.mse_loss`.""",
        example="loss = mse(net.y, data.y)",
        infer=_pair_type("mse"),
        operands=_PAIR,
        options=(REDUCTION,),
        decompose=_from_elements(_squared),
    ),
    OpDef(
        name="mae",
        doc="""Mean absolute error: |p - t|; the gradient at equality is 0. PyTorch: `F.l1_loss`.""",
        example="loss = mae(net.y, data.y)",
        infer=_pair_type("mae"),
        operands=_PAIR,
        options=(REDUCTION,),
        decompose=_from_elements(_absolute),
    ),
    OpDef(
        name="huber",
        doc="""Huber loss: e ** 2 / 2 where e = |p - t| is at most `delta`, else delta * (e - delta / 2).

        PyTorch: `F.huber_loss`.""",
        example="loss = huber(net.y, data.y, delta = 0.5)",
        infer=_pair_type("huber"),
        operands=_PAIR,
        options=(Option("delta", "float", 1.0), REDUCTION),
        normalize=float_options(
            "delta",
            check=lambda attrs: (
                "" if attrs.float("delta") > 0 else f"`delta` must be positive, not {attrs.float('delta'):g}"
            ),
        ),
        decompose=_from_elements(_huber),
    ),
    OpDef(
        name="bce",
        doc="""Binary cross entropy of probabilities: -(t * log(p) + (1 - t) * log(1 - p)). PyTorch: `F.binary_cross_entropy`.

        p lies in [0, 1]. Logarithms are at least -100, and p * (1 - p) in the gradient at least 1e-12, as in PyTorch. Where there
        are logits, `bce_logits` is more exact.""",
        example="loss = bce(net.p, data.yes)",
        infer=_pair_type("bce"),
        operands=_PAIR,
        options=(REDUCTION,),
        decompose=_from_elements(_bce),
    ),
    OpDef(
        name="bce_logits",
        doc="""Binary cross entropy of logits: max(x, 0) - x * t + log(1 + exp(-|x|)).

        Gradient: sigmoid(x) - t. `pos_weight`, a number or one for each column, is the weight of true targets:
        (1 - t) x + (1 + (pos_weight - 1) t) log(1 + exp(-x)). PyTorch: `F.binary_cross_entropy_with_logits`.""",
        example="loss = bce_logits(net.logits[:, 0], data.yes)",
        infer=_bce_logits_type,
        operands=("logits", "target", "pos_weight?"),
        options=(REDUCTION,),
        decompose=_bce_logits,
    ),
    OpDef(
        name="kl_div",
        doc="""Kullback-Leibler divergence from log-probabilities to target probabilities: t * (log(t) - log_p).

        0 where t is 0. PyTorch: `F.kl_div`. ``reduction = "batchmean"`` divides the sum by the first size, which is the
        divergence per sample; the default "mean" divides by the number of elements, as in PyTorch.""",
        example='loss = kl_div(log_softmax(net.y), data.y, reduction = "batchmean")',
        infer=_pair_type("kl_div"),
        operands=("log_p", "target"),
        options=(Option("reduction", "string", "mean", choices=("mean", "sum", "none", "batchmean")),),
        decompose=_from_elements(_kl),
    ),
    OpDef(
        name="hinge",
        doc="""Hinge loss: max(0, 1 - t * x) for scores x and targets -1 or 1. PyTorch: ``F.relu(1 - t * x).mean()``.""",
        example="loss = hinge(net.y, data.y)",
        infer=_pair_type("hinge"),
        operands=("scores", "target"),
        options=(REDUCTION,),
        decompose=_from_elements(_hinge),
    ),
    OpDef(
        name="squared_hinge",
        doc="""Squared hinge loss: max(0, 1 - t * x) ** 2 for scores x and targets -1 or 1. Keras: `squared_hinge`.""",
        example="loss = squared_hinge(net.y, data.y)",
        infer=_pair_type("squared_hinge"),
        operands=("scores", "target"),
        options=(REDUCTION,),
        decompose=_from_elements(_squared_hinge),
    ),
    OpDef(
        name="log_cosh",
        doc="""log(cosh(p - t)): half the square of a small error, and |p - t| - log(2) of a large one.

        Gradient: tanh(p - t). Keras: `log_cosh`.""",
        example="loss = log_cosh(net.y, data.y)",
        infer=_pair_type("log_cosh"),
        operands=_PAIR,
        options=(REDUCTION,),
        decompose=_from_elements(_log_cosh),
    ),
    OpDef(
        name="bce_elements",
        doc="""`bce` per element, with its clamped logarithms and gradient.""",
        infer=_elements_type("bce"),
        rows=OF_TWO,
        operands=_PAIR,
        vjp=_bce_elements_vjp,
        kernel="bce_elements",
        flops=per_result(7),
        onnx=_bce_elements_onnx,
        call=False,
    ),
    OpDef(
        name="bce_logits_elements",
        doc="""`bce_logits` per element, with the gradient sigmoid(x) - t, which is exact for large x.""",
        infer=_elements_type("bce_logits"),
        rows=OF_TWO,
        operands=("logits", "target"),
        vjp=_bce_logits_elements_vjp,
        kernel="bce_logits_elements",
        flops=per_result(7),
        onnx=_bce_logits_elements_onnx,
        call=False,
    ),
)
