"""Pools: the largest or the mean element of every window of an image, and their adjoints.

Images are `[batch, channels, *axes]`. The operators work in any number of axes; programs call them by names that say how many
there are. The gradient of a maximum goes to its first place, as in PyTorch; which that is, is an operator of its own, so that the
gradient of the gradient is made of the same parts.
"""

from __future__ import annotations

from math import inf, prod

from dslc.ops.axes import replaced
from dslc.ops.cost import free, per_operand, per_result
from dslc.ops.ir import Attr, Attrs, Builder, Node, OnnxEmitter, Value
from dslc.ops.opdef import InferRule, NormalizeRule, OpDef, OpError, Option
from dslc.ops.rows import leading
from dslc.ops.rules import FLOATS, check_kind
from dslc.ops.windows import OPTION_CODE, PAD, axes_of, normal_window, per_axis, places
from dslc.ops.windows_onnx import alone, padded, put_on, spread, taps_weight
from dslc.tensor_type import DType, TensorType

_OPTIONS = (Option("window", "counts", required=True), Option("stride", "counts"), PAD)
_ADJOINT_OPTIONS = (*_OPTIONS, Option("sizes", "sizes", required=True))
_COUNT_PAD = Option("count_pad", "bool", True)
_SHARED = ("window", "stride", "pad")
_LOWEST = {DType.F16: -6.0e4, DType.F32: -3.0e38, DType.F64: -1.0e308}


def _shared(node: Node) -> dict[str, Attr]:
    return {name: node.attrs[name] for name in _SHARED}


# ---------------------------------------------------------------------------------------------- types


def _normal_pool(name: str, axes: int | None = None) -> NormalizeRule:
    """Options in canonical form; the stride is the window where none is given."""

    def normalize(types: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
        x = types[0]
        window = per_axis(name, "window", attrs["window"], axes_of(name, x, axes))
        stride = attrs["stride"]
        found = normal_window(
            name, x, replaced(attrs, window=window, stride=window if stride is None else stride), window
        )
        for amount, width in zip(found.shape("pad"), (*window, *window), strict=True):
            if isinstance(amount, int) and amount >= width:
                text = f"`pad` of `{name}` must be less than its window, got {amount} and {width}: a window would hold nothing"
                raise OpError(text, OPTION_CODE)
        return found

    return normalize


def _pool_type(name: str, dtype: DType | None = None) -> InferRule:
    def infer(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
        check_kind(name, types[:1], FLOATS)
        x = types[0]
        sizes = places(name, x, attrs.ints("window"), attrs.ints("stride"), attrs.shape("pad"))
        return TensorType(dtype or x.dtype, (*x.shape[:2], *sizes))

    return infer


def _image_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    return TensorType(types[0].dtype, (*types[0].shape[:2], *attrs.shape("sizes")))


# ---------------------------------------------------------------------------------------------- gradients


def _max_pool_vjp(b: Builder, node: Node, g: Value) -> list[Value | None]:
    (x,) = node.inputs
    first = b.apply("max_pool_tap", x, **_shared(node))
    return [b.apply("put_tap", g, first, sizes=x.shape[2:], **_shared(node))]


def _take_tap_vjp(b: Builder, node: Node, g: Value) -> list[Value | None]:
    x, tap = node.inputs
    return [b.apply("put_tap", g, tap, sizes=x.shape[2:], **_shared(node)), None]


def _put_tap_vjp(b: Builder, node: Node, g: Value) -> list[Value | None]:
    return [b.apply("take_tap", g, node.inputs[1], **_shared(node)), None]


def _avg_pool_vjp(b: Builder, node: Node, g: Value) -> list[Value | None]:
    (x,) = node.inputs
    if node.attrs.bool("count_pad"):
        share = b.apply("mul", g, b.constant(1 / prod(node.attrs.ints("window")), g.dtype))
    else:
        ones = b.apply("full", sizes=(1, 1, *x.shape[2:]), value=1.0, dtype=g.dtype)
        share = b.apply("div", g, _window_sum(b, ones, _shared(node)))
    return [b.apply("spread", share, sizes=x.shape[2:], **_shared(node))]


def _spread_vjp(b: Builder, node: Node, u: Value) -> list[Value | None]:
    return [_window_sum(b, u, _shared(node))]


def _window_sum(b: Builder, x: Value, shared: dict[str, Attr]) -> Value:
    mean = b.apply("avg_pool", x, **shared)
    window = shared["window"]
    assert isinstance(window, tuple)
    return b.apply("mul", mean, b.constant(float(prod(size for size in window if isinstance(size, int))), x.dtype))


# ---------------------------------------------------------------------------------------------- export


def _max_pool_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    window, stride = node.attrs.ints("window"), node.attrs.ints("stride")
    x, pads = padded(onnx, names[0], node.attrs.shape("pad"), node.out.dtype, -inf)
    return onnx.node("MaxPool", x, kernel_shape=window, strides=stride, pads=pads)


def _avg_pool_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    attrs, dtype = node.attrs, node.out.dtype
    # ONNX Runtime has it for f32.
    image = names[0] if dtype is DType.F32 else onnx.cast(names[0], DType.F32)
    x, pads = padded(onnx, image, attrs.shape("pad"), DType.F32)
    made = onnx.node(
        "AveragePool",
        x,
        kernel_shape=attrs.ints("window"),
        strides=attrs.ints("stride"),
        pads=pads,
        count_include_pad=int(attrs.bool("count_pad")),
    )
    return made if dtype is DType.F32 else onnx.cast(made, dtype)


def _patches(onnx: OnnxEmitter, node: Node, name: str, value: float = 0.0) -> str:
    """Every window's taps as channels: `[batch * channels, taps, *places]`."""
    x, attrs = node.inputs[0], node.attrs
    image = put_on(onnx, alone(onnx, name, x.type), attrs.shape("pad"), x.dtype, value)
    weight = taps_weight(onnx, attrs.ints("window"), x.dtype)
    return onnx.node("Conv", image, weight, strides=attrs.ints("stride"))


def _chosen(onnx: OnnxEmitter, tap: str, of: TensorType, window: tuple[int, ...]) -> str:
    """Where a window's tap is the one chosen: bools, `[batch * channels, taps, *places]`."""
    numbers = onnx.constant(range(prod(window)), DType.I32)
    as_channels = onnx.node("Reshape", numbers, onnx.shape((prod(window), *(1,) * len(window))))
    return onnx.node("Equal", alone(onnx, tap, of), as_channels)


def _max_pool_tap_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    patches = _patches(onnx, node, names[0], _LOWEST[node.inputs[0].dtype])
    first = onnx.cast(onnx.node("ArgMax", patches, axis=1, keepdims=0), DType.I32)
    return onnx.node("Reshape", first, onnx.shape(node.out.shape))


def _take_tap_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    tap, zero = node.inputs[1], onnx.constant(0.0, node.out.dtype)
    chosen = _chosen(onnx, names[1], tap.type, node.attrs.ints("window"))
    kept = onnx.node("Where", chosen, _patches(onnx, node, names[0]), zero)
    summed = onnx.node("ReduceSum", kept, onnx.constant([1], DType.I64), keepdims=0)
    return onnx.node("Reshape", summed, onnx.shape(node.out.shape))


def _put_tap_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    g, tap = node.inputs
    window = node.attrs.ints("window")
    chosen = _chosen(onnx, names[1], tap.type, window)
    each = onnx.node("Where", chosen, alone(onnx, names[0], g.type), onnx.constant(0.0, g.dtype))
    made = spread(onnx, each, [taps_weight(onnx, window, g.dtype)], node.attrs, window, g.type)
    return onnx.node("Reshape", made, onnx.shape(node.out.shape))


def _spread_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    (g,), window = node.inputs, node.attrs.ints("window")
    ones = onnx.node("Reshape", onnx.constant([1.0] * prod(window), g.dtype), onnx.shape((1, 1, *window)))
    made = spread(onnx, alone(onnx, names[0], g.type), [ones], node.attrs, window, g.type)
    return onnx.node("Reshape", made, onnx.shape(node.out.shape))


# ---------------------------------------------------------------------------------------------- what programs call


def _named(kind: str, axes: int, more: tuple[Option, ...], doc: str) -> OpDef:
    """The pool of a kind by the name that says how many axes it moves along."""
    name = f"{kind}{axes}d"

    def decompose(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
        return b.apply(kind, *inputs, **attrs)

    return OpDef(
        name=name,
        doc=doc,
        example=_EXAMPLES[axes].format(name),
        infer=_pool_type(name),
        options=(*_OPTIONS, *more),
        normalize=_normal_pool(name, axes),
        decompose=decompose,
    )


_EXAMPLES = {
    1: "y = {}(transpose(seq, [0, 2, 1]), 1)",
    2: "y = {}(expand_dims(image, axis = 1), 2)",
    3: "y = {}(reshape(image, [B, 1, 7, 8, 14]), [1, 2, 2])",
}
_AXES = {
    1: "[batch, channels, length]",
    2: "[batch, channels, height, width]",
    3: "[batch, channels, depth, height, width]",
}


def _max_doc(axes: int) -> str:
    return f"""The largest element of every window of {_AXES[axes]}.

    Windows may overlap; the stride is the window unless it is given, and what is left over at the end is not read. `pad` puts -inf
    around: a number, one for each axis, all begins and then all ends, "same" or "valid". nan wins. Gradient: to the first of the
    largest elements of each window, row by row, as in PyTorch."""


def _avg_doc(axes: int) -> str:
    return f"""The mean of every window of {_AXES[axes]}.

    Windows may overlap; the stride is the window unless it is given. `pad` puts zeros around, which count as elements, as in
    PyTorch, unless `count_pad = false`. Gradient: g shared evenly by the elements of its window."""


NAMED = (
    *(_named("max_pool", axes, (), _max_doc(axes)) for axes in (1, 2, 3)),
    *(_named("avg_pool", axes, (_COUNT_PAD,), _avg_doc(axes)) for axes in (1, 2, 3)),
)

_TAP = """Which tap of a window that is, counted row by row, is an i32."""

POOLING = (
    *NAMED,
    OpDef(
        name="max_pool",
        doc="""The largest element of every window; `max_pool2d` and its like are its names.""",
        infer=_pool_type("max_pool"),
        rows=leading(0, kept=2),
        options=_OPTIONS,
        normalize=_normal_pool("max_pool"),
        vjp=_max_pool_vjp,
        kernel="max_pool",
        onnx=_max_pool_onnx,
        flops=per_operand(),
        call=False,
    ),
    OpDef(
        name="max_pool_tap",
        doc=f"""Where in its window the first of the largest elements is. {_TAP} Not of nan. No gradient.""",
        infer=_pool_type("max_pool_tap", DType.I32),
        rows=leading(0, kept=2),
        options=_OPTIONS,
        normalize=_normal_pool("max_pool_tap"),
        kernel="max_pool_tap",
        onnx=_max_pool_tap_onnx,
        flops=per_operand(),
        call=False,
    ),
    OpDef(
        name="take_tap",
        doc=f"""One element of every window: the tap given. {_TAP} Gradient: `put_tap`.""",
        infer=_pool_type("take_tap"),
        rows=leading(1, 0, kept=2),
        operands=("x", "tap"),
        options=_OPTIONS,
        normalize=_normal_pool("take_tap"),
        vjp=_take_tap_vjp,
        kernel="take_tap",
        onnx=_take_tap_onnx,
        flops=free,
        call=False,
    ),
    OpDef(
        name="put_tap",
        doc=f"""An image of the axes `sizes` to which every window adds a number at the tap given. {_TAP} Gradient: `take_tap`.""",
        infer=_image_type,
        rows=leading(1, 0, kept=2),
        operands=("g", "tap"),
        options=_ADJOINT_OPTIONS,
        vjp=_put_tap_vjp,
        kernel="put_tap",
        onnx=_put_tap_onnx,
        flops=per_operand(),
        call=False,
    ),
    OpDef(
        name="avg_pool",
        doc="""The mean of every window; `avg_pool2d` and its like are its names.""",
        infer=_pool_type("avg_pool"),
        rows=leading(1, kept=2),
        options=(*_OPTIONS, _COUNT_PAD),
        normalize=_normal_pool("avg_pool"),
        vjp=_avg_pool_vjp,
        kernel="avg_pool",
        onnx=_avg_pool_onnx,
        flops=per_operand(),
        call=False,
    ),
    OpDef(
        name="spread",
        doc="""An image of the axes `sizes` to which every window adds a number at all its taps. Gradient: the sums of windows.""",
        infer=_image_type,
        rows=leading(1, kept=2),
        options=_ADJOINT_OPTIONS,
        vjp=_spread_vjp,
        kernel="spread",
        onnx=_spread_onnx,
        flops=per_result(),
        call=False,
    ),
)
