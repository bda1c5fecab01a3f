"""Perplexity: between how many classes a model is undecided, on average over rows."""

from __future__ import annotations

from dslc.ops.axes import one_axis, replaced
from dslc.ops.class_loss import check_classes, check_ignored
from dslc.ops.error_metric import mean_of, wide
from dslc.ops.ir import Attrs, Builder, Value
from dslc.ops.opdef import OpDef, Option, OverPart, at_once
from dslc.tensor_type import DType, TensorType, count


def _type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    check_classes("perplexity", types, attrs.int("axis"))
    check_ignored("perplexity", types[1], attrs)
    return TensorType(types[0].dtype)


def _normal(types: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
    return replaced(attrs, axis=one_axis("perplexity", types[0].rank, attrs["axis"], types[0]))


def _parts(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    """The sum of the rows' cross entropies, and how many rows count."""
    logits, label = inputs
    losses = b.apply("cross_entropy", logits, label, reduction="none", **attrs)
    number = b.size(count(losses.shape), DType.F64)
    if attrs["ignore_index"] is not None:
        number = b.apply("sum", wide(b, b.apply("ne", label, b.constant(attrs.int("ignore_index"), label.dtype))))
    return b.apply("stack", b.apply("sum", wide(b, losses)), number, axis=0)


def _finish(b: Builder, sums: Value, _: Attrs) -> Value:
    return b.apply("exp", mean_of(b, sums))


_OVER = OverPart(_parts, _finish, lower=True)

PERPLEXITY = (
    OpDef(
        name="perplexity",
        doc="""exp of the mean cross entropy of rows: C where C classes seem equally likely, 1 where there is no doubt.

        Operands are those of `cross_entropy`; rows of class `ignore_index` count nowhere. Over a part of the data it is exp of the
        part's mean. PyTorch: ``torch.exp(F.cross_entropy(logits, label))``.""",
        example="metrics = { perplexity: perplexity(net.logits, data.label) }",
        infer=_type,
        operands=("logits", "label"),
        options=(Option("axis", "axis", -1), Option("ignore_index", "int")),
        normalize=_normal,
        decompose=at_once(_OVER, _type),
        over_part=_OVER,
    ),
)
