"""Metrics that are ratios of counts: of what was called a class, and what is one. No gradient.

A ratio of a part of the data is the ratio of the counts over it, not the mean of the batches' ratios.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from dslc.ops.axes import one_axis, replaced
from dslc.ops.ir import Attrs, Builder, Value
from dslc.ops.metric import METRIC_CODE, check_answers, check_truths, is_called, is_true, true_class
from dslc.ops.opdef import InferRule, OpDef, OpError, Option, OverPart, at_once
from dslc.tensor_type import DType, TensorType

#: What a ratio is of: (right answers, answers, labels) -> numerator and denominator; all f64, by class or over all.
Ratio: TypeAlias = Callable[[Builder, Value, Value, Value], tuple[Value, Value]]


def _precision(_: Builder, right: Value, called: Value, __: Value) -> tuple[Value, Value]:
    return right, called


def _recall(_: Builder, right: Value, __: Value, are: Value) -> tuple[Value, Value]:
    return right, are


def _f1(b: Builder, right: Value, called: Value, are: Value) -> tuple[Value, Value]:
    return b.apply("add", right, right), b.apply("add", called, are)


# ---------------------------------------------------------------------------------------------- types and options


def _type(name: str) -> InferRule:
    def infer(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
        logits, label = types
        if attrs["average"] != "binary":
            check_answers(name, types, attrs.int("axis"))
        elif label.rank + 1 == logits.rank and label.dtype.is_integer:
            raise OpError(
                f"`{name}` of two classes compares tensors of the same shape, got {logits} and {label}",
                METRIC_CODE,
                help='of several classes it needs to know how they count: `average = "macro"`, each the same',
            )
        else:
            check_truths(name, types)
        return TensorType(DType.F32)

    return infer


def _normal(name: str) -> Callable[[tuple[TensorType, ...], Attrs], Attrs]:
    def normalize(types: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
        binary = attrs["average"] == "binary"
        axis = None if binary else one_axis(name, types[0].rank, attrs["axis"], types[0])
        return replaced(attrs, threshold=attrs.float("threshold"), axis=axis)

    return normalize


# ---------------------------------------------------------------------------------------------- counts


def _counts(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    """Right answers, answers and labels: f64[3], or by class f64[3, C]."""
    logits, label = inputs
    if attrs["average"] == "binary":
        called, are = is_called(b, logits, attrs.float("threshold")), is_true(b, label)
        axes = None
    else:
        called, are = _by_class(b, logits, label, attrs.int("axis"))
        axes = tuple(range(called.type.rank - 1))
    found = (b.apply("logical_and", called, are), called, are)
    return b.apply("stack", *(b.apply("sum", _number(b, value), axes=axes) for value in found), axis=0)


def _by_class(b: Builder, logits: Value, label: Value, axis: int) -> tuple[Value, Value]:
    """Whether each row was called each class, and whether it is one: bool, the class axis last."""
    ids = (b.apply("argmax", logits, axis=axis), true_class(b, label, axis))
    called, are = (b.apply("one_hot", rows, classes=logits.shape[axis], dtype=DType.F32) for rows in ids)
    half = b.constant(0.5, DType.F32)
    return b.apply("gt", called, half), b.apply("gt", are, half)


def _number(b: Builder, truth: Value) -> Value:
    return b.apply("cast", truth, dtype=DType.F64)


def _finish(ratio: Ratio) -> Callable[[Builder, Value, Attrs], Value]:
    def finish(b: Builder, counts: Value, attrs: Attrs) -> Value:
        right, called, are = (
            b.apply("squeeze", b.apply("slice", counts, starts=(i,), stops=(i + 1,), steps=()), axis=0)
            for i in range(3)
        )
        if attrs["average"] == "micro":
            right, called, are = (b.apply("sum", value) for value in (right, called, are))
        part, whole = ratio(b, right, called, are)
        one = b.constant(1.0, DType.F64)
        share = b.apply("div", part, b.apply("maximum", whole, one))  # counts, so that 0 / 0 becomes 0 / 1
        if attrs["average"] != "macro":
            return share
        there = b.apply("minimum", b.apply("add", called, are), one)
        return b.apply("div", b.apply("sum", share), b.apply("maximum", b.apply("sum", there), one))

    return finish


def _counted(name: str, ratio: Ratio, doc: str) -> OpDef:
    over, infer = OverPart(_counts, _finish(ratio)), _type(name)
    return OpDef(
        name=name,
        doc=doc,
        example=f'metrics = {{ {name}: {name}(net.logits, data.label, average = "macro") }}',
        infer=infer,
        operands=("logits", "label"),
        options=(
            Option("average", "string", "binary", choices=("binary", "macro", "micro")),
            Option("threshold", "float", 0.0),
            Option("axis", "axis", -1),
        ),
        normalize=_normal(name),
        decompose=at_once(over, infer),
        differentiable=False,
        over_part=over,
    )


# ---------------------------------------------------------------------------------------------- confusion matrix


def _confusion_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    axis = attrs.int("axis")
    check_answers("confusion_matrix", types, axis)
    return TensorType(DType.I64, (types[0].shape[axis],) * 2)


def _confusion_counts(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    logits, label = inputs
    found = _by_class(b, logits, label, attrs.int("axis"))
    sizes = (-1, found[0].shape[-1])
    called, are = (b.apply("reshape", _number(b, value), sizes=sizes) for value in found)
    return b.apply("matmul", b.apply("transpose", are, axes=(1, 0)), called)


def _confusion_finish(_: Builder, counts: Value, __: Attrs) -> Value:
    return counts


def _normal_confusion(types: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
    return replaced(attrs, axis=one_axis("confusion_matrix", types[0].rank, attrs["axis"], types[0]))


_CONFUSION = OverPart(_confusion_counts, _confusion_finish)
_SHARED = """

        With `average = "binary"` the label has the logits' shape and is bool, 0 or 1, and a logit of at least `threshold` (0.5 for
        probabilities) is an answer. With "macro" and "micro" operands are those of `accuracy`: "macro" is the mean over the classes
        that occur among labels or answers, "micro" counts all classes together. 0 where nothing is counted. Over a part of the data
        the counts are those of the part. scikit-learn: `{sklearn}`. No gradient."""

COUNTED_METRIC = (
    _counted(
        "precision",
        _precision,
        "The share of what was called a class that is one, as f32: right answers / answers."
        + _SHARED.format(sklearn="precision_score"),
    ),
    _counted(
        "recall",
        _recall,
        "The share of what is a class that was called so, as f32: right answers / labels."
        + _SHARED.format(sklearn="recall_score"),
    ),
    _counted(
        "f1",
        _f1,
        "The harmonic mean of precision and recall, as f32: 2 right answers / (answers + labels)."
        + _SHARED.format(sklearn="f1_score"),
    ),
    OpDef(
        name="confusion_matrix",
        doc="""How often a row of each true class (axis 0) was called each class (axis 1): i64[C, C].

        Operands are those of `accuracy`. A metric is one number of it; `dslc eval` shows all of a part of the data. scikit-learn:
        `confusion_matrix`. No gradient.""",
        example="metrics = { false_alarms: cast(confusion_matrix(net.logits, data.label)[0, 1], f32) }",
        infer=_confusion_type,
        operands=("logits", "label"),
        options=(Option("axis", "axis", -1),),
        normalize=_normal_confusion,
        decompose=at_once(_CONFUSION, _confusion_type),
        differentiable=False,
        over_part=_CONFUSION,
    ),
)
