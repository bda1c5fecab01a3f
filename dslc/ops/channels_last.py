"""Operators over windows for images with channels on the last axis, `[batch, *axes, channels]`, as the NumPy engine runs them.

A pass puts them in the place of those of `conv` and `pooling` once gradients have been taken; no program calls them, and no
export sees them. Each is defined by what it decomposes into: the operator it stands for between transposes.

A convolution can also give its places *apart*: where windows of `apart = (2, 2)` will be pooled, all places that are the
first of their window come first, then all that are the second, and so on: `[taps, batch, *windows, channels]`. The pool is
then a maximum over the first axis, of numbers that lie side by side; places that are in no window are not worked out.
"""

from __future__ import annotations

from math import prod

from dslc.ops.conv import CONV
from dslc.ops.cost import per_operand
from dslc.ops.ir import Attrs, Builder, Value
from dslc.ops.opdef import DecomposeRule, InferRule, OpDef, OpError, Option
from dslc.ops.pooling import POOLING
from dslc.ops.windows import extents, per_axis, places
from dslc.tensor_type import Dim, Shape, TensorType, count, floor_div

_APART = Option("apart", "counts", 1)

# ---------------------------------------------------------------------------------------------- channels first and last


def _first_type(x: TensorType) -> TensorType:
    return TensorType(x.dtype, (x.shape[0], x.shape[-1], *x.shape[1:-1]))


def _last_type(x: TensorType) -> TensorType:
    return TensorType(x.dtype, (x.shape[0], *x.shape[2:], x.shape[1]))


def to_first(b: Builder, x: Value) -> Value:
    """`[batch, *axes, channels]` -> `[batch, channels, *axes]`: a view."""
    return b.apply("transpose", x, axes=(0, x.type.rank - 1, *range(1, x.type.rank - 1)))


def to_last(b: Builder, x: Value) -> Value:
    """`[batch, channels, *axes]` -> `[batch, *axes, channels]`: a view."""
    return b.apply("transpose", x, axes=(0, *range(2, x.type.rank), 1))


# ---------------------------------------------------------------------------------------------- places apart


def _is_apart(apart: tuple[int, ...]) -> bool:
    return any(size > 1 for size in apart)


def _apart_type(y: TensorType, apart: tuple[int, ...]) -> TensorType:
    """The type of what has channels first, its places apart."""
    if not _is_apart(apart):
        return _last_type(y)
    windows = tuple(floor_div(size, width) for size, width in zip(y.shape[2:], apart, strict=True))
    return TensorType(y.dtype, (prod(apart), y.shape[0], *windows, y.shape[1]))


def _together_type(y: TensorType, apart: tuple[int, ...]) -> TensorType:
    """The type of what has its places apart, with channels first, and the places that are in a window."""
    if not _is_apart(apart):
        return _first_type(y)
    sizes = tuple(size * width for size, width in zip(y.shape[2:-1], apart, strict=True))
    return TensorType(y.dtype, (y.shape[1], y.shape[-1], *sizes))


def _taken_apart(b: Builder, y: Value, apart: tuple[int, ...]) -> Value:
    if not _is_apart(apart):
        return to_last(b, y)
    batch, channels, *sizes = y.shape
    axes = len(sizes)
    made = _apart_type(y.type, apart)
    windows = made.shape[2:-1]
    stops = tuple(number * width for number, width in zip(windows, apart, strict=True))
    inside = b.apply("slice", y, starts=(0,) * (axes + 2), stops=(batch, channels, *stops), steps=(1,) * (axes + 2))
    pairs = tuple(size for pair in zip(windows, apart, strict=True) for size in pair)
    split = b.apply("reshape", inside, sizes=(batch, channels, *pairs))
    order = (*(3 + 2 * axis for axis in range(axes)), 0, *(2 + 2 * axis for axis in range(axes)), 1)
    return b.apply("reshape", b.apply("transpose", split, axes=order), sizes=made.shape)


def _put_together(b: Builder, y: Value, apart: tuple[int, ...], sizes: Shape) -> Value:
    """Channels first, zeros where there is no window, up to `sizes`."""
    if not _is_apart(apart):
        return to_first(b, y)
    axes, (_, batch, *windows, channels) = len(apart), y.shape
    split = b.apply("reshape", y, sizes=(*apart, batch, *windows, channels))
    order = (axes, 2 * axes + 1, *(at for axis in range(axes) for at in (axes + 1 + axis, axis)))
    made = _together_type(y.type, apart)
    whole = b.apply("reshape", b.apply("transpose", split, axes=order), sizes=made.shape)
    starts, steps = (0,) * (axes + 2), (1,) * (axes + 2)
    return b.apply("pad_slice", whole, sizes=(batch, channels, *sizes), starts=starts, steps=steps)


# ---------------------------------------------------------------------------------------------- convolutions

_CONV = {opdef.name: opdef for opdef in CONV}


def _options(name: str) -> tuple[Option, ...]:
    """Those of the operator one stands for, but for groups: all channels meet all filters."""
    return (*(option for option in _CONV[name].options if option.name != "groups"), _APART)


def _of_base(attrs: Attrs) -> Attrs:
    """The options of the operator this one stands for."""
    return Attrs({name: value for name, value in attrs.items() if name != "apart"} | {"groups": 1})


def _normal_conv(types: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
    base = _CONV["conv"].normalize
    assert base is not None
    given = base((_first_type(types[0]), types[1]), _of_base(attrs))
    apart = per_axis("conv_last", "apart", attrs["apart"], types[0].rank - 2)
    return Attrs({**{name: given[name] for name in given if name != "groups"}, "apart": apart})


def _conv_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    x, w = types
    return _apart_type(_CONV["conv"].infer((_first_type(x), w), _of_base(attrs)), attrs.ints("apart"))


def _input_grad_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    g, w = types
    return _last_type(_CONV["conv_input_grad"].infer((_together_type(g, attrs.ints("apart")), w), _of_base(attrs)))


def _weight_grad_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    x, g = types
    together = _together_type(g, attrs.ints("apart"))
    return _CONV["conv_weight_grad"].infer((_first_type(x), together), _of_base(attrs))


def _natural(image: TensorType, window: Shape, attrs: Attrs) -> Shape:
    """All places of a convolution of an image with channels first."""
    known = tuple(size for size in window if isinstance(size, int))
    return places("conv", image, extents(known, attrs.ints("dilation")), attrs.ints("stride"), attrs.shape("pad"))


def _conv(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    x, w = inputs
    return _taken_apart(b, b.apply("conv", to_first(b, x), w, **_of_base(attrs)), attrs.ints("apart"))


def _input_grad(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    (g, w), sizes = inputs, attrs.shape("sizes")
    natural = _natural(TensorType(g.dtype, (1, w.shape[1], *sizes)), w.shape[2:], attrs)
    together = _put_together(b, g, attrs.ints("apart"), natural)
    return to_last(b, b.apply("conv_input_grad", together, w, **_of_base(attrs)))


def _weight_grad(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    x, g = inputs
    image = to_first(b, x)
    natural = _natural(image.type, attrs.shape("sizes"), attrs)
    together = _put_together(b, g, attrs.ints("apart"), natural)
    return b.apply("conv_weight_grad", image, together, **_of_base(attrs))


def _input_grad_flops(types: tuple[TensorType, ...], _: TensorType) -> Dim:
    g, w = types
    return 2 * count(g.shape) * count(w.shape[1:])


def _weight_grad_flops(types: tuple[TensorType, ...], out: TensorType) -> Dim:
    return 2 * count(types[1].shape) * count(out.shape[1:])


def _conv_flops(types: tuple[TensorType, ...], out: TensorType) -> Dim:
    return 2 * count(out.shape) * count(types[1].shape[1:])


_CONVOLUTIONS = (
    OpDef(
        name="conv_last",
        doc="""`conv` with channels last: x is [batch, *axes, channels], w as it is there, places `apart`.""",
        infer=_conv_type,
        operands=("x", "w"),
        options=_options("conv"),
        normalize=_normal_conv,
        decompose=_conv,
        kernel="conv_last",
        flops=_conv_flops,
        call=False,
    ),
    OpDef(
        name="conv_input_grad_last",
        doc="""`conv_input_grad` with channels last, of a cotangent whose places are `apart`.""",
        infer=_input_grad_type,
        operands=("g", "w"),
        options=_options("conv_input_grad"),
        decompose=_input_grad,
        kernel="conv_input_grad_last",
        flops=_input_grad_flops,
        call=False,
    ),
    OpDef(
        name="conv_weight_grad_last",
        doc="""`conv_weight_grad` with channels last, of a cotangent whose places are `apart`.""",
        infer=_weight_grad_type,
        operands=("x", "g"),
        options=_options("conv_weight_grad"),
        decompose=_weight_grad,
        kernel="conv_weight_grad_last",
        flops=_weight_grad_flops,
        call=False,
    ),
)

# ---------------------------------------------------------------------------------------------- pools


def _infer_last(base: OpDef) -> InferRule:
    return lambda types, attrs: _last_type(base.infer(tuple(map(_first_type, types)), attrs))


def _decompose_last(base: OpDef) -> DecomposeRule:
    def decompose(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
        return to_last(b, b.apply(base.name, *(to_first(b, value) for value in inputs), **attrs))

    return decompose


def _pool_last(base: OpDef) -> OpDef:
    """A pool, or its adjoint, with channels last in all its operands."""
    first = base.normalize
    name = f"{base.name}_last"
    return OpDef(
        name=name,
        doc=f"""`{base.name}` with channels last.""",
        infer=_infer_last(base),
        operands=base.operands,
        options=base.options,
        normalize=None if first is None else lambda types, attrs: first(tuple(map(_first_type, types)), attrs),
        decompose=_decompose_last(base),
        kernel=name,
        flops=base.flops,
        call=False,
    )


_POOLS = tuple(_pool_last(base) for base in POOLING if base.kernel is not None)

# ---------------------------------------------------------------------------------------------- the largest of places apart


def _put_largest_type(types: tuple[TensorType, ...], _: Attrs) -> TensorType:
    g, y, x = types
    if not g == y == TensorType(x.dtype, x.shape[1:]):
        raise OpError(f"`put_largest` into {x} needs its maximum along axis 0, and as much to put, got {y} and {g}")
    return x


def _put_largest(b: Builder, inputs: tuple[Value, ...], _: Attrs) -> Value:
    g, x = inputs[0], inputs[2]
    taps, number = x.shape[0], count(x.shape[1:])
    assert isinstance(taps, int)
    shared = {"window": (taps,), "stride": (taps,), "pad": (0, 0)}
    rows = b.apply("transpose", b.apply("reshape", x, sizes=(taps, number)), axes=(1, 0))
    tap = b.apply("max_pool_tap", b.apply("reshape", rows, sizes=(number, 1, taps)), **shared)
    put = b.apply("put_tap", b.apply("reshape", g, sizes=(number, 1, 1)), tap, sizes=(taps,), **shared)
    turned = b.apply("transpose", b.apply("reshape", put, sizes=(number, taps)), axes=(1, 0))
    return b.apply("reshape", turned, sizes=x.shape)


_LARGEST = OpDef(
    name="put_largest",
    doc="""The gradient of y = max(x, axes = [0]): g at the first of the largest elements of x along axis 0. Not of nan.""",
    infer=_put_largest_type,
    operands=("g", "y", "x"),
    decompose=_put_largest,
    kernel="put_largest",
    flops=per_operand(),
    call=False,
)

CHANNELS_LAST = (*_CONVOLUTIONS, *_POOLS, _LARGEST)
