"""Functions of one real number per element, and clipping to a range."""

from __future__ import annotations

import math
from collections.abc import Callable

from dslc.ops.cost import per_result
from dslc.ops.export import single, widened
from dslc.ops.ir import Attr, Attrs, Builder, Node, OnnxEmitter, Value
from dslc.ops.opdef import OpDef, OpError, Option
from dslc.ops.rows import OF_ONE, RowsRule, per_element
from dslc.ops.rules import RANGE_CODE, elementwise, same_float
from dslc.tensor_type import DType, TensorType


def _exp_vjp(b: Builder, node: Node, g: Value) -> tuple[Value]:
    return (b.apply("mul", g, node.out),)


def _log_vjp(b: Builder, node: Node, g: Value) -> tuple[Value]:
    return (b.apply("div", g, node.inputs[0]),)


def _sqrt_vjp(b: Builder, node: Node, g: Value) -> tuple[Value]:
    return (b.apply("div", b.apply("mul", g, b.constant(0.5, g.dtype)), node.out),)


def _square_vjp(b: Builder, node: Node, g: Value) -> tuple[Value]:
    (x,) = node.inputs
    double = b.apply("mul", g, b.constant(2.0, g.dtype))  # of g, which often is one number for all elements
    return (b.apply("mul", double, x),)


def _reciprocal_vjp(b: Builder, node: Node, g: Value) -> tuple[Value]:
    return (b.apply("neg", b.apply("mul", g, b.apply("square", node.out))),)


def _abs_vjp(b: Builder, node: Node, g: Value) -> tuple[Value]:
    return (b.apply("mul", g, b.apply("sign", node.inputs[0])),)


def _sin_vjp(b: Builder, node: Node, g: Value) -> tuple[Value]:
    return (b.apply("mul", g, b.apply("cos", node.inputs[0])),)


def _cos_vjp(b: Builder, node: Node, g: Value) -> tuple[Value]:
    return (b.apply("neg", b.apply("mul", g, b.apply("sin", node.inputs[0]))),)


def _erf_vjp(b: Builder, node: Node, g: Value) -> tuple[Value]:
    (x,) = node.inputs
    bell = b.apply("exp", b.apply("neg", b.apply("square", x)))
    slope = b.apply("mul", bell, b.constant(2.0 / math.sqrt(math.pi), x.dtype))
    return (b.apply("mul", g, slope),)


def _normal_cdf_vjp(b: Builder, node: Node, g: Value) -> tuple[Value]:
    return (b.apply("mul", g, b.apply("normal_pdf", node.inputs[0])),)


def _normal_pdf_vjp(b: Builder, node: Node, g: Value) -> tuple[Value]:
    return (b.apply("neg", b.apply("mul", g, b.apply("mul", node.inputs[0], node.out))),)


def normal_cdf_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    """(1 + erf(x / sqrt(2))) / 2 of the first operand."""
    root, one, half = (onnx.constant(c, node.out.dtype) for c in (math.sqrt(0.5), 1.0, 0.5))
    return onnx.node("Mul", onnx.node("Add", onnx.node("Erf", onnx.node("Mul", names[0], root)), one), half)


def normal_pdf_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    """exp(-x ** 2 / 2) / sqrt(2 pi) of the first operand."""
    falling, peak = (onnx.constant(c, node.out.dtype) for c in (-0.5, 1 / math.sqrt(2 * math.pi)))
    square = onnx.node("Mul", names[0], names[0])
    return onnx.node("Mul", onnx.node("Exp", onnx.node("Mul", square, falling)), peak)


def _square_onnx(onnx: OnnxEmitter, _: Node, names: tuple[str, ...]) -> str:
    return onnx.node("Mul", names[0], names[0])


def _normalize_clip(types: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
    low, high = (_bound(name, attrs[name], types[0]) for name in ("low", "high"))
    if low is None and high is None:
        raise OpError("`clip` needs `low`, `high` or both", RANGE_CODE)
    if low is not None and high is not None and low > high:
        raise OpError(f"`clip` needs low <= high, got low = {low} and high = {high}", RANGE_CODE)
    return Attrs({"low": low, "high": high})


def _bound(name: str, value: Attr, operand: TensorType) -> float | None:
    """A bound of `clip` in the Python type of the operand's elements."""
    if value is None:
        return None
    if not isinstance(value, int | float):
        raise OpError(f"`{name}` of `clip` is a number or none", RANGE_CODE)
    if operand.dtype.is_float:
        return float(value)
    if value != int(value):
        raise OpError(f"`clip` of {operand} needs whole numbers, got {name} = {value}", RANGE_CODE)
    return int(value)


def _clip_vjp(b: Builder, node: Node, g: Value) -> tuple[Value]:
    (x,) = node.inputs
    for name, keeps in (("low", "ge"), ("high", "le")):
        bound = node.attrs[name]
        if bound is not None:
            inside = b.apply(keeps, x, b.constant(node.attrs.float(name), x.dtype))
            g = b.apply("where", inside, g, b.constant(0.0, g.dtype))
    return (g,)


def clip_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    """The operand kept between the attributes `low` and `high`, each of which may be None."""
    dtype = DType.I32 if node.out.dtype in (DType.I8, DType.U8) else node.out.dtype
    bounds = [
        "" if node.attrs[name] is None else onnx.constant(node.attrs.float(name), dtype) for name in ("low", "high")
    ]
    return onnx.node("Clip", names[0], *bounds)


def _smooth(
    name: str, doc: str, vjp: Callable[[Builder, Node, Value], tuple[Value]], onnx: str, rows: RowsRule = OF_ONE
) -> OpDef:
    return OpDef(
        name=name, doc=doc, infer=same_float(name), rows=rows, vjp=vjp, kernel=name, onnx=single(onnx), inplace=(0,)
    )  # fmt: skip


EXP = _smooth("exp", "The exponential e ** x.\n\n    Gradient: g * exp(x). Overflow gives inf.", _exp_vjp, "Exp")
LOG = _smooth(
    "log", "The natural logarithm.\n\n    Gradient: g / x. log(0) is -inf, of a negative number nan.", _log_vjp, "Log"
)
SQRT = _smooth(
    "sqrt",
    "The square root.\n\n    Gradient: g / (2 * sqrt(x)), so inf at 0 as in PyTorch; nan for negative numbers.",
    _sqrt_vjp,
    "Sqrt",
)
RECIPROCAL = _smooth(
    "reciprocal",
    "The reciprocal 1 / x.\n\n    Gradient: -g / x ** 2. 1 / 0 is inf.",
    _reciprocal_vjp,
    "Reciprocal",
    per_element(-1),
)
SIN = _smooth("sin", "The sine of an angle in radians.\n\n    Gradient: g * cos(x).", _sin_vjp, "Sin")
COS = _smooth("cos", "The cosine of an angle in radians.\n\n    Gradient: -g * sin(x).", _cos_vjp, "Cos")
ERF = _smooth(
    "erf",
    """The error function: 2 / sqrt(pi) times the integral of exp(-t ** 2) from 0 to x.

    Gradient: g * 2 / sqrt(pi) * exp(-x ** 2).""",
    _erf_vjp,
    "Erf",
)

NORMAL_CDF = OpDef(
    name="normal_cdf",
    doc="""The standard normal distribution function: (1 + erf(x / sqrt(2))) / 2.

    Gradient: g * normal_pdf(x).""",
    infer=same_float("normal_cdf"),
    rows=OF_ONE,
    vjp=_normal_cdf_vjp,
    kernel="normal_cdf",
    onnx=normal_cdf_onnx,
    inplace=(0,),
    flops=per_result(4),
    result_range="probability",
)

NORMAL_PDF = OpDef(
    name="normal_pdf",
    doc="""The standard normal density: exp(-x ** 2 / 2) / sqrt(2 pi).

    Gradient: -g * x * y.""",
    infer=same_float("normal_pdf"),
    rows=OF_ONE,
    vjp=_normal_pdf_vjp,
    kernel="normal_pdf",
    onnx=normal_pdf_onnx,
    inplace=(0,),
    flops=per_result(4),
)

ABS = OpDef(
    name="abs",
    doc="""The absolute value.

    Gradient: g * sign(x), so 0 at 0 as in PyTorch. The smallest integer of its type stays as it is.""",
    infer=elementwise("abs"),
    rows=OF_ONE,
    vjp=_abs_vjp,
    kernel="abs",
    onnx=single("Abs"),
    inplace=(0,),
)

SIGN = OpDef(
    name="sign",
    doc="""-1, 0 or 1 by the sign of x; nan of nan.

    The gradient is zero everywhere: none flows.""",
    infer=elementwise("sign"),
    rows=OF_ONE,
    kernel="sign",
    onnx=single("Sign"),
    inplace=(0,),
)

SQUARE = OpDef(
    name="square",
    doc="""The square x * x.

    Gradient: 2 * g * x.""",
    infer=elementwise("square"),
    rows=per_element(2),
    vjp=_square_vjp,
    kernel="square",
    onnx=widened(_square_onnx),
    inplace=(0,),
)

FLOOR = OpDef(
    name="floor",
    doc="""The largest whole number that is not above x, as a floating-point value.

    The gradient is zero: none flows.""",
    infer=same_float("floor"),
    rows=OF_ONE,
    kernel="floor",
    onnx=single("Floor"),
    inplace=(0,),
)

ROUND = OpDef(
    name="round",
    doc="""The nearest whole number as a floating-point value; halves go to the even neighbour (0.5 -> 0, 1.5 -> 2).

    The gradient is zero: none flows.""",
    infer=same_float("round"),
    rows=OF_ONE,
    kernel="round",
    onnx=single("Round"),
    inplace=(0,),
)

CLIP = OpDef(
    name="clip",
    doc="""x kept between `low` and `high`; either may be none.

    Gradient: g where low <= x <= high (the bounds included, as in PyTorch), 0 outside. nan stays nan.""",
    example="y = clip(x, 0, 1)",
    infer=elementwise("clip"),
    rows=OF_ONE,
    options=(Option("low", "float"), Option("high", "float")),
    normalize=_normalize_clip,
    vjp=_clip_vjp,
    kernel="clip",
    onnx=widened(clip_onnx),
    inplace=(0,),
)

MATH: tuple[OpDef, ...] = (
    EXP,
    LOG,
    SQRT,
    RECIPROCAL,
    SIN,
    COS,
    ERF,
    NORMAL_CDF,
    NORMAL_PDF,
    ABS,
    SIGN,
    SQUARE,
    FLOOR,
    ROUND,
    CLIP,
)
