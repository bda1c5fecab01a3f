"""Normalisation: variances, and values brought to mean 0 and variance 1, with scale and shift.

Variances are worked out in two passes, mean first, so that a large mean costs no digits.
"""

from __future__ import annotations

from dslc.ops.axes import normal_axis, one_axis, ones_at, replaced, several_axes, without
from dslc.ops.cost import per_operand
from dslc.ops.ir import Attr, Attrs, Builder, Node, OnnxEmitter, Value
from dslc.ops.opdef import OpDef, OpError, Option
from dslc.ops.rows import beside, normalised, per_channel, reducing
from dslc.ops.rules import FLOATS, check_kind, check_same_dtype
from dslc.tensor_type import Dim, DType, TensorType, count

_EPS = Option("eps", "float", 1e-5)
_AXES = Option("axes", "axes", alias="axis")
_CHANNELS = Option("axis", "axis", 1)


def _but(rank: int, axis: int) -> tuple[int, ...]:
    return tuple(other for other in range(rank) if other != axis)


def _number(x: TensorType, axes: tuple[int, ...]) -> Dim:
    """How many elements go into one statistic."""
    return count(tuple(x.shape[axis] for axis in axes))


def _with_eps(attrs: Attrs, **items: Attr) -> Attrs:
    eps = attrs.float("eps")
    if not eps >= 0:
        raise OpError(f"`eps` must not be negative, got {eps:g}", "DL2107")
    return replaced(attrs, eps=eps, **items)


# ---------------------------------------------------------------------------------------------- variance


def _normal_variance(types: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
    (x,) = types
    if attrs.int("correction") < 0:
        raise OpError(f"`correction` of `variance` must not be negative, got {attrs.int('correction')}", "DL2107")
    return replaced(attrs, axes=several_axes("variance", x.rank, attrs["axes"], x))


def _variance_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    check_kind("variance", types, FLOATS)
    (x,), axes = types, attrs.ints("axes")
    return TensorType(x.dtype, ones_at(x.shape, axes) if attrs.bool("keepdims") else without(x.shape, axes))


def _variance_vjp(b: Builder, node: Node, g: Value) -> list[Value | None]:
    (x,), axes = node.inputs, node.attrs.ints("axes")
    apart = b.apply("sub", x, b.apply("mean", x, axes=axes, keepdims=True))
    size = _number(x.type, axes) - node.attrs.int("correction")
    share = b.apply("divide_by_size", b.apply("mul", g, b.constant(2.0, g.dtype)), size=size)
    if axes and not node.attrs.bool("keepdims"):
        share = b.apply("expand_dims", share, axis=axes)
    return [b.apply("mul", apart, share)]


def _variance_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    (x,), axes = node.inputs, node.attrs.ints("axes")
    apart = onnx.node("Sub", names[0], _mean_onnx(onnx, names[0], axes, keepdims=True))
    squares = onnx.node("Mul", apart, apart)
    if axes:
        along, keepdims = onnx.constant(axes, DType.I64), int(node.attrs.bool("keepdims"))
        squares = onnx.node("ReduceSum", squares, along, keepdims=keepdims)
    size = onnx.size(_number(x.type, axes) - node.attrs.int("correction"))
    return onnx.node("Div", squares, onnx.cast(size, x.dtype))


def _mean_onnx(onnx: OnnxEmitter, x: str, axes: tuple[int, ...], keepdims: bool) -> str:
    if not axes:
        return onnx.node("Identity", x)
    return onnx.node("ReduceMean", x, onnx.constant(axes, DType.I64), keepdims=int(keepdims))


def _channels(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    check_kind("a mean of channels", types, FLOATS)
    return TensorType(types[0].dtype, (types[0].shape[attrs.int("axis")],))


def _channel_mean(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    (x,) = inputs
    return b.apply("mean", x, axes=_but(x.type.rank, attrs.int("axis")))


def _channel_variance(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    (x,) = inputs
    axes, correction = _but(x.type.rank, attrs.int("axis")), attrs.int("correction")
    plain = b.apply("variance", x, axes=axes)
    if not correction:
        return plain
    # v * n / (n - c) is v + v * c / (n - c): the plain variance is worked out once where both are asked for.
    share = b.apply("mul", plain, b.constant(float(correction), x.dtype))
    return b.apply("add", plain, b.apply("divide_by_size", share, size=_number(x.type, axes) - correction))


def _scale_channels_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    return _beside_channels("scale_channels", types, attrs)


def _beside_channels(name: str, types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    """The type of the first operand; the others have a number for each of its channels."""
    check_kind(name, types, FLOATS)
    check_same_dtype(name, types)
    x = types[0]
    wanted = TensorType(x.dtype, (x.shape[attrs.int("axis")],))
    for position, operand in enumerate(types[1:], start=1):
        if operand != wanted:
            raise OpError(f"`{name}` of {x} needs {wanted} for its channels, got {operand}", operand=position)
    return x


def _scale_channels(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    x, weight, bias = inputs
    axes = _but(x.type.rank, attrs.int("axis"))
    if axes:
        weight, bias = (b.apply("expand_dims", value, axis=axes) for value in (weight, bias))
    return b.apply("add", b.apply("mul", x, weight), bias)


# ---------------------------------------------------------------------------------------------- standardize


def _normal_standardize(types: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
    (x,) = types
    return _with_eps(attrs, axes=several_axes("standardize", x.rank, attrs["axes"], x))


def _standardize_type(types: tuple[TensorType, ...], _: Attrs) -> TensorType:
    check_kind("standardize", types, FLOATS)
    return types[0]


def _standardize_vjp(b: Builder, node: Node, g: Value) -> list[Value | None]:
    (x,) = node.inputs
    return [_from_standard(b, x, node.out, g, node.attrs.ints("axes"), node.attrs.float("eps"))]


def _from_standard(b: Builder, x: Value, y: Value, g: Value, axes: tuple[int, ...], eps: float) -> Value:
    """The cotangent of `x`, given that of y = standardize(x): (g - mean(g) - y * mean(g * y)) / deviation."""
    variance = b.apply("variance", x, axes=axes, keepdims=True)
    deviation = b.apply("sqrt", b.apply("add", variance, b.constant(eps, x.dtype)))
    straight = b.apply("sub", g, b.apply("mean", g, axes=axes, keepdims=True))
    along = b.apply("mean", b.apply("mul", g, y), axes=axes, keepdims=True)
    rest = b.apply("sub", straight, b.apply("mul", y, along))
    return b.apply("mul", rest, b.apply("reciprocal", deviation))


def _standardize_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    (x,), axes, eps = node.inputs, node.attrs.ints("axes"), node.attrs.float("eps")
    rank = x.type.rank
    channels = x.shape[1] if rank > 1 else 0
    if rank > 2 and axes == tuple(range(2, rank)) and x.dtype is DType.F32 and isinstance(channels, int):
        ones, zeros = onnx.constant([1.0] * channels, x.dtype), onnx.constant([0.0] * channels, x.dtype)
        return onnx.node("InstanceNormalization", names[0], ones, zeros, epsilon=eps)
    apart = onnx.node("Sub", names[0], _mean_onnx(onnx, names[0], axes, keepdims=True))
    variance = _mean_onnx(onnx, onnx.node("Mul", apart, apart), axes, keepdims=True)
    deviation = onnx.node("Sqrt", onnx.node("Add", variance, onnx.constant(eps, x.dtype)))
    return onnx.node("Div", apart, deviation)


# ---------------------------------------------------------------------------------------------- layer norm


def _normal_layer_norm(types: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
    x = types[0]
    return _with_eps(attrs, axis=one_axis("layer_norm", x.rank, attrs["axis"], x))


def _layer_norm_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    check_kind("layer_norm", types, FLOATS)
    check_same_dtype("layer_norm", types)
    x = types[0]
    wanted = TensorType(x.dtype, x.shape[attrs.int("axis") :])
    for position, operand in enumerate(types[1:], start=1):
        if operand != wanted:
            raise OpError(f"`layer_norm` of {x} needs a scale and a shift of {wanted}, got {operand}", operand=position)
    return x


def _layer_norm_vjp(b: Builder, node: Node, g: Value) -> list[Value | None]:
    x, weight, _ = node.inputs
    axes, eps = tuple(range(node.attrs.int("axis"), x.type.rank)), node.attrs.float("eps")
    standard = b.apply("standardize", x, axes=axes, eps=eps)
    to_x = _from_standard(b, x, standard, b.apply("mul", g, weight), axes, eps)
    return [to_x, b.apply("mul", g, standard), g]


def _layer_norm_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    return onnx.node("LayerNormalization", *names, axis=node.attrs.int("axis"), epsilon=node.attrs.float("eps"))


# ---------------------------------------------------------------------------------------------- batch norm


def _normal_batch_norm(types: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
    x = types[0]
    return _with_eps(attrs, axis=one_axis("batch_norm", x.rank, attrs["axis"], x))


def _batch_norm_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    return _beside_channels("batch_norm", types, attrs)


def _batch_norm_vjp(b: Builder, node: Node, g: Value) -> list[Value | None]:
    x, weight, _, mean, variance = node.inputs
    axis, rank = node.attrs.int("axis"), x.type.rank
    others = _but(rank, axis)

    def beside(value: Value) -> Value:
        """A value for each channel, along the axis of channels."""
        return b.apply("expand_dims", value, axis=others) if others else value

    noisy = b.apply("add", variance, b.constant(node.attrs.float("eps"), x.dtype))
    inverse = b.apply("reciprocal", b.apply("sqrt", noisy))
    scale = b.apply("mul", weight, inverse)
    of_shift = b.apply("sum", g, axes=others)
    moved = b.apply("sum", b.apply("mul", g, b.apply("sub", x, beside(mean))), axes=others)
    of_weight = b.apply("mul", moved, inverse)
    half = b.apply("mul", b.apply("mul", of_weight, weight), b.constant(-0.5, x.dtype))
    return [
        b.apply("mul", g, beside(scale)),
        of_weight,
        of_shift,
        b.apply("neg", b.apply("mul", of_shift, scale)),
        b.apply("div", half, noisy),
    ]


def _batch_norm_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    axis, rank, eps = node.attrs.int("axis"), node.out.type.rank, node.attrs.float("eps")
    if rank == 1:  # channels alone: a batch of one
        zero = onnx.constant([0], DType.I64)
        made = onnx.node("BatchNormalization", onnx.node("Unsqueeze", names[0], zero), *names[1:], epsilon=eps)
        return onnx.node("Squeeze", made, zero)
    if axis == 1:
        return onnx.node("BatchNormalization", *names, epsilon=eps)
    order = list(range(rank))
    order.insert(1, order.pop(axis))
    turned = onnx.node("Transpose", names[0], perm=order)
    made = onnx.node("BatchNormalization", turned, *names[1:], epsilon=eps)
    return onnx.node("Transpose", made, perm=[order.index(position) for position in range(rank)])


NORM = (
    OpDef(
        name="variance",
        doc="""The variance along some axes: the mean square distance from the mean, worked out in two passes.

        The sum of squares is divided by n - `correction`: 0 gives the variance of the numbers themselves, 1 an unbiased
        estimate. nan of no elements. Gradient: 2 * g * (x - mean) / (n - correction).""",
        infer=_variance_type,
        rows=reducing("axes", 2),
        options=(_AXES, Option("keepdims", "bool", False), Option("correction", "int", 0)),
        normalize=_normal_variance,
        vjp=_variance_vjp,
        kernel="variance",
        onnx=_variance_onnx,
        flops=per_operand(3),
        example="y = variance(x, axis = -1)",
    ),
    OpDef(
        name="channel_mean",
        doc="""The mean of each channel: along all axes but `axis`.""",
        infer=_channels,
        options=(_CHANNELS,),
        normalize=normal_axis("channel_mean"),
        decompose=_channel_mean,
        example="y = channel_mean(x)",
    ),
    OpDef(
        name="channel_variance",
        doc="""The variance of each channel: along all axes but `axis`; `correction` is that of `variance`.""",
        infer=_channels,
        options=(_CHANNELS, Option("correction", "int", 0)),
        normalize=normal_axis("channel_variance"),
        decompose=_channel_variance,
        example="y = channel_variance(x, correction = 1)",
    ),
    OpDef(
        name="scale_channels",
        doc="""x * weight + bias, with one number of each for every channel, which is on `axis`.""",
        infer=_scale_channels_type,
        operands=("x", "weight", "bias"),
        options=(_CHANNELS,),
        normalize=normal_axis("scale_channels"),
        decompose=_scale_channels,
        example="param w: f32[8] = ones()\nparam b: f32[8] = zeros()\ny = scale_channels(x, w, b)",
    ),
    OpDef(
        name="standardize",
        doc="""(x - mean) / sqrt(variance + eps), with mean and variance along some axes: mean 0 and variance 1.

        Where all elements are equal the result is 0. Gradient: (g - mean(g) - y * mean(g * y)) / sqrt(variance + eps).""",
        infer=_standardize_type,
        rows=beside("axes", 0),
        options=(_AXES, _EPS),
        normalize=_normal_standardize,
        vjp=_standardize_vjp,
        kernel="standardize",
        onnx=_standardize_onnx,
        flops=per_operand(5),
        example="y = standardize(x, axis = -1)",
    ),
    OpDef(
        name="layer_norm",
        doc="""standardize(x) * weight + bias over the axes from `axis` to the last, which weight and bias have too.

        Source: Ba, Kiros and Hinton, Layer normalization, 2016.""",
        infer=_layer_norm_type,
        rows=normalised,
        operands=("x", "weight", "bias"),
        options=(Option("axis", "axis", -1), _EPS),
        normalize=_normal_layer_norm,
        vjp=_layer_norm_vjp,
        kernel="layer_norm",
        onnx=_layer_norm_onnx,
        flops=per_operand(7),
        example="param w: f32[8] = ones()\nparam b: f32[8] = zeros()\ny = layer_norm(x, w, b)",
    ),
    OpDef(
        name="batch_norm",
        doc="""(x - mean) / sqrt(variance + eps) * weight + bias, with one number of each for every channel.

        Mean and variance are operands: those of a batch in training, running ones in inference (`BatchNorm` has both).
        Gradients go to all five. Source: Ioffe and Szegedy, Batch normalization, 2015.""",
        infer=_batch_norm_type,
        rows=per_channel,
        operands=("x", "weight", "bias", "mean", "variance"),
        options=(_CHANNELS, _EPS),
        normalize=_normal_batch_norm,
        vjp=_batch_norm_vjp,
        kernel="batch_norm",
        onnx=_batch_norm_onnx,
        inplace=(0,),
        flops=per_operand(3),
        example="""param w: f32[8] = ones()
param b: f32[8] = zeros()
y = batch_norm(x, w, b, channel_mean(x), channel_variance(x))""",
    ),
)
