"""Convolution in one axis or several, its two adjoints, and transposed convolution, which is one of them.

Images are `[batch, channels, *axes]`, weights `[out channels, channels / groups, *axes]`, as in PyTorch and ONNX. A convolution is
linear in both operands, so the three operators are closed under differentiation.
"""

from __future__ import annotations

from dslc.ops.axes import replaced
from dslc.ops.ir import Attrs, Builder, Node, OnnxEmitter, Value
from dslc.ops.opdef import OpDef, OpError, Option
from dslc.ops.rows import correlating, filtering
from dslc.ops.rules import FLOATS, check_kind, check_same_dtype
from dslc.ops.windows import (
    DILATION,
    OPTION_CODE,
    PAD,
    STRIDE,
    axes_of,
    extents,
    normal_window,
    padding,
    per_axis,
    places,
)
from dslc.ops.windows_onnx import padded, spread
from dslc.tensor_type import Dim, DType, Shape, TensorType, count, divide

_GROUPS = Option("groups", "int", 1)
_OPTIONS = (STRIDE, PAD, DILATION, _GROUPS)
_ADJOINT_OPTIONS = (*_OPTIONS, Option("sizes", "sizes", required=True))
_SHARED = ("stride", "pad", "dilation", "groups")

# ---------------------------------------------------------------------------------------------- types


def _check_operands(name: str, types: tuple[TensorType, ...]) -> None:
    check_kind(name, types, FLOATS)
    check_same_dtype(name, types)


def _window(name: str, x: TensorType, w: TensorType) -> tuple[int, ...]:
    """The sizes of a kernel, which are known: they are a parameter's."""
    axes = axes_of(name, x)
    known = tuple(size for size in w.shape[2:] if isinstance(size, int))
    if w.rank != axes + 2 or len(known) != axes:
        raise OpError(
            f"the weight of `{name}` has one size for each axis of {x} behind the channels, got {w}", operand=1
        )
    return known


def _check_groups(name: str, channels: Dim, attrs: Attrs, what: str) -> int:
    groups = attrs.int("groups")
    if groups < 1 or divide(channels, groups) is None:
        raise OpError(f"{groups} groups do not divide the {channels} {what} of `{name}`", OPTION_CODE)
    return groups


def _normal_conv(types: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
    x, w = types
    return normal_window("conv", x, attrs, _window("conv", x, w))


def _conv_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    _check_operands("conv", types)
    x, w = types
    groups = _check_groups("conv", x.shape[1], attrs, "channels")
    _check_groups("conv", w.shape[0], attrs, "filters")
    if w.shape[1] * groups != x.shape[1]:
        raise OpError(
            f"`conv` meets {x.shape[1]} channels in {x}, and its weight {w} is made for {w.shape[1] * groups}"
        )
    reach = extents(_window("conv", x, w), attrs.ints("dilation"))
    return TensorType(
        x.dtype, (x.shape[0], w.shape[0], *places("conv", x, reach, attrs.ints("stride"), attrs.shape("pad")))
    )


def _input_grad_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    _check_operands("conv_input_grad", types)
    g, w = types
    return TensorType(g.dtype, (g.shape[0], w.shape[1] * attrs.int("groups"), *attrs.shape("sizes")))


def _weight_grad_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    _check_operands("conv_weight_grad", types)
    x, g = types
    channels = divide(x.shape[1], attrs.int("groups"))
    assert channels is not None
    return TensorType(x.dtype, (g.shape[1], channels, *attrs.shape("sizes")))


# ---------------------------------------------------------------------------------------------- gradients


def _conv_vjp(b: Builder, node: Node, g: Value) -> list[Value | None]:
    x, w = node.inputs
    return [_to_input(b, node, g, w, x.shape[2:]), _to_weight(b, node, x, g, w.shape[2:])]


def _input_grad_vjp(b: Builder, node: Node, u: Value) -> list[Value | None]:
    g, w = node.inputs
    return [_convolved(b, node, u, w), _to_weight(b, node, u, g, w.shape[2:])]


def _weight_grad_vjp(b: Builder, node: Node, v: Value) -> list[Value | None]:
    x, g = node.inputs
    return [_to_input(b, node, g, v, x.shape[2:]), _convolved(b, node, x, v)]


def _convolved(b: Builder, node: Node, x: Value, w: Value) -> Value:
    return b.apply("conv", x, w, **{name: node.attrs[name] for name in _SHARED})


def _to_input(b: Builder, node: Node, g: Value, w: Value, sizes: Shape) -> Value:
    return b.apply("conv_input_grad", g, w, sizes=sizes, **{name: node.attrs[name] for name in _SHARED})


def _to_weight(b: Builder, node: Node, x: Value, g: Value, sizes: Shape) -> Value:
    return b.apply("conv_weight_grad", x, g, sizes=sizes, **{name: node.attrs[name] for name in _SHARED})


def _conv_flops(types: tuple[TensorType, ...], out: TensorType) -> Dim:
    return 2 * count(out.shape) * count(types[1].shape[1:])


def _input_grad_flops(types: tuple[TensorType, ...], _: TensorType) -> Dim:
    g, w = types
    return 2 * count(g.shape) * count(w.shape[1:])


def _weight_grad_flops(types: tuple[TensorType, ...], out: TensorType) -> Dim:
    return 2 * count(types[1].shape) * count(out.shape[1:])


# ---------------------------------------------------------------------------------------------- transposed


def _normal_transposed(types: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
    name = "conv_transpose"
    x, w = types
    axes = len(_window(name, x, w))
    stride = per_axis(name, "stride", attrs["stride"], axes)
    dilation = per_axis(name, "dilation", attrs["dilation"], axes)
    pad = attrs["pad"]
    if isinstance(pad, str):
        raise OpError(f"`pad` of `{name}` is a number or a list of them", OPTION_CODE)
    more = attrs["output_pad"]
    extra = tuple(n for n in (more if isinstance(more, tuple) else (more,)) if isinstance(n, int))
    extra = extra * axes if len(extra) == 1 else extra
    limits = [max(pair) for pair in zip(stride, dilation, strict=True)]
    if len(extra) != axes or not all(0 <= e < limit for e, limit in zip(extra, limits, strict=True)):
        raise OpError(
            f"`output_pad` of `{name}` must be at least 0 and less than the stride or the dilation, got {list(extra)}",
            OPTION_CODE,
        )
    resolved = padding(name, pad, x.shape[2:], (1,) * axes, stride)
    return replaced(attrs, stride=stride, dilation=dilation, pad=resolved, output_pad=extra)


def _transposed_sizes(x: TensorType, w: TensorType, attrs: Attrs) -> Shape:
    """The sizes of the image whose convolution has the operand's sizes."""
    window = _window("conv_transpose", x, w)
    stride, pad, extra = attrs.ints("stride"), attrs.shape("pad"), attrs.ints("output_pad")
    reach, axes = extents(window, attrs.ints("dilation")), len(window)
    return tuple(
        (x.shape[2 + axis] - 1) * stride[axis] + reach[axis] + extra[axis] - pad[axis] - pad[axis + axes]
        for axis in range(axes)
    )


def _transposed_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    _check_operands("conv_transpose", types)
    x, w = types
    groups = _check_groups("conv_transpose", x.shape[1], attrs, "channels")
    if w.shape[0] != x.shape[1]:
        raise OpError(
            f"`conv_transpose` meets {x.shape[1]} channels in {x}, and its weight {w} is made for {w.shape[0]}"
        )
    sizes = _transposed_sizes(x, w, attrs)
    if any(isinstance(size, int) and size < 1 for size in sizes):
        raise OpError(f"nothing is left of {x} when `conv_transpose` has taken off its padding", "DL2120", 0)
    return TensorType(x.dtype, (x.shape[0], w.shape[1] * groups, *sizes))


def _transposed(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    x, w = inputs
    sizes = _transposed_sizes(x.type, w.type, attrs)
    return b.apply("conv_input_grad", x, w, sizes=sizes, **{name: attrs[name] for name in _SHARED})


# ---------------------------------------------------------------------------------------------- export


def _conv_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    attrs = node.attrs
    x, pads = padded(onnx, names[0], attrs.shape("pad"), node.out.dtype)
    shared = {"strides": attrs.ints("stride"), "dilations": attrs.ints("dilation"), "group": attrs.int("groups")}
    return onnx.node("Conv", x, *names[1:], pads=pads, **shared)


def _input_grad_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    g, w = node.inputs[:2]
    return spread(onnx, names[0], names[1:], node.attrs, _window(node.op, g.type, w.type), g.type)


def _weight_grad_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    """A convolution of the images with the cotangents as filters: batch and channels change places."""
    x = node.inputs[0]
    attrs, groups, axes = node.attrs, node.attrs.int("groups"), x.type.rank - 2
    image, pads = padded(onnx, names[0], attrs.shape("pad"), x.dtype)
    rest = tuple(range(2, 2 + axes))
    if groups == 1:
        turned = onnx.node("Transpose", image, perm=(1, 0, *rest))
    else:
        per_group = divide(x.shape[1], groups)
        assert per_group is not None
        put = (0,) * (2 * axes) if pads == attrs.shape("pad") else attrs.shape("pad")
        shape = tuple(size + put[axis] + put[axis + axes] for axis, size in enumerate(x.shape[2:]))
        split = onnx.node("Reshape", image, onnx.shape((x.shape[0], groups, per_group, *shape)))
        moved = onnx.node("Transpose", split, perm=(2, 1, 0, *(axis + 1 for axis in rest)))
        turned = onnx.node("Reshape", moved, onnx.shape((per_group, groups * x.shape[0], *shape)))
    filters = onnx.node("Transpose", names[1], perm=(1, 0, *rest))
    # Steps of the window are distances between the taps of the cotangent, and the other way round.
    swapped = {"strides": attrs.ints("dilation"), "dilations": attrs.ints("stride"), "group": groups}
    made = onnx.node("Conv", turned, filters, pads=pads, **swapped)
    starts, along = onnx.constant([0] * axes, DType.I64), onnx.constant(list(rest), DType.I64)
    cut = onnx.node("Slice", made, starts, onnx.shape(attrs.shape("sizes")), along)
    return onnx.node("Transpose", cut, perm=(1, 0, *rest))


CONV = (
    OpDef(
        name="conv",
        doc="""Convolution: y[b, o, p] = sum over channels c and taps t of x[b, c, p * stride + t * dilation] * w[o, c, t].

        x is [batch, channels, *axes] with one to three axes, w is [filters, channels / groups, *kernel]. As in deep learning
        everywhere the kernel is not turned round (it is a cross-correlation). `pad` puts zeros around the image: a number for
        all sides, one for each axis, all begins and then all ends, "valid" (none) or "same" (the result has
        ceil(size / stride) places; of an odd number of zeros one more is behind, as ONNX's SAME_UPPER). `groups` cuts channels
        and filters into groups that do not meet. The result has floor((size + pads - dilation * (kernel - 1) - 1) / stride) + 1
        places on each axis. Floats. Gradients: the two adjoints.""",
        example="""param w: f32[4, 1, 3, 3] = he_normal(layout = "out_in")
y = conv(expand_dims(image, axis = 1), w, pad = "same")""",
        infer=_conv_type,
        rows=filtering,
        operands=("x", "w"),
        options=_OPTIONS,
        normalize=_normal_conv,
        vjp=_conv_vjp,
        kernel="conv",
        onnx=_conv_onnx,
        flops=_conv_flops,
    ),
    OpDef(
        name="conv_input_grad",
        doc="""The adjoint of a convolution in its image: from cotangents g and the weight to an image of the axes `sizes`.""",
        infer=_input_grad_type,
        rows=filtering,
        operands=("g", "w"),
        options=_ADJOINT_OPTIONS,
        vjp=_input_grad_vjp,
        kernel="conv_input_grad",
        onnx=_input_grad_onnx,
        flops=_input_grad_flops,
        call=False,
    ),
    OpDef(
        name="conv_weight_grad",
        doc="""The adjoint of a convolution in its weight: from images and cotangents g to a weight with a kernel of `sizes`.""",
        infer=_weight_grad_type,
        rows=correlating,
        operands=("x", "g"),
        options=_ADJOINT_OPTIONS,
        vjp=_weight_grad_vjp,
        kernel="conv_weight_grad",
        onnx=_weight_grad_onnx,
        flops=_weight_grad_flops,
        call=False,
    ),
    OpDef(
        name="conv_transpose",
        doc="""Transposed convolution: the adjoint of `conv` in its image, used to make images larger.

        x is [batch, channels, *axes], w is [channels, filters / groups, *kernel], as in PyTorch. Every element of x is spread
        over a window: y[b, o, p * stride + t * dilation] += x[b, c, p] * w[c, o, t]; `pad` is taken off the sides, and
        `output_pad` added behind. Sizes are (size - 1) * stride - pads + dilation * (kernel - 1) + output_pad + 1.""",
        example="param w: f32[1, 4, 2, 2] = he_normal()\ny = conv_transpose(expand_dims(image, axis = 1), w, stride = 2)",
        infer=_transposed_type,
        operands=("x", "w"),
        options=(*_OPTIONS, Option("output_pad", "counts", 0)),
        normalize=_normal_transposed,
        decompose=_transposed,
    ),
)
