"""The leaky relu whose slope is learned: an operand, not an option."""

from __future__ import annotations

from dslc.ops.axes import one_axis, replaced
from dslc.ops.ir import Attrs, Builder, Value
from dslc.ops.opdef import OpDef, OpError, Option
from dslc.ops.rules import FLOATS, check_kind, check_same_dtype
from dslc.tensor_type import TensorType


def _is_shared(slope: TensorType) -> bool:
    return slope.shape in ((), (1,))


def _normal(types: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
    x, slope = types
    return replaced(attrs, axis=None if _is_shared(slope) else one_axis("prelu", x.rank, attrs["axis"], x))


def _type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    check_kind("prelu", types, FLOATS)
    check_same_dtype("prelu", types)
    x, slope = types
    if not _is_shared(slope) and slope.shape != (x.shape[attrs.int("axis")],):
        axis = attrs.int("axis")
        raise OpError(f"`prelu` takes one slope, or one for each of axis {axis} of {x}, not {slope}", "DL2105", 1)
    return x


def _prelu(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    x, slope = inputs
    if not _is_shared(slope.type):
        slope = b.apply("reshape", slope, sizes=(-1, *[1] * (x.type.rank - 1 - attrs.int("axis"))))
    elif slope.type.rank:
        slope = b.apply("squeeze", slope, axis=0)
    positive, zero = b.apply("gt", x, b.constant(0.0, x.dtype)), b.constant(0.0, x.dtype)
    low = b.apply("where", positive, zero, x)  # so that an infinite x leaves no nan in the slope's gradient
    return b.apply("where", positive, x, b.apply("mul", slope, low))


PRELU = (
    OpDef(
        name="prelu",
        doc="""x where x > 0, else slope * x, with a slope that is a tensor: one, or one for each position along `axis`.

        Gradient: to x as that of `leaky_relu`, to the slope g * x where x <= 0. The layer `PReLU` learns it. Source: He, Zhang, Ren
        and Sun, Delving deep into rectifiers, 2015.""",
        example="param slope: f32[8] = constant(0.25)\ny = prelu(x, slope)",
        infer=_type,
        operands=("x", "slope"),
        options=(Option("axis", "axis", 1),),
        normalize=_normal,
        decompose=_prelu,
    ),
)
