"""Losses over classes: a row of logits or log-probabilities and the class it belongs to -> one number."""

from __future__ import annotations

from dslc.ops.axes import one_axis, replaced, without
from dslc.ops.index import check_picking
from dslc.ops.ir import Attr, Attrs, Builder, Value
from dslc.ops.loss import LOSS_CODE, REDUCTION, reduced
from dslc.ops.opdef import NormalizeRule, OpDef, OpError, Option
from dslc.ops.rules import FLOATS, check_kind, check_same_dtype
from dslc.tensor_type import TensorType

_AXIS = Option("axis", "axis", -1)


def _normal_classes(name: str) -> NormalizeRule:
    def normalize(types: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
        items: dict[str, Attr] = {"axis": one_axis(name, types[0].rank, attrs["axis"], types[0])}
        if "label_smoothing" in attrs:
            smoothing = items["label_smoothing"] = attrs.float("label_smoothing")
            if not 0.0 <= smoothing <= 1.0:
                raise OpError(f"`label_smoothing` lies between 0 and 1, not {smoothing:g}", "DL2107")
        return replaced(attrs, **items)

    return normalize


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


def _cross_entropy_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    check_classes("cross_entropy", types, attrs.int("axis"))
    check_ignored("cross_entropy", types[1], attrs)
    rows = without(types[0].shape, (attrs.int("axis"),))
    return TensorType(types[0].dtype, rows if attrs["reduction"] == "none" else ())


def _cross_entropy(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    (logits, label), ignored = inputs, attrs["ignore_index"]
    if ignored is None:
        return reduced(b, _row_losses(b, logits, label, attrs), attrs)
    kept = b.apply("ne", label, b.constant(attrs.int("ignore_index"), label.dtype))
    label = b.apply("where", kept, label, b.constant(0, label.dtype))
    zero, one = b.constant(0.0, logits.dtype), b.constant(1.0, logits.dtype)
    rows = b.apply("where", kept, _row_losses(b, logits, label, attrs), zero)
    if attrs["reduction"] != "mean":
        return reduced(b, rows, attrs)
    number = b.apply("sum", b.apply("cast", kept, dtype=logits.dtype))
    return b.apply("div", b.apply("sum", rows), b.apply("maximum", number, one))


def _row_losses(b: Builder, logits: Value, label: Value, attrs: Attrs) -> Value:
    axis, smoothing = attrs.int("axis"), attrs.float("label_smoothing")
    if not _is_distribution(logits.type, label.type) and not smoothing:
        return b.apply("softmax_cross_entropy", logits, label, axis=axis)
    log_p = b.apply("log_softmax", logits, axis=axis)
    if _is_distribution(logits.type, label.type):
        likelihood = b.apply("sum", b.apply("mul", label, log_p), axes=axis)
    else:
        likelihood = b.apply("pick", log_p, label, axis=axis)
    if smoothing:
        kept = b.apply("mul", likelihood, b.constant(1.0 - smoothing, logits.dtype))
        spread = b.apply("mul", b.apply("mean", log_p, axes=axis), b.constant(smoothing, logits.dtype))
        likelihood = b.apply("add", kept, spread)
    return b.apply("neg", likelihood)


def _nll_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    check_kind("nll", types[:1], FLOATS)
    log_p, label = types
    check_picking("nll", log_p, label, attrs.int("axis"))
    return TensorType(log_p.dtype, label.shape if attrs["reduction"] == "none" else ())


def _nll(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    return reduced(b, b.apply("neg", b.apply("pick", *inputs, axis=attrs["axis"])), attrs)


CLASS_LOSS = (
    OpDef(
        name="cross_entropy",
        doc="""Cross entropy of logits with a class per row: -log_softmax(logits)[label]. PyTorch: `F.cross_entropy`.

        logits f32[B, C] and class ids i64[B] or i32[B], the class axis being the last unless `axis` says otherwise (PyTorch: 1).
        A float label of the logits' shape holds a probability per class: -sum(label * log_softmax(logits)). The mean is over rows.
        `label_smoothing` s mixes the label with the uniform distribution: (1 - s) * label + s / C.
        Rows whose class id is `ignore_index` count nowhere: their loss is 0, and the mean is over the others (0 of none).""",
        example="loss = cross_entropy(net.logits, data.label, label_smoothing = 0.1)",
        infer=_cross_entropy_type,
        operands=("logits", "label"),
        options=(_AXIS, Option("label_smoothing", "float", 0.0), Option("ignore_index", "int"), REDUCTION),
        normalize=_normal_classes("cross_entropy"),
        decompose=_cross_entropy,
    ),
    OpDef(
        name="nll",
        doc="""Negative log-likelihood of a class per row: -log_p[label], for a result of `log_softmax`. PyTorch: `F.nll_loss`.""",
        example="loss = nll(log_softmax(net.logits), data.label)",
        infer=_nll_type,
        operands=("log_p", "label"),
        options=(_AXIS, REDUCTION),
        normalize=_normal_classes("nll"),
        decompose=_nll,
    ),
)
