"""Losses over vectors that stand for things: how far they point apart, and how their distances compare.

The vectors lie along one axis, which the result does not have; `reduction` is over the rest.
"""

from __future__ import annotations

from dslc.ops.axes import normal_axis, one_axis, replaced, without
from dslc.ops.ir import Attrs, Builder, Value
from dslc.ops.loss import LOSS_CODE, REDUCTION, reduced
from dslc.ops.opdef import InferRule, OpDef, OpError, Option
from dslc.ops.rules import FLOATS, check_kind, check_same_dtype, float_options
from dslc.tensor_type import DType, TensorType


def _vectors_type(name: str) -> InferRule:
    """Operands of one shape and element type, with an axis that vectors lie along."""

    def infer(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
        check_kind(name, types, FLOATS)
        check_same_dtype(name, types)
        first, *others = types
        for number, other in enumerate(others, 1):
            if other.shape != first.shape:
                message = f"`{name}` compares vectors of the same shape, got {first} and {other}"
                raise OpError(message, LOSS_CODE, number)
        axis = one_axis(name, first.rank, attrs.get("axis", -1), first)
        rows = without(first.shape, (axis,))
        return TensorType(first.dtype, rows if attrs["reduction"] == "none" else ())

    return infer


def _cosine(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    axis, one, tiny = attrs["axis"], *(b.constant(number, inputs[0].dtype) for number in (1.0, 1e-8))
    lengths = (b.apply("maximum", b.apply("norm", v, axes=axis, keepdims=True), tiny) for v in inputs)
    x, t = (b.apply("div", v, length) for v, length in zip(inputs, lengths, strict=True))
    return reduced(b, b.apply("sub", one, b.apply("sum", b.apply("mul", x, t), axes=axis)), attrs)


def _triplet(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    anchor, positive, negative = inputs
    near, far = (_distance(b, anchor, other) for other in (positive, negative))
    margin = b.constant(attrs.float("margin"), anchor.dtype)
    return reduced(b, b.apply("relu", b.apply("add", b.apply("sub", near, far), margin)), attrs)


def _distance(b: Builder, x: Value, y: Value) -> Value:
    """|x - y + 1e-6|, which has a slope where x and y are equal."""
    apart = b.apply("add", b.apply("sub", x, y), b.constant(1e-6, x.dtype))
    return b.apply("norm", apart, axes=x.type.rank - 1)


def _contrastive_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    first, second, same = types
    rows = _vectors_type("contrastive")((first, second), replaced(attrs, reduction="none"))
    if same.shape != rows.shape or same.dtype not in (DType.BOOL, first.dtype, DType.I32, DType.I64):
        message = f"`contrastive` needs to know of each pair of {first} whether it is of one kind, and got {same}"
        raise OpError(message, LOSS_CODE, 2)
    return rows if attrs["reduction"] == "none" else TensorType(first.dtype)


def _contrastive(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    x, y, same = inputs
    half, one, margin = (b.constant(number, x.dtype) for number in (0.5, 1.0, attrs.float("margin")))
    same = b.apply("cast", same, dtype=x.dtype)
    apart = b.apply("sub", x, y)
    near = b.apply("sum", b.apply("square", apart), axes=x.type.rank - 1)
    missing = b.apply("relu", b.apply("sub", margin, b.apply("norm", apart, axes=x.type.rank - 1)))
    far = b.apply("mul", b.apply("sub", one, same), b.apply("square", missing))
    return reduced(b, b.apply("mul", half, b.apply("add", b.apply("mul", same, near), far)), attrs)


DISTANCE_LOSS = (
    OpDef(
        name="cosine_distance",
        doc="""How far vectors point apart, whatever their lengths: 1 - x . t / (|x| |t|), from 0 to 2.

        Vectors lie along `axis`. A length below 1e-8 counts as 1e-8, so that zeros are at distance 1 of everything.
        PyTorch: ``1 - F.cosine_similarity(x, t)``.""",
        example="loss = cosine_distance(net.y, data.y)",
        infer=_vectors_type("cosine_distance"),
        operands=("prediction", "target"),
        options=(Option("axis", "axis", -1), REDUCTION),
        normalize=normal_axis("cosine_distance"),
        decompose=_cosine,
    ),
    OpDef(
        name="triplet",
        doc="""Triplet loss: max(0, |a - p| - |a - n| + margin), with p of the anchor's kind and n of another.

        Vectors lie along the last axis; |v| is the Euclidean length, and 1e-6 is added to every difference. PyTorch:
        `F.triplet_margin_loss`. Source: Schroff, Kalenichenko and Philbin, FaceNet, 2015.""",
        example="loss = triplet(net.y, data.y, -data.y, margin = 0.5)",
        infer=_vectors_type("triplet"),
        operands=("anchor", "positive", "negative"),
        options=(Option("margin", "float", 1.0), REDUCTION),
        normalize=float_options("margin"),
        decompose=_triplet,
    ),
    OpDef(
        name="contrastive",
        doc="""Contrastive loss of pairs: d ** 2 / 2 where they are of one kind, else max(0, margin - d) ** 2 / 2, with d = |x - y|.

        Vectors lie along the last axis; `same` says of each pair whether it is of one kind: bool, 1 or 0, or a number between. The
        gradient of d is 0 where x and y are equal. Source: Hadsell, Chopra and LeCun, 2006 (whose Y is 1 - same).""",
        example="loss = contrastive(net.y, data.y, data.y[:, 0] > 0, margin = 2)",
        infer=_contrastive_type,
        operands=("x", "y", "same"),
        options=(Option("margin", "float", 1.0), REDUCTION),
        normalize=float_options("margin"),
        decompose=_contrastive,
    ),
)
