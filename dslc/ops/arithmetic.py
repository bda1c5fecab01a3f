"""Arithmetic on two numbers per element, and negation. Shapes broadcast as NumPy's do; element types never mix."""

from __future__ import annotations

from collections.abc import Callable

from dslc.ops.export import single, widened
from dslc.ops.ir import Attrs, Builder, Node, OnnxEmitter, Value
from dslc.ops.opdef import OpDef, OpError
from dslc.ops.rows import ADDITIVE, LINEAR, OF_TWO, per_element
from dslc.ops.rules import FLOATS, KIND_CODE, SIGNED, broadcast_shape, check_same_dtype, elementwise
from dslc.tensor_type import TensorType


def _add_vjp(_: Builder, __: Node, g: Value) -> tuple[Value, Value]:
    return g, g


def _xlogy(b: Builder, inputs: tuple[Value, ...], _: Attrs) -> Value:
    x, y = inputs
    zero = b.constant(0.0, x.dtype)
    nothing = b.apply("logical_and", b.apply("eq", x, zero), b.apply("le", y, zero))
    some = b.apply("where", nothing, b.constant(1.0, x.dtype), y)
    return b.apply("mul", x, b.apply("log", some))


def _sub_vjp(b: Builder, _: Node, g: Value) -> tuple[Value, Value]:
    return g, b.apply("neg", g)


def _mul_vjp(b: Builder, node: Node, g: Value) -> tuple[Value, Value]:
    x, y = node.inputs
    return b.apply("mul", g, y), b.apply("mul", g, x)


def _div_vjp(b: Builder, node: Node, g: Value) -> tuple[Value, Value]:
    _, y = node.inputs
    gx = b.apply("div", g, y)
    return gx, b.apply("neg", b.apply("mul", gx, node.out))


def _infer_div(types: tuple[TensorType, ...], _: Attrs) -> TensorType:
    dtype = check_same_dtype("/", types)
    if dtype not in FLOATS:
        raise OpError(
            f"`/` between {types[0]} and {types[1]} would lose the fraction",
            KIND_CODE,
            help="convert both sides with `cast(..., f32)`",
        )
    return TensorType(dtype, broadcast_shape("/", types))


def _pow_vjp(b: Builder, node: Node, g: Value) -> tuple[Value, Value]:
    x, y = node.inputs
    zero, one = b.constant(0.0, x.dtype), b.constant(1.0, x.dtype)
    slope = b.apply("mul", y, b.apply("pow", x, b.apply("sub", y, one)))
    gx = b.apply("mul", g, b.apply("where", b.apply("eq", y, zero), zero, slope))
    # 0 ** y is 0 for every y > 0 and so does not move with y; log(0) would make it nan.
    at_zero = b.apply("logical_and", b.apply("eq", x, zero), b.apply("ge", y, zero))
    growth = b.apply("where", at_zero, zero, b.apply("mul", node.out, b.apply("log", x)))
    return gx, b.apply("mul", g, growth)


def _mod_vjp(b: Builder, node: Node, g: Value) -> tuple[Value, Value]:
    x, y = node.inputs
    quotient = b.apply("floor", b.apply("div", x, y))
    return g, b.apply("neg", b.apply("mul", g, quotient))


def _mod_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    if not node.out.dtype.is_float:
        return onnx.node("Mod", *names)
    # ONNX's remainder of floats is C's, with the sign of the dividend: move it to the sign of the divisor.
    zero = onnx.constant(0.0, node.out.dtype)
    rest = onnx.node("Mod", *names, fmod=1)
    signs_differ = onnx.node("Xor", onnx.node("Less", rest, zero), onnx.node("Less", names[1], zero))
    wrong = onnx.node("And", signs_differ, onnx.node("Not", onnx.node("Equal", rest, zero)))
    return onnx.node("Where", wrong, onnx.node("Add", rest, names[1]), rest)


def _extreme_vjp(wins: str) -> Callable[[Builder, Node, Value], tuple[Value, Value]]:
    def vjp(b: Builder, node: Node, g: Value) -> tuple[Value, Value]:
        x, y = node.inputs
        zero, half, one = (b.constant(share, g.dtype) for share in (0.0, 0.5, 1.0))
        loses = b.apply("where", b.apply("eq", x, y), half, zero)
        share = b.apply("where", b.apply(wins, x, y), one, loses)
        gx = b.apply("mul", g, share)
        return gx, b.apply("sub", g, gx)

    return vjp


def _neg_vjp(b: Builder, _: Node, g: Value) -> tuple[Value]:
    return (b.apply("neg", g),)


ADD = OpDef(
    name="add",
    doc="""The sum `x + y`.

    Gradient: g to both. Integers wrap around on overflow.""",
    infer=elementwise("+"),
    rows=ADDITIVE,
    operands=("x", "y"),
    vjp=_add_vjp,
    kernel="add",
    onnx=widened(single("Add")),
    inplace=(0, 1),
    symbol="+",
)

SUB = OpDef(
    name="sub",
    doc="""The difference `x - y`.

    Gradient: g and -g. Integers wrap around on overflow.""",
    infer=elementwise("-"),
    rows=ADDITIVE,
    operands=("x", "y"),
    vjp=_sub_vjp,
    kernel="sub",
    onnx=widened(single("Sub")),
    inplace=(0, 1),
    symbol="-",
)

MUL = OpDef(
    name="mul",
    doc="""The product `x * y`, element by element.

    Gradient: g * y and g * x. Integers wrap around on overflow.""",
    infer=elementwise("*"),
    rows=per_element(1, 1),
    operands=("x", "y"),
    vjp=_mul_vjp,
    kernel="mul",
    onnx=widened(single("Mul")),
    inplace=(0, 1),
    symbol="*",
)

DIV = OpDef(
    name="div",
    doc="""The quotient `x / y` of floating-point tensors; integers are refused, because true division would change their type.

    Gradient: g / y and -(g / y) * (x / y). x / 0 is inf, -inf or nan, as IEEE 754 says.""",
    infer=_infer_div,
    rows=per_element(1, -1),
    operands=("x", "y"),
    vjp=_div_vjp,
    kernel="div",
    onnx=single("Div"),
    inplace=(0, 1),
    symbol="/",
)

POW = OpDef(
    name="pow",
    doc="""The power `x ** y`.

    Floating-point: as C's `pow`; nan for a negative base and a fractional exponent. Integers: a negative exponent gives
    the fraction cut to an integer, 0 unless the base is 1 or -1 (and 0 for the base 0).
    Gradient: g * y * x ** (y - 1), and 0 where y is 0; g * x ** y * log(x), and 0 where x is 0 and y >= 0. These are PyTorch's.""",
    infer=elementwise("**"),
    rows=OF_TWO,
    operands=("x", "y"),
    vjp=_pow_vjp,
    kernel="pow",
    onnx=widened(single("Pow")),
    symbol="**",
    inplace=(0, 1),
)

MOD = OpDef(
    name="mod",
    doc="""The remainder `x % y`, with the sign of the divisor, as Python and NumPy define it.

    Gradient: g and -g * floor(x / y). x % 0 is nan, and 0 for integers.""",
    infer=elementwise("%"),
    rows=OF_TWO,
    operands=("x", "y"),
    vjp=_mod_vjp,
    kernel="mod",
    onnx=widened(_mod_onnx),
    inplace=(0, 1),
    symbol="%",
)

MINIMUM = OpDef(
    name="minimum",
    doc="""The smaller of two numbers, element by element; nan if either is nan.

    Gradient: g to the smaller one; at a tie half of it to each, as PyTorch does.""",
    example="y = minimum(x, 1)",
    infer=elementwise("minimum"),
    rows=OF_TWO,
    operands=("x", "y"),
    vjp=_extreme_vjp("lt"),
    kernel="minimum",
    onnx=widened(single("Min")),
    inplace=(0, 1),
)

MAXIMUM = OpDef(
    name="maximum",
    doc="""The larger of two numbers, element by element; nan if either is nan.

    Gradient: g to the larger one; at a tie half of it to each, as PyTorch does.""",
    example="y = maximum(x, 0)",
    infer=elementwise("maximum"),
    rows=OF_TWO,
    operands=("x", "y"),
    vjp=_extreme_vjp("gt"),
    kernel="maximum",
    onnx=widened(single("Max")),
    inplace=(0, 1),
)

NEG = OpDef(
    name="neg",
    doc="""The negative `-x`; unsigned integers are refused.

    Gradient: -g. The smallest integer of its type stays as it is.""",
    infer=elementwise("-", SIGNED),
    rows=LINEAR,
    vjp=_neg_vjp,
    kernel="neg",
    onnx=widened(single("Neg")),
    inplace=(0,),
    symbol="-",
)

XLOGY = OpDef(
    name="xlogy",
    doc="""x * log(y), and 0 where x is 0, whatever y: the terms of an entropy, `-sum(xlogy(p, p))`.

    Gradient: log(y) to x and x / y to y; both 0 where x is 0 and y is not positive, as PyTorch's `xlogy` has it.""",
    example="y = -xlogy(abs(x), abs(x))",
    infer=elementwise("xlogy", FLOATS),
    operands=("x", "y"),
    decompose=_xlogy,
)

ARITHMETIC: tuple[OpDef, ...] = (ADD, SUB, MUL, DIV, POW, MOD, MINIMUM, MAXIMUM, NEG, XLOGY)
