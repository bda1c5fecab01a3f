"""Activation functions. All work on floating-point tensors of any shape and keep the shape."""

from __future__ import annotations

import math

from dslc.ops.cost import per_result
from dslc.ops.export import single
from dslc.ops.ir import Attrs, Builder, Node, OnnxEmitter, Value
from dslc.ops.math import clip_onnx, normal_cdf_onnx, normal_pdf_onnx
from dslc.ops.opdef import OpDef, Option
from dslc.ops.rows import OF_ONE, per_element
from dslc.ops.rules import elementwise, float_options, same_float
from dslc.tensor_type import DType


def _sigmoid_vjp(b: Builder, node: Node, g: Value) -> tuple[Value]:
    y = node.out
    return (b.apply("mul", g, b.apply("sub", y, b.apply("square", y))),)


def _tanh_vjp(b: Builder, node: Node, g: Value) -> tuple[Value]:
    one = b.constant(1.0, g.dtype)
    return (b.apply("mul", g, b.apply("sub", one, b.apply("square", node.out))),)


def _relu_vjp(b: Builder, node: Node, g: Value) -> tuple[Value]:
    return (b.apply("relu_grad", g, node.out),)


def _relu_grad_vjp(b: Builder, node: Node, gg: Value) -> tuple[Value, None]:
    return b.apply("relu_grad", gg, node.inputs[1]), None


def _relu_grad_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    g, y = names
    positive = onnx.node("Greater", y, onnx.constant(0.0, node.out.dtype))
    return onnx.node("Mul", g, onnx.cast(positive, node.out.dtype))


def _leaky_relu_vjp(b: Builder, node: Node, g: Value) -> tuple[Value]:
    (x,) = node.inputs
    zero, one, slope = (b.constant(c, x.dtype) for c in (0.0, 1.0, node.attrs.float("slope")))
    return (b.apply("mul", g, b.apply("where", b.apply("gt", x, zero), one, slope)),)


def _elu_vjp(b: Builder, node: Node, g: Value) -> tuple[Value]:
    (x,) = node.inputs
    zero, one, alpha = (b.constant(c, x.dtype) for c in (0.0, 1.0, node.attrs.float("alpha")))
    # Below 0 the slope alpha * exp(x) is y + alpha.
    slope = b.apply("where", b.apply("gt", x, zero), one, b.apply("add", node.out, alpha))
    return (b.apply("mul", g, slope),)


def _softplus_vjp(b: Builder, node: Node, g: Value) -> tuple[Value]:
    return (b.apply("mul", g, b.apply("sigmoid", node.inputs[0])),)


def _softplus_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    (x,), dtype = names, node.out.dtype
    if dtype is not DType.F64:
        return onnx.node("Softplus", x)
    # ONNX Runtime's Softplus of f64 overflows. Here e = exp(-|x|), and log(1 + e) is log(u) e / (u - 1) with u = 1 + e rounded.
    one = onnx.constant(1.0, dtype)
    e = onnx.node("Exp", onnx.node("Neg", onnx.node("Abs", x)))
    u = onnx.node("Add", one, e)
    rest = onnx.node("Sub", u, one)
    is_tiny = onnx.node("Equal", rest, onnx.constant(0.0, dtype))
    share = onnx.node("Div", e, onnx.node("Where", is_tiny, one, rest))
    tail = onnx.node("Where", is_tiny, e, onnx.node("Mul", onnx.node("Log", u), share))
    return onnx.node("Add", onnx.node("Relu", x), tail)


def _gelu(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    (x,) = inputs
    if attrs.str("approximate") == "none":
        return b.apply("gelu_exact", x)
    half, one = b.constant(0.5, x.dtype), b.constant(1.0, x.dtype)
    near = b.apply("clip", x, low=-16.0, high=16.0)  # tanh is -1 or 1 from there on, and no cube overflows
    cube = b.apply("mul", b.apply("square", near), b.apply("mul", near, b.constant(0.044715, x.dtype)))
    inner = b.apply("mul", b.apply("add", near, cube), b.constant(math.sqrt(2.0 / math.pi), x.dtype))
    return b.apply("mul", b.apply("mul", x, half), b.apply("add", b.apply("tanh", inner), one))


def _gelu_exact_vjp(b: Builder, node: Node, g: Value) -> tuple[Value]:
    (x,) = node.inputs
    return (b.apply("gelu_grad", g, x, b.apply("normal_cdf", x)),)


def _gelu_exact_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    return onnx.node("Mul", names[0], normal_cdf_onnx(onnx, node, names))


def _gelu_grad_vjp(b: Builder, node: Node, h: Value) -> tuple[Value, Value, Value]:
    g, x, cdf = node.inputs
    hg = b.apply("mul", h, g)
    bend = b.apply("mul", b.apply("normal_pdf", x), b.apply("sub", b.constant(1.0, x.dtype), b.apply("square", x)))
    return b.apply("gelu_grad", h, x, cdf), b.apply("mul", hg, bend), hg


def _gelu_grad_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    g, x, cdf = names
    slope = onnx.node("Add", cdf, onnx.node("Mul", x, normal_pdf_onnx(onnx, node, (x,))))
    return onnx.node("Mul", g, slope)


def _silu(b: Builder, inputs: tuple[Value, ...], _: Attrs) -> Value:
    (x,) = inputs
    return b.apply("mul", x, b.apply("sigmoid", x))


def _mish(b: Builder, inputs: tuple[Value, ...], _: Attrs) -> Value:
    (x,) = inputs
    return b.apply("mul", x, b.apply("tanh", b.apply("softplus", x)))


# Klambauer and others, equation 14: they make mean 0 and variance 1 the fixed point of a layer.
_SELU_SCALE, _SELU_ALPHA = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717


def _selu(b: Builder, inputs: tuple[Value, ...], _: Attrs) -> Value:
    (x,) = inputs
    return b.apply("mul", b.apply("elu", x, alpha=_SELU_ALPHA), b.constant(_SELU_SCALE, x.dtype))


def _softsign_vjp(b: Builder, node: Node, g: Value) -> tuple[Value]:
    one = b.constant(1.0, g.dtype)
    slope = b.apply("square", b.apply("sub", one, b.apply("abs", node.out)))  # (1 - |y|) ** 2
    return (b.apply("mul", g, slope),)


def _hard_sigmoid(b: Builder, inputs: tuple[Value, ...], _: Attrs) -> Value:
    (x,) = inputs
    three, six = b.constant(3.0, x.dtype), b.constant(6.0, x.dtype)
    return b.apply("div", b.apply("hard_tanh", b.apply("add", x, three), low=0.0, high=6.0), six)


def _hard_tanh_vjp(b: Builder, node: Node, g: Value) -> tuple[Value]:
    y = node.out
    low, high, zero = (b.constant(c, y.dtype) for c in (node.attrs.float("low"), node.attrs.float("high"), 0.0))
    inside = b.apply("logical_and", b.apply("gt", y, low), b.apply("lt", y, high))
    return (b.apply("where", inside, g, zero),)


def _check_bounds(attrs: Attrs) -> str:
    low, high = attrs.float("low"), attrs.float("high")
    return "" if low < high else f"`low` must be below `high`, got {low:g} and {high:g}"


def _step_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    dtype = node.out.dtype
    return onnx.cast(onnx.node("GreaterOrEqual", names[0], onnx.constant(0.0, dtype)), dtype)


SIGMOID = OpDef(
    name="sigmoid",
    doc="""The logistic function 1 / (1 + exp(-x)).

    Exact to a few units in the last place in both tails; 0 where exp(-x) overflows. Gradient: g * y * (1 - y).""",
    infer=same_float("sigmoid"),
    rows=OF_ONE,
    vjp=_sigmoid_vjp,
    kernel="sigmoid",
    onnx=single("Sigmoid"),
    inplace=(0,),
    result_range="probability",
)

TANH = OpDef(
    name="tanh",
    doc="""The hyperbolic tangent.

    Gradient: g * (1 - y ** 2).""",
    infer=same_float("tanh"),
    rows=OF_ONE,
    vjp=_tanh_vjp,
    kernel="tanh",
    onnx=single("Tanh"),
    inplace=(0,),
)

RELU = OpDef(
    name="relu",
    doc="""max(x, 0); nan stays nan.

    Gradient: g where x > 0, else 0, so 0 at 0 as in PyTorch; read off the output.""",
    infer=same_float("relu"),
    rows=OF_ONE,
    vjp=_relu_vjp,
    kernel="relu",
    onnx=single("Relu"),
    inplace=(0,),
)

RELU_GRAD = OpDef(
    name="relu_grad",
    doc="""g where y > 0, else 0: the gradient of relu from its output `y`.

    Gradient: to g as itself, none to y.""",
    infer=elementwise("relu_grad"),
    rows=per_element(1, 0),
    operands=("g", "y"),
    vjp=_relu_grad_vjp,
    kernel="relu_grad",
    onnx=_relu_grad_onnx,
    inplace=(1,),
    call=False,
)

LEAKY_RELU = OpDef(
    name="leaky_relu",
    doc="""x where x > 0, else slope * x.

    Gradient: g where x > 0, else slope * g. With slope 0 an infinite x gives nan (0 * inf): that is what `relu` is for.""",
    example="y = leaky_relu(x, slope = 0.1)",
    infer=same_float("leaky_relu"),
    rows=OF_ONE,
    options=(Option("slope", "float", 0.01),),
    normalize=float_options("slope"),
    vjp=_leaky_relu_vjp,
    kernel="leaky_relu",
    onnx=single("LeakyRelu", alpha="slope"),
)

ELU = OpDef(
    name="elu",
    doc="""x where x > 0, else alpha * (exp(x) - 1).

    Gradient: g where x > 0, else g * alpha * exp(x). Source: Clevert, Unterthiner and Hochreiter, 2015.""",
    example="y = elu(x, alpha = 0.5)",
    infer=same_float("elu"),
    rows=OF_ONE,
    options=(Option("alpha", "float", 1.0),),
    normalize=float_options("alpha"),
    vjp=_elu_vjp,
    kernel="elu",
    onnx=single("Elu", alpha="alpha"),
    inplace=(0,),
)

SOFTPLUS = OpDef(
    name="softplus",
    doc="""log(1 + exp(x)), computed as max(x, 0) + log1p(exp(-|x|)), which neither overflows nor loses the small tail.

    Gradient: g * sigmoid(x).""",
    infer=same_float("softplus"),
    rows=OF_ONE,
    vjp=_softplus_vjp,
    kernel="softplus",
    onnx=_softplus_onnx,
    inplace=(0,),
)

GELU = OpDef(
    name="gelu",
    doc="""x times the standard normal distribution function of x: x / 2 * (1 + erf(x / sqrt(2))).

    `approximate = "tanh"`: x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x ** 3))). Source: Hendrycks and Gimpel, 2016.
    The gradient is that of the formula.""",
    example='y = gelu(x, approximate = "tanh")',
    infer=same_float("gelu"),
    options=(Option("approximate", "string", "none", choices=("none", "tanh")),),
    decompose=_gelu,
)

GELU_EXACT = OpDef(
    name="gelu_exact",
    doc="""x * normal_cdf(x): `gelu` without approximation.

    Gradient: g * (normal_cdf(x) + x * normal_pdf(x)).""",
    infer=same_float("gelu_exact"),
    rows=OF_ONE,
    vjp=_gelu_exact_vjp,
    kernel="gelu_exact",
    onnx=_gelu_exact_onnx,
    flops=per_result(5),
    call=False,
)

GELU_GRAD = OpDef(
    name="gelu_grad",
    doc="""g * (cdf + x * normal_pdf(x)): the gradient of `gelu` at x, where the normal distribution function is `cdf`.

    Gradient, of h: h * (cdf + x * normal_pdf(x)) to g, h * g * (1 - x ** 2) * normal_pdf(x) to x, h * g to cdf.""",
    infer=same_float("gelu_grad"),
    rows=per_element(1, 0, 0),
    operands=("g", "x", "cdf"),
    vjp=_gelu_grad_vjp,
    kernel="gelu_grad",
    onnx=_gelu_grad_onnx,
    inplace=(0, 2),
    flops=per_result(7),
    call=False,
)

SILU = OpDef(
    name="silu",
    doc="""x * sigmoid(x), also known as swish.

    The gradient is that of the formula. Source: Elfwing, Uchibe and Doya, 2017.""",
    infer=same_float("silu"),
    decompose=_silu,
)

MISH = OpDef(
    name="mish",
    doc="""x * tanh(softplus(x)): like `silu`, with a somewhat deeper dip below 0.

    The gradient is that of the formula; neither overflows. Source: Misra, 2019.""",
    infer=same_float("mish"),
    decompose=_mish,
)

SELU = OpDef(
    name="selu",
    doc="""1.0507 * elu(x, alpha = 1.6733): layers of it keep mean 0 and variance 1, from `lecun_normal` weights.

    The constants are 1.0507009873554805 and 1.6732632423543772. The gradient is that of the formula. Source: Klambauer,
    Unterthiner, Mayr and Hochreiter, Self-normalizing neural networks, 2017.""",
    infer=same_float("selu"),
    decompose=_selu,
)

SOFTSIGN = OpDef(
    name="softsign",
    doc="""x / (1 + |x|): like tanh, with tails that flatten slowly.

    Gradient: g / (1 + |x|) ** 2, read off the output as g * (1 - |y|) ** 2. nan of infinities. Source: Bergstra, Desjardins,
    Lamblin and Bengio, 2009.""",
    infer=same_float("softsign"),
    rows=OF_ONE,
    vjp=_softsign_vjp,
    kernel="softsign",
    onnx=single("Softsign"),
)

HARD_SIGMOID = OpDef(
    name="hard_sigmoid",
    doc="""clip(x + 3, 0, 6) / 6: straight lines in place of sigmoid.

    Gradient: g / 6 where -3 < x < 3, else 0. As PyTorch's `hardsigmoid` (Keras 2 had the slope 1 / 5). Source: Howard and
    others, Searching for MobileNetV3, 2019.""",
    infer=same_float("hard_sigmoid"),
    decompose=_hard_sigmoid,
    result_range="probability",
)

HARD_TANH = OpDef(
    name="hard_tanh",
    doc="""clip(x, low, high): straight lines in place of tanh.

    Gradient: g between the bounds, else 0, so 0 on them (that of `clip` is g). As PyTorch's `hardtanh`.
    Source: Collobert, 2004.""",
    example="y = hard_tanh(x, low = -2, high = 2)",
    infer=same_float("hard_tanh"),
    rows=OF_ONE,
    options=(Option("low", "float", -1.0), Option("high", "float", 1.0)),
    normalize=float_options("low", "high", check=_check_bounds),
    vjp=_hard_tanh_vjp,
    kernel="clip",
    onnx=clip_onnx,
    inplace=(0,),
)

STEP = OpDef(
    name="step",
    doc="""1 where x >= 0, else 0: the perceptron's threshold; 0 of nan.

    The gradient is zero: none flows.""",
    infer=same_float("step"),
    rows=OF_ONE,
    kernel="step",
    onnx=_step_onnx,
    inplace=(0,),
)

ACTIVATION: tuple[OpDef, ...] = (
    SIGMOID,
    TANH,
    RELU,
    RELU_GRAD,
    LEAKY_RELU,
    ELU,
    SOFTPLUS,
    GELU,
    GELU_EXACT,
    GELU_GRAD,
    SILU,
    MISH,
    SELU,
    SOFTSIGN,
    HARD_SIGMOID,
    HARD_TANH,
    STEP,
)
