"""Metrics: how good predictions are, in numbers people read; no gradient."""

from __future__ import annotations

from dslc.ops.axes import normal_axis
from dslc.ops.class_loss import check_several
from dslc.ops.index import check_picking
from dslc.ops.ir import Attrs, Builder, Value
from dslc.ops.opdef import InferRule, OpDef, OpError, Option
from dslc.ops.rules import FLOATS, RANGE_CODE, check_kind, float_options
from dslc.tensor_type import DType, TensorType

METRIC_CODE = "DL2105"


def check_answers(name: str, types: tuple[TensorType, ...], axis: int) -> None:
    """Refuse logits without several classes, and a label that is neither ids nor a probability per class.

    Raises:
        OpError: it names the type and what is needed.
    """
    logits, label = types
    check_kind(name, types[:1], FLOATS)
    check_several(name, logits, axis, "binary_accuracy")
    if not (label.dtype.is_float and label.shape == logits.shape):
        check_picking(name, logits, label, axis)


def check_truths(name: str, types: tuple[TensorType, ...]) -> None:
    """Refuse a label that does not say of every logit whether it should be high.

    Raises:
        OpError: it names both types.
    """
    logits, label = types
    check_kind(name, types[:1], FLOATS)
    if logits.shape != label.shape:
        ids = label.dtype.is_integer and label.shape == logits.shape[:-1]
        mend = "logits of several classes and class ids take `accuracy(logits, label)`" if ids else ""
        raise OpError(f"`{name}` compares tensors of the same shape, got {logits} and {label}", METRIC_CODE, help=mend)


def true_class(b: Builder, label: Value, axis: int) -> Value:
    """The class of every row as i64: the label itself, or its most probable class."""
    if label.dtype.is_float:
        return b.apply("argmax", label, axis=axis)
    return b.apply("cast", label, dtype=DType.I64) if label.dtype is DType.I32 else label


def is_true(b: Builder, label: Value) -> Value:
    """A label of two classes as bool; numbers from a half on are true."""
    if label.dtype is DType.BOOL:
        return label
    return b.apply("ge", label, b.constant(0.5 if label.dtype.is_float else 1, label.dtype))


def is_called(b: Builder, logits: Value, threshold: float) -> Value:
    """Whether logits reach the threshold."""
    return b.apply("ge", logits, b.constant(threshold, logits.dtype))


def _accuracy_type(name: str) -> InferRule:
    def infer(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
        check_answers(name, types, attrs.int("axis"))
        return TensorType(DType.F32)

    return infer


def _accuracy(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    (logits, label), axis = inputs, attrs.int("axis")
    return _share(b, b.apply("eq", b.apply("argmax", logits, axis=axis), true_class(b, label, axis)))


def _normal_top_k(types: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
    if attrs.int("k") < 1:
        raise OpError(f"`k` of `top_k` must be at least 1, not {attrs.int('k')}", RANGE_CODE)
    return normal_axis("top_k")(types, attrs)


def _top_k(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    (logits, label), axis = inputs, attrs.int("axis")
    if label.dtype.is_float:
        label = b.apply("argmax", label, axis=axis)
    own = b.apply("expand_dims", b.apply("pick", logits, label, axis=axis), axis=axis)
    ahead = b.apply("logical_not", b.apply("le", logits, own))  # and not `gt`, so that nan is never a hit
    rank = b.apply("sum", b.apply("cast", ahead, dtype=DType.F32), axes=axis)
    return _share(b, b.apply("lt", rank, b.constant(attrs.int("k"), DType.F32)))


def _binary_type(types: tuple[TensorType, ...], _: Attrs) -> TensorType:
    check_truths("binary_accuracy", types)
    return TensorType(DType.F32)


def _binary_accuracy(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    logits, label = inputs
    return _share(b, b.apply("eq", is_called(b, logits, attrs.float("threshold")), is_true(b, label)))


def _share(b: Builder, right: Value) -> Value:
    """The share of elements that are true."""
    return b.apply("mean", b.apply("cast", right, dtype=DType.F32))


METRIC = (
    OpDef(
        name="accuracy",
        doc="""The share of rows whose largest logit is that of the label's class, as f32.

        logits f32[B, C] and class ids i64[B] (or a one-hot or probability label f32[B, C], whose largest element counts). The
        class axis is the last unless `axis` says otherwise. At ties the first class counts. No gradient.""",
        example="metrics = { acc: accuracy(net.logits, data.label) }",
        infer=_accuracy_type("accuracy"),
        operands=("logits", "label"),
        options=(Option("axis", "axis", -1),),
        normalize=normal_axis("accuracy"),
        decompose=_accuracy,
        differentiable=False,
    ),
    OpDef(
        name="top_k",
        doc="""The share of rows in which fewer than `k` logits are larger than that of the label's class, as f32.

        Operands are those of `accuracy`. A tie counts for the label; a row with nan counts as wrong. No gradient.""",
        example="metrics = { top2: top_k(net.logits, data.label, k = 2) }",
        infer=_accuracy_type("top_k"),
        operands=("logits", "label"),
        options=(Option("k", "int", 5), Option("axis", "axis", -1)),
        normalize=_normal_top_k,
        decompose=_top_k,
        differentiable=False,
    ),
    OpDef(
        name="binary_accuracy",
        doc="""The share of elements on the right side of the threshold, as f32: (logit >= threshold) == label.

        The label has the logits' shape and is bool, 0 or 1 (at least 0.5 counts as 1 among floats). For probabilities rather
        than logits write ``threshold = 0.5``. No gradient.""",
        example="metrics = { acc: binary_accuracy(net.p, data.yes, threshold = 0.5) }",
        infer=_binary_type,
        operands=("logits", "label"),
        options=(Option("threshold", "float", 0.0),),
        normalize=float_options("threshold"),
        decompose=_binary_accuracy,
        differentiable=False,
    ),
)
