"""Metrics of predicted numbers that are functions of mean squares. They have gradients.

Of a part of the data they are functions of its means, not means of what they give for batches.
"""

from __future__ import annotations

from dslc.ops.ir import Attrs, Builder, Value
from dslc.ops.length import root
from dslc.ops.loss import check_pair
from dslc.ops.opdef import OpDef, OpError, OverPart, at_once
from dslc.tensor_type import DType, TensorType, count


def wide(b: Builder, value: Value) -> Value:
    """The value as f64, in which contributions of batches are added up."""
    return b.apply("cast", value, dtype=DType.F64)


def mean_of(b: Builder, total_and_number: Value) -> Value:
    """The first of two numbers divided by the second; 0 of nothing."""
    total, number = (
        b.apply("squeeze", b.apply("slice", total_and_number, starts=(i,), stops=(i + 1,), steps=()), axis=0)
        for i in range(2)
    )
    return b.apply("div", total, b.apply("maximum", number, b.constant(1.0, DType.F64)))


# ---------------------------------------------------------------------------------------------- rmse


def _rmse_type(types: tuple[TensorType, ...], _: Attrs) -> TensorType:
    return TensorType(check_pair("rmse", types).dtype)


def _rmse_parts(b: Builder, inputs: tuple[Value, ...], _: Attrs) -> Value:
    """The sum of squared errors, and how many."""
    squares = b.apply("square", wide(b, b.apply("sub", *inputs)))
    return b.apply("stack", b.apply("sum", squares), b.size(count(squares.shape), DType.F64), axis=0)


def _rmse_finish(b: Builder, sums: Value, _: Attrs) -> Value:
    return root(b, mean_of(b, sums))


# ---------------------------------------------------------------------------------------------- r2


def _r2_type(types: tuple[TensorType, ...], _: Attrs) -> TensorType:
    prediction = check_pair("r2", types)
    if prediction.rank == 0:
        raise OpError(f"`r2` compares with the mean over rows, and {prediction} has none", operand=0)
    return TensorType(prediction.dtype)


def _r2_parts(b: Builder, inputs: tuple[Value, ...], _: Attrs) -> Value:
    """A row [1, 4, ...]: how many, their mean, their squares around it, the squared errors, by column."""
    prediction, target = inputs
    if not target.type.rank:
        target = b.apply("expand", target, sizes=prediction.shape)
    errors, target = wide(b, b.apply("sub", prediction, target)), wide(b, target)
    rows = target.shape[0]
    mean = b.apply("mean", target, axes=0, keepdims=True)
    spread, missed = (
        b.apply("sum", b.apply("square", value), axes=0) for value in (b.apply("sub", target, mean), errors)
    )
    number = b.apply("expand", b.size(rows, DType.F64), sizes=spread.shape)
    found = b.apply("stack", number, b.apply("squeeze", mean, axis=0), spread, missed, axis=0)
    return b.apply("expand_dims", found, axis=0)


def _r2_finish(b: Builder, rows: Value, _: Attrs) -> Value:
    """Spreads add up around the common mean: sum(spread) + sum(number * (mean - common) ** 2), Chan and others, 1979."""
    number, mean, spread, missed = (
        b.apply("squeeze", b.apply("slice", rows, starts=(None, i), stops=(None, i + 1), steps=()), axis=1)
        for i in range(4)
    )
    zero, one = b.constant(0.0, DType.F64), b.constant(1.0, DType.F64)
    total = b.apply("sum", number, axes=0)
    common = b.apply("div", b.apply("sum", b.apply("mul", number, mean), axes=0), total)
    between = b.apply("mul", number, b.apply("square", b.apply("sub", mean, common)))
    spread = b.apply("add", b.apply("sum", spread, axes=0), b.apply("sum", between, axes=0))
    missed = b.apply("sum", missed, axes=0)
    varies = b.apply("gt", spread, zero)
    score = b.apply("sub", one, b.apply("div", missed, b.apply("where", varies, spread, one)))
    perfect = b.apply("cast", b.apply("le", missed, zero), dtype=DType.F64)
    return b.apply("mean", b.apply("where", varies, score, perfect))


_PAIR = ("prediction", "target")
_RMSE, _R2 = OverPart(_rmse_parts, _rmse_finish, lower=True), OverPart(_r2_parts, _r2_finish, joined="rows")

ERROR_METRIC = (
    OpDef(
        name="rmse",
        doc="""Root of the mean squared error: sqrt(mean((p - t) ** 2)), over all elements.

        Over a part of the data it is the root of the part's mean. The gradient is 0 where all are equal.
        scikit-learn: `root_mean_squared_error` of one column.""",
        example="metrics = { rmse: rmse(net.y, data.y) }",
        infer=_rmse_type,
        operands=_PAIR,
        decompose=at_once(_RMSE, _rmse_type),
        over_part=_RMSE,
    ),
    OpDef(
        name="r2",
        doc="""The share of the target's variance that is predicted: 1 - sum((t - p) ** 2) / sum((t - mean(t)) ** 2).

        Sums are over rows (axis 0), and the result is the mean over columns; 1 is perfect, 0 as good as the mean, below 0 worse.
        A target that does not vary counts 1 where all of it is predicted exactly, else 0. Over a part of the data mean(t) is
        that of the part. scikit-learn: `r2_score`.""",
        example="metrics = { r2: r2(net.y, data.y) }",
        infer=_r2_type,
        operands=_PAIR,
        decompose=at_once(_R2, _r2_type),
        over_part=_R2,
    ),
)
