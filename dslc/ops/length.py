"""The Euclidean length of vectors: a reduction that neither overflows nor has a gradient of nan at zero."""

from __future__ import annotations

from dslc.ops.axes import ones_at, without
from dslc.ops.ir import Attrs, Builder, Value
from dslc.ops.opdef import OpDef
from dslc.ops.reduction import OVER_AXES, normal_axes
from dslc.ops.rules import FLOATS, check_kind
from dslc.tensor_type import TensorType


def _norm_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    check_kind("norm", types, FLOATS)
    (x,), axes = types, attrs.ints("axes")
    return TensorType(x.dtype, ones_at(x.shape, axes) if attrs.bool("keepdims") else without(x.shape, axes))


def root(b: Builder, x: Value) -> Value:
    """The square root of numbers that are not negative, with the slope 0 at 0."""
    zero, one = b.constant(0.0, x.dtype), b.constant(1.0, x.dtype)
    positive = b.apply("gt", x, zero)
    return b.apply("where", positive, b.apply("sqrt", b.apply("where", positive, x, one)), zero)


def _norm(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    # m |x / m| for any m: with the largest element no square overflows, and m counts as a constant.
    (x,), axes = inputs, attrs["axes"]
    zero, one = b.constant(0.0, x.dtype), b.constant(1.0, x.dtype)
    if not attrs.ints("axes"):
        return b.apply("abs", x)
    largest = b.apply("stop_gradient", b.apply("max", b.apply("abs", x), axes=axes, keepdims=True))
    scale = b.apply("where", b.apply("gt", largest, zero), largest, one)
    total = b.apply("sum", b.apply("square", b.apply("div", x, scale)), axes=axes, keepdims=True)
    length = b.apply("mul", scale, root(b, total))
    return length if attrs.bool("keepdims") else b.apply("squeeze", length, axis=axes)


LENGTH = (
    OpDef(
        name="norm",
        doc="""The Euclidean length sqrt(sum(x ** 2)) along `axes`, of all elements unless they are given.

        No square overflows. Gradient: g * x / norm, and 0 where the length is 0, as PyTorch's `linalg.vector_norm` has it.""",
        example="y = x / norm(x, axis = -1, keepdims = true)",
        infer=_norm_type,
        options=OVER_AXES,
        normalize=normal_axes("norm"),
        decompose=_norm,
    ),
)
