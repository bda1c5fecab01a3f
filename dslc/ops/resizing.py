"""Images made larger: padding in several modes, and upsampling. Both are made of slices and joins, for any sizes.

Images are `[batch, channels, *axes]`; it is the axes behind the channels that grow.
"""

from __future__ import annotations

from collections.abc import Sequence

from dslc.ops.axes import replaced, with_axis
from dslc.ops.cost import per_result
from dslc.ops.ir import Attrs, Builder, Value
from dslc.ops.opdef import OpDef, OpError, Option
from dslc.ops.rules import FLOATS, check_kind
from dslc.ops.windows import FIT_CODE, OPTION_CODE, axes_of, padding, per_axis
from dslc.tensor_type import Dim, Shape, TensorType

# ---------------------------------------------------------------------------------------------- padding


def _normal_pad(types: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
    (x,) = types
    axes = axes_of("pad", x)
    if isinstance(attrs["amount"], str):
        raise OpError("`amount` of `pad` is a number or a list of them", OPTION_CODE)
    amount = padding("pad", attrs["amount"], x.shape[2:], (1,) * axes, (1,) * axes)
    if not all(isinstance(number, int) for number in amount):
        raise OpError("`amount` of `pad` is known before anything runs", OPTION_CODE)
    return replaced(attrs, amount=amount, value=attrs.float("value"))


def _pad_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    check_kind("pad", types, FLOATS)
    (x,), amount, mode = types, attrs.ints("amount"), attrs.str("mode")
    axes = x.rank - 2
    for axis, size in enumerate(x.shape[2:]):
        most = max(amount[axis], amount[axis + axes])
        limit = {"reflect": size - 1, "circular": size}.get(mode)
        if isinstance(limit, int) and most > limit:
            raise OpError(f'"{mode}" padding of axis {axis + 2} of {x} is at most {limit}, got {most}', FIT_CODE, 0)
    sizes = tuple(size + amount[axis] + amount[axis + axes] for axis, size in enumerate(x.shape[2:]))
    return TensorType(x.dtype, (*x.shape[:2], *sizes))


def _pad(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    (x,), amount, mode = inputs, attrs.ints("amount"), attrs.str("mode")
    axes = x.type.rank - 2
    for axis in range(axes):
        begin, end = amount[axis], amount[axis + axes]
        size = x.shape[axis + 2]
        if mode == "constant":
            fill = (_filled(b, x, axis + 2, number, attrs.float("value")) for number in (begin, end))
            front, back = ([part] if part else [] for part in fill)
        elif mode == "replicate":
            front, back = [_part(b, x, axis + 2, 0)] * begin, [_part(b, x, axis + 2, size - 1)] * end
        elif mode == "reflect":
            front = [_part(b, x, axis + 2, at) for at in range(begin, 0, -1)]
            back = [_part(b, x, axis + 2, size - 1 - at) for at in range(1, end + 1)]
        else:
            front = [_part(b, x, axis + 2, size - begin, begin)] if begin else []
            back = [_part(b, x, axis + 2, 0, end)] if end else []
        x = _joined(b, [*front, x, *back], axis + 2)
    return x


def _filled(b: Builder, x: Value, axis: int, number: int, value: float) -> Value | None:
    return b.apply("full", sizes=with_axis(x.shape, axis, number), value=value, dtype=x.dtype) if number else None


def _part(b: Builder, x: Value, axis: int, start: Dim, length: int = 1) -> Value:
    """Some elements of one axis."""
    nothing = (None,) * axis
    return b.apply("slice", x, starts=(*nothing, start), stops=(*nothing, start + length), steps=())


def _joined(b: Builder, parts: Sequence[Value], axis: int) -> Value:
    return parts[0] if len(parts) == 1 else b.apply("concat", *parts, axis=axis)


# ---------------------------------------------------------------------------------------------- upsampling


def _normal_upsample(types: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
    (x,) = types
    return replaced(attrs, scale=per_axis("upsample", "scale", attrs["scale"], axes_of("upsample", x)))


def _upsample_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    check_kind("upsample", types, FLOATS)
    (x,) = types
    sizes = tuple(size * times for size, times in zip(x.shape[2:], attrs.ints("scale"), strict=True))
    return TensorType(x.dtype, (*x.shape[:2], *sizes))


def _upsample(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    (x,) = inputs
    for axis, times in enumerate(attrs.ints("scale"), start=2):
        if times > 1:
            x = _repeated(b, x, axis, times) if attrs.str("mode") == "nearest" else _between(b, x, axis, times)
    return x


def _repeated(b: Builder, x: Value, axis: int, times: int) -> Value:
    """Every element of an axis several times."""
    apart = b.apply("expand_dims", x, axis=axis + 1)
    wide = b.apply("expand", apart, sizes=(*x.shape[: axis + 1], times, *x.shape[axis + 1 :]))
    return b.apply("reshape", wide, sizes=_longer(x.shape, axis, times))


def _between(b: Builder, x: Value, axis: int, times: int) -> Value:
    """Elements of an axis mixed with their neighbours by distance; at the ends with themselves."""
    size = x.shape[axis]
    edges = [_part(b, x, axis, 0), x, _part(b, x, axis, size - 1)]
    wide = _joined(b, edges, axis)
    nothing = (None,) * axis
    before = b.apply("slice", wide, starts=(*nothing, 0), stops=(*nothing, size), steps=())
    after = b.apply("slice", wide, starts=(*nothing, 2), stops=(*nothing, size + 2), steps=())
    phases: list[Value] = []
    for phase in range(times):
        # The centre of the new element, counted from the centre of the old one.
        distance = (phase + 0.5) / times - 0.5
        other = before if distance < 0 else after
        near = b.apply("mul", x, b.constant(1 - abs(distance), x.dtype))
        phases.append(b.apply("add", near, b.apply("mul", other, b.constant(abs(distance), x.dtype))))
    return b.apply("reshape", b.apply("stack", *phases, axis=axis + 1), sizes=_longer(x.shape, axis, times))


def _longer(shape: Shape, axis: int, times: int) -> Shape:
    return with_axis(shape, axis, shape[axis] * times)


RESIZING = (
    OpDef(
        name="pad",
        doc="""Images with more elements around: `amount` on all sides, for each axis, or all begins and then all ends.

        What is put there: `value` ("constant"), the nearest element ("replicate"), the image mirrored at its edge, which is not
        repeated ("reflect", as in PyTorch), or the image again from its other end ("circular"). The axes behind batch and
        channels grow. Gradient: to the elements that were copied.""",
        infer=_pad_type,
        options=(
            Option("amount", "padding", required=True),
            Option("mode", "string", "constant", choices=("constant", "reflect", "replicate", "circular")),
            Option("value", "float", 0.0),
        ),
        normalize=_normal_pad,
        decompose=_pad,
        example='y = pad(expand_dims(image, axis = 1), 2, mode = "reflect")',
    ),
    OpDef(
        name="upsample",
        doc="""Images made larger by whole numbers: `scale` for all axes behind the channels, or for each.

        "nearest" repeats elements; "linear" mixes neighbours by the distance of their centres (bilinear for images; PyTorch's
        `align_corners = False`). The gradient is that of the formula.""",
        infer=_upsample_type,
        options=(
            Option("scale", "counts", required=True),
            Option("mode", "string", "nearest", choices=("nearest", "linear")),
        ),
        normalize=_normal_upsample,
        decompose=_upsample,
        flops=per_result(3),
        example='y = upsample(expand_dims(image, axis = 1), 2, mode = "linear")',
    ),
)
