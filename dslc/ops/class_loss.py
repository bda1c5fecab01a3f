"""Losses over classes: a row of logits or log-probabilities and the class it belongs to -> one number."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from dslc.ops.axes import one_axis, replaced, without
from dslc.ops.index import check_picking
from dslc.ops.ir import Attr, Attrs, Builder, Value
from dslc.ops.loss import LOSS_CODE, REDUCTION, reduced
from dslc.ops.opdef import NormalizeRule, OpDef, OpError, Option
from dslc.ops.rules import FLOATS, check_kind, check_same_dtype
from dslc.tensor_type import TensorType

_AXIS = Option("axis", "axis", -1)

#: (scores, labels, weights of the classes, attributes) -> the loss of each row.
_RowLosses: TypeAlias = Callable[[Builder, Value, Value, "Value | None", Attrs], Value]


def _normal_classes(name: str) -> NormalizeRule:
    def normalize(types: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
        items: dict[str, Attr] = {"axis": one_axis(name, types[0].rank, attrs["axis"], types[0])}
        if "label_smoothing" in attrs:
            smoothing = items["label_smoothing"] = attrs.float("label_smoothing")
            if not 0.0 <= smoothing <= 1.0:
                raise OpError(f"`label_smoothing` lies between 0 and 1, not {smoothing:g}", "DL2107")
        return replaced(attrs, **items)

    return normalize


# ---------------------------------------------------------------------------------------------- types


def _is_distribution(logits: TensorType, label: TensorType) -> bool:
    """Whether the label is a probability per class rather than an id."""
    return label.dtype.is_float and label.shape == logits.shape


def check_several(name: str, logits: TensorType, axis: int, instead: str) -> None:
    """Refuse a class axis of size 1, on which every answer is right.

    Raises:
        OpError: it proposes the function for one logit per sample.
    """
    if logits.shape[axis] == 1:
        raise OpError(
            f"`{name}` chooses between classes, and {logits} has only one on axis {axis}",
            LOSS_CODE,
            0,
            help=f"one logit for two classes takes `{instead}`",
        )


def check_classes(name: str, types: tuple[TensorType, ...], axis: int) -> None:
    """Refuse logits without several classes, and a label that is neither ids nor a probability per class.

    Raises:
        OpError: it names the types and what is needed.
    """
    logits, label = types
    check_kind(name, types[:1], FLOATS)
    check_several(name, logits, axis, "bce_logits")
    if _is_distribution(logits, label):
        check_same_dtype(name, types)
    elif label.shape == logits.shape:
        raise OpError(
            f"`{name}` takes class ids without the class axis, or probabilities as floats, but got {label} for {logits}",
            LOSS_CODE,
            1,
            help=f"convert a one-hot label with `cast(..., {logits.dtype.value})`",
        )
    else:
        check_picking(name, logits, label, axis)


def check_ignored(name: str, label: TensorType, attrs: Attrs) -> None:
    """Refuse a class id to ignore where the label is a probability per class.

    Raises:
        OpError: it names the label's type.
    """
    if attrs["ignore_index"] is not None and label.dtype.is_float:
        raise OpError(f"`ignore_index` of `{name}` is a class id, and the label is {label}", LOSS_CODE, 1)


def _check_weights(name: str, types: tuple[TensorType, ...], axis: int) -> None:
    """Refuse weights that are not one number for each class."""
    scores, *_, weights = types
    check_same_dtype(name, (scores, weights))
    if weights.shape != (scores.shape[axis],):
        needed = TensorType(scores.dtype, (scores.shape[axis],))
        raise OpError(
            f"`weights` of `{name}` holds a number for each class of {scores}: {needed}, not {weights}", LOSS_CODE, 2
        )


def _reduced_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    rows = without(types[0].shape, (attrs.int("axis"),))
    return TensorType(types[0].dtype, rows if attrs["reduction"] == "none" else ())


def _cross_entropy_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    check_classes("cross_entropy", types[:2], attrs.int("axis"))
    check_ignored("cross_entropy", types[1], attrs)
    if len(types) == 3:
        _check_weights("cross_entropy", types, attrs.int("axis"))
    return _reduced_type(types, attrs)


def _nll_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    log_p, label = types[:2]
    check_kind("nll", types[:1], FLOATS)
    if not _is_distribution(log_p, label):
        check_picking("nll", log_p, label, attrs.int("axis"))
    check_ignored("nll", label, attrs)
    if len(types) == 3:
        _check_weights("nll", types, attrs.int("axis"))
    return _reduced_type(types, attrs)


# ---------------------------------------------------------------------------------------------- rows and their mean


def _cross_entropy(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    logits, label = inputs[:2]
    plain = not _is_distribution(logits.type, label.type) and not attrs.float("label_smoothing")
    return _reduced(b, inputs, attrs, _fused if plain else _smoothed)


def _nll(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    return _reduced(b, inputs, attrs, _likelihoods)


def _reduced(b: Builder, inputs: tuple[Value, ...], attrs: Attrs, losses: _RowLosses) -> Value:
    """The losses of rows, of which those to ignore are 0, reduced; a mean of rows with weights is the weighted mean."""
    scores, label, *rest = inputs
    weights, ignored, kept = (rest[0] if rest else None), attrs["ignore_index"], None
    if ignored is not None:
        kept = b.apply("ne", label, b.constant(attrs.int("ignore_index"), label.dtype))
        label = b.apply("where", kept, label, b.constant(0, label.dtype))
    rows = losses(b, scores, label, weights, attrs)
    zero = b.constant(0.0, scores.dtype)
    rows = rows if kept is None else b.apply("where", kept, rows, zero)
    weighted = weights is not None and not label.dtype.is_float
    if attrs["reduction"] != "mean" or not (weighted or kept is not None):
        return reduced(b, rows, attrs)
    counts = b.apply("gather", weights, label) if weights is not None else b.constant(1.0, scores.dtype)
    total = b.apply("sum", counts if kept is None else b.apply("where", kept, counts, zero))
    some = b.apply("where", b.apply("gt", total, zero), total, b.constant(1.0, scores.dtype))
    return b.apply("div", b.apply("sum", rows), some)


def _fused(b: Builder, logits: Value, label: Value, weights: Value | None, attrs: Attrs) -> Value:
    rows = b.apply("softmax_cross_entropy", logits, label, axis=attrs["axis"])
    return rows if weights is None else b.apply("mul", rows, b.apply("gather", weights, label))


def _smoothed(b: Builder, logits: Value, label: Value, weights: Value | None, attrs: Attrs) -> Value:
    axis, smoothing = attrs.int("axis"), attrs.float("label_smoothing")
    log_p = b.apply("log_softmax", logits, axis=axis)
    rows = _likelihoods(b, log_p, label, weights, attrs)
    if not smoothing:
        return rows
    uniform = b.apply("mean", _weighted(b, log_p, weights, axis), axes=axis)
    kept = b.apply("mul", rows, b.constant(1.0 - smoothing, logits.dtype))
    return b.apply("sub", kept, b.apply("mul", uniform, b.constant(smoothing, logits.dtype)))


def _likelihoods(b: Builder, log_p: Value, label: Value, weights: Value | None, attrs: Attrs) -> Value:
    """The negative log-likelihood of each row's class, or of its distribution."""
    axis = attrs.int("axis")
    if _is_distribution(log_p.type, label.type):
        found = b.apply("sum", b.apply("mul", label, _weighted(b, log_p, weights, axis)), axes=axis)
    else:
        found = b.apply("pick", log_p, label, axis=axis)
        found = found if weights is None else b.apply("mul", found, b.apply("gather", weights, label))
    return b.apply("neg", found)


def _weighted(b: Builder, log_p: Value, weights: Value | None, axis: int) -> Value:
    """Each class's numbers times its weight."""
    if weights is None:
        return log_p
    sizes = (weights.shape[0], *[1] * (log_p.type.rank - 1 - axis))
    return b.apply("mul", log_p, b.apply("reshape", weights, sizes=sizes))


_WEIGHTS = """
        `weights` f32[C] are those of the classes: a row's loss is times the weight of its class, and the mean is the sum divided by
        the sum of the rows' weights. With a probability per class the terms of the classes are times their weights, and the mean
        is over rows. As in PyTorch."""

CLASS_LOSS = (
    OpDef(
        name="cross_entropy",
        doc="""Cross entropy of logits with a class per row: -log_softmax(logits)[label]. PyTorch: `F.cross_entropy`.

        logits f32[B, C] and class ids i64[B] or i32[B], the class axis being the last unless `axis` says otherwise (PyTorch: 1).
        A float label of the logits' shape holds a probability per class: -sum(label * log_softmax(logits)). The mean is over rows.
        `label_smoothing` s mixes the label with the uniform distribution: (1 - s) * label + s / C.
        Rows whose class id is `ignore_index` count nowhere: their loss is 0, and the mean is over the others (0 of none)."""
        + _WEIGHTS,
        example="loss = cross_entropy(net.logits, data.label, label_smoothing = 0.1)",
        infer=_cross_entropy_type,
        operands=("logits", "label", "weights?"),
        options=(_AXIS, Option("label_smoothing", "float", 0.0), Option("ignore_index", "int"), REDUCTION),
        normalize=_normal_classes("cross_entropy"),
        decompose=_cross_entropy,
    ),
    OpDef(
        name="nll",
        doc="""Negative log-likelihood of a class per row: -log_p[label], for a result of `log_softmax`. PyTorch: `F.nll_loss`.

        Labels, `ignore_index` and the mean are those of `cross_entropy`."""
        + _WEIGHTS,
        example="loss = nll(log_softmax(net.logits), data.label)",
        infer=_nll_type,
        operands=("log_p", "label", "weights?"),
        options=(_AXIS, Option("ignore_index", "int"), REDUCTION),
        normalize=_normal_classes("nll"),
        decompose=_nll,
    ),
)
