"""How operators over windows are written in ONNX where one node does not say it: padding of run-time sizes, adjoints, patches."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from dslc.ops.ir import Attrs, OnnxEmitter
from dslc.ops.windows import extents
from dslc.tensor_type import DType, Shape, TensorType


def padded(onnx: OnnxEmitter, x: str, pad: Shape, dtype: DType, value: float = 0.0) -> tuple[str, tuple[int, ...]]:
    """The image and the padding it still needs: padding that depends on run-time sizes is put on by a node of its own."""
    known = tuple(number for number in pad if isinstance(number, int))
    if len(known) == len(pad):
        return x, known
    return put_on(onnx, x, pad, dtype, value), (0,) * len(pad)


def put_on(onnx: OnnxEmitter, x: str, pad: Shape, dtype: DType, value: float = 0.0) -> str:
    """The image with its padding."""
    axes = len(pad) // 2
    return onnx.node("Pad", x, onnx.shape((0, 0, *pad[:axes], 0, 0, *pad[axes:])), onnx.constant(value, dtype))


def spread(onnx: OnnxEmitter, g: str, w: Sequence[str], attrs: Attrs, window: tuple[int, ...], of: TensorType) -> str:
    """The adjoint of a convolution in its image.

    Args:
        g: the cotangents.
        w: the weight, `[channels of g, channels of the image / groups, *window]`, and behind it the bias if there is one.
        attrs: stride, pad, the sizes of the image, and dilation and groups where they are not 1.
        window: the sizes of the kernel.
        of: the type of `g`.
    """
    stride, pad, sizes, axes = attrs.ints("stride"), attrs.shape("pad"), attrs.shape("sizes"), len(window)
    dilation = attrs.ints("dilation") if "dilation" in attrs else (1,) * axes
    shared = {"strides": stride, "dilations": dilation, "group": attrs.int("groups") if "groups" in attrs else 1}
    reach = extents(window, dilation)
    # What a strided window leaves over at the end: a number even where the sizes are not.
    rest = tuple(
        sizes[axis] + pad[axis] + pad[axis + axes] - reach[axis] - (of.shape[2 + axis] - 1) * stride[axis]
        for axis in range(axes)
    )
    fixed = tuple(r for r in rest if isinstance(r, int))
    pads = tuple(p for p in pad if isinstance(p, int))
    if len(fixed) == axes and len(pads) == len(pad):
        return onnx.node("ConvTranspose", g, *w, pads=pads, output_padding=fixed, **shared)
    whole = onnx.node("ConvTranspose", g, w[0], **shared)
    longer = put_on(onnx, whole, (*(0,) * axes, *rest), of.dtype)
    stops = tuple(begin + size for begin, size in zip(pad[:axes], sizes, strict=True))
    along = onnx.constant(range(2, 2 + axes), DType.I64)
    cut = onnx.node("Slice", longer, onnx.shape(pad[:axes]), onnx.shape(stops), along)
    biases = [onnx.node("Unsqueeze", bias, onnx.constant(range(1, 1 + axes), DType.I64)) for bias in w[1:]]
    return onnx.node("Add", cut, *biases) if biases else cut


def taps_weight(onnx: OnnxEmitter, window: tuple[int, ...], dtype: DType) -> str:
    """The weight of a convolution that has one channel for each tap of a window, and reads that tap."""
    number = prod(window)
    ones = [1.0 if row == column else 0.0 for row in range(number) for column in range(number)]
    return onnx.node("Reshape", onnx.constant(ones, dtype), onnx.shape((number, 1, *window)))


def alone(onnx: OnnxEmitter, x: str, of: TensorType) -> str:
    """Every channel as an image of its own: `[batch * channels, 1, *axes]`."""
    return onnx.node("Reshape", x, onnx.shape((of.shape[0] * of.shape[1], 1, *of.shape[2:])))
