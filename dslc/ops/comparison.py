"""Comparisons, logic on bool tensors, choice per element, and conversion of element types."""

from __future__ import annotations

from dslc.ops.cost import free
from dslc.ops.export import single, widened
from dslc.ops.ir import Attrs, Builder, Node, OnnxEmitter, Value
from dslc.ops.opdef import OnnxRule, OpDef, OpError, Option
from dslc.ops.rows import LINEAR, OF_ONE, OF_TWO, cast_rows, per_element
from dslc.ops.rules import ANY, BOOLS, KIND_CODE, NUMBERS, broadcast_shape, check_kind, check_same_dtype, elementwise
from dslc.tensor_type import DType, TensorType


def _comparison(name: str, symbol: str, sentence: str, onnx: OnnxRule, allowed: frozenset[DType] = NUMBERS) -> OpDef:
    return OpDef(
        name=name,
        doc=f"{sentence}, as bool.\n\n    No gradient flows through it. A comparison with nan is false, `!=` true.",
        infer=elementwise(symbol, allowed, result=DType.BOOL),
        rows=OF_TWO,
        operands=("x", "y"),
        kernel=name,
        onnx=widened(onnx),
        symbol=symbol,
    )


def _not_equal_onnx(onnx: OnnxEmitter, _: Node, names: tuple[str, ...]) -> str:
    return onnx.node("Not", onnx.node("Equal", *names))


def _infer_where(types: tuple[TensorType, ...], _: Attrs) -> TensorType:
    condition, x, y = types
    if condition.dtype is not DType.BOOL:
        raise OpError(
            f"`where` chooses by bool values, got {condition}",
            KIND_CODE,
            0,
            help="compare it, as in `where(c != 0, a, b)`",
        )
    dtype = check_same_dtype("where", (x, y))
    return TensorType(dtype, broadcast_shape("where", types))


def _where_vjp(b: Builder, node: Node, g: Value) -> tuple[None, Value, Value]:
    condition = node.inputs[0]
    zero = b.constant(0.0, g.dtype)
    return None, b.apply("where", condition, g, zero), b.apply("where", condition, zero, g)


def _where_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    if node.out.dtype not in (DType.I8, DType.BOOL):
        return onnx.node("Where", *names)
    condition, x, y = names  # ONNX Runtime chooses between the other types only
    chosen = onnx.node("Where", condition, onnx.cast(x, DType.I32), onnx.cast(y, DType.I32))
    return onnx.cast(chosen, node.out.dtype)


def _infer_cast(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    return TensorType(attrs.dtype("dtype"), types[0].shape)


def _cast_vjp(b: Builder, node: Node, g: Value) -> tuple[Value | None]:
    (x,) = node.inputs
    if not (x.dtype.is_float and node.out.dtype.is_float):
        return (None,)
    return (b.apply("cast", g, dtype=x.dtype),)


def _cast_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    return onnx.cast(names[0], node.out.dtype)


def _infer_identity(types: tuple[TensorType, ...], _: Attrs) -> TensorType:
    check_kind("stop_gradient", types, ANY)
    return types[0]


EQ = _comparison("eq", "==", "Whether `x == y`", single("Equal"), ANY)
NE = _comparison("ne", "!=", "Whether `x != y`", _not_equal_onnx, ANY)
LT = _comparison("lt", "<", "Whether `x < y`", single("Less"))
LE = _comparison("le", "<=", "Whether `x <= y`", single("LessOrEqual"))
GT = _comparison("gt", ">", "Whether `x > y`", single("Greater"))
GE = _comparison("ge", ">=", "Whether `x >= y`", single("GreaterOrEqual"))

LOGICAL_AND = OpDef(
    name="logical_and",
    doc="""Whether both are true: `a and b` on bool tensors.

    No gradient flows through it.""",
    example="y = x > 0 and x < 1",
    infer=elementwise("and", BOOLS),
    rows=OF_TWO,
    operands=("x", "y"),
    kernel="logical_and",
    onnx=single("And"),
    inplace=(0, 1),
    symbol="and",
)

LOGICAL_OR = OpDef(
    name="logical_or",
    doc="""Whether at least one is true: `a or b` on bool tensors.

    No gradient flows through it.""",
    example="y = x < 0 or x > 1",
    infer=elementwise("or", BOOLS),
    rows=OF_TWO,
    operands=("x", "y"),
    kernel="logical_or",
    onnx=single("Or"),
    inplace=(0, 1),
    symbol="or",
)

LOGICAL_NOT = OpDef(
    name="logical_not",
    doc="""Whether it is false: `not a` on bool tensors.

    No gradient flows through it.""",
    example="y = not (x > 0)",
    infer=elementwise("not", BOOLS),
    rows=OF_ONE,
    kernel="logical_not",
    onnx=single("Not"),
    inplace=(0,),
    symbol="not",
)

WHERE = OpDef(
    name="where",
    doc="""`x` where the condition is true, `y` elsewhere; all three broadcast together.

    Gradient: g where the condition chose, 0 elsewhere. A nan in what was not chosen does not reach the value; it does reach
    the gradient of what it was computed from (0 * nan), as in every framework.""",
    example="y = where(x > 0, x, 0)",
    infer=_infer_where,
    rows=per_element(0, 1, 1, together=True),
    operands=("condition", "x", "y"),
    vjp=_where_vjp,
    kernel="where",
    onnx=_where_onnx,
    inplace=(1,),
)

CAST = OpDef(
    name="cast",
    doc="""The values converted to another element type: `cast(x, f32)`.

    Float to integer cuts the fraction (nan and values out of range give an unspecified integer); a number is true as bool
    where it is not 0. Gradient: g converted back between floats, none to or from integers and bools.""",
    example="y = cast(ids, f32)",
    infer=_infer_cast,
    rows=cast_rows,
    options=(Option("dtype", "dtype", required=True),),
    vjp=_cast_vjp,
    kernel="cast",
    flops=free,
    onnx=_cast_onnx,
)

STOP_GRADIENT = OpDef(
    name="stop_gradient",
    doc="""The value itself, through which no gradient flows: it counts as a constant.""",
    infer=_infer_identity,
    rows=LINEAR,
    kernel="stop_gradient",
    flops=free,
    onnx=single("Identity"),
    view=True,
)

COMPARISON: tuple[OpDef, ...] = (
    EQ,
    NE,
    LT,
    LE,
    GT,
    GE,
    LOGICAL_AND,
    LOGICAL_OR,
    LOGICAL_NOT,
    WHERE,
    CAST,
    STOP_GRADIENT,
)
