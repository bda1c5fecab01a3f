"""Pools of whole images, and pools into a given number of windows whatever the image's size.

Images are `[batch, channels, *axes]`.
"""

from __future__ import annotations

from dslc.ops.axes import replaced, without
from dslc.ops.cost import per_operand
from dslc.ops.ir import Attrs, Builder, Value
from dslc.ops.opdef import OpDef, OpError, Option
from dslc.ops.rules import FLOATS, check_kind
from dslc.ops.windows import OPTION_CODE, axes_of, per_axis
from dslc.tensor_type import TensorType


def _spatial(x: TensorType) -> tuple[int, ...]:
    return tuple(range(2, x.rank))


def _global(kind: str, doc: str) -> OpDef:
    name = f"global_{kind}_pool"

    def infer(types: tuple[TensorType, ...], _: Attrs) -> TensorType:
        check_kind(name, types, FLOATS)
        axes_of(name, types[0])
        return TensorType(types[0].dtype, without(types[0].shape, _spatial(types[0])))

    def decompose(b: Builder, inputs: tuple[Value, ...], _: Attrs) -> Value:
        (x,) = inputs
        return b.apply("mean" if kind == "avg" else "max", x, axes=_spatial(x.type))

    return OpDef(
        name=name,
        doc=doc,
        infer=infer,
        decompose=decompose,
        flops=per_operand(),
        example=f"y = {name}(expand_dims(image, axis = 1))",
    )


def _adaptive(kind: str, axes: int) -> OpDef:
    name, pool = f"adaptive_{kind}_pool{axes}d", f"{kind}_pool"

    def normalize(types: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
        (x,) = types
        sizes = per_axis(name, "size", attrs["size"], axes_of(name, x, axes))
        for axis, size in enumerate(sizes, start=2):
            if not isinstance(x.shape[axis], int) and size != 1:
                text = f"`{name}` cuts an axis of known size, and axis {axis} of {x} is {x.shape[axis]}"
                raise OpError(text, OPTION_CODE, 0, help="a size of 1 can be had of any axis")
        return replaced(attrs, size=sizes)

    def infer(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
        check_kind(name, types, FLOATS)
        return TensorType(types[0].dtype, (*types[0].shape[:2], *attrs.ints("size")))

    def decompose(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
        # Windows are products of intervals, so one axis after the other gives the same mean, maximum and first place.
        (x,) = inputs
        for axis in reversed(_spatial(x.type)):
            x = _cut(b, x, pool, axis, attrs.ints("size")[axis - 2])
        return x

    article = "mean" if kind == "avg" else "largest element"
    layout = {1: "[batch, channels, length]", 2: "[batch, channels, height, width]"}[axes]
    return OpDef(
        name=name,
        doc=f"""The {article} of each of `size` windows per axis, which cover {layout} evenly.

        Window i of n reaches from floor(i * size / n) to ceil((i + 1) * size / n), as in PyTorch: windows overlap where n does
        not divide the size. Gradient: that of the pool.""",
        infer=infer,
        options=(Option("size", "counts", required=True),),
        normalize=normalize,
        decompose=decompose,
        flops=per_operand(),
        example=f"y = {name}({'seq' if axes == 1 else 'expand_dims(image, axis = 1)'}, {1 if axes == 1 else 7})",
    )


def _cut(b: Builder, x: Value, pool: str, axis: int, number: int) -> Value:
    """One axis pooled to a number of windows."""
    size, axes = x.shape[axis], x.type.rank - 2
    if not isinstance(size, int):
        return b.apply("mean" if pool == "avg_pool" else "max", x, axes=axis, keepdims=True)
    if size % number == 0:
        return b.apply(pool, x, window=_along(axes, axis, size // number))
    parts: list[Value] = []
    for i in range(number):
        start, stop = i * size // number, -(-(i + 1) * size // number)
        nothing = (None,) * axis
        part = b.apply("slice", x, starts=(*nothing, start), stops=(*nothing, stop), steps=())
        parts.append(b.apply(pool, part, window=_along(axes, axis, stop - start)))
    return parts[0] if number == 1 else b.apply("concat", *parts, axis=axis)


def _along(axes: int, axis: int, width: int) -> tuple[int, ...]:
    """A window over one axis alone."""
    return tuple(width if other == axis else 1 for other in range(2, 2 + axes))


WHOLE = (
    _global(
        "avg",
        """The mean of every channel: f32[B, C, H, W] -> f32[B, C], for any number of axes behind the channels.""",
    ),
    _global(
        "max",
        """The largest element of every channel: f32[B, C, H, W] -> f32[B, C], for any number of axes behind the channels.

        Gradient: shared evenly by the largest ones, as `max`.""",
    ),
    *(_adaptive(kind, axes) for kind in ("avg", "max") for axes in (1, 2)),
)
