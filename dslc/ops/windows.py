"""Rules that operators over windows share (convolutions and pools): options per axis, padding, sizes of results.

Operands are `[batch, channels, *axes]`. Numbers for each of these axes may be given as one for all of them. Padding ends up as
what is put in front of each axis, then what is put behind each, as in ONNX.
"""

from __future__ import annotations

from dslc.ops.axes import replaced
from dslc.ops.ir import Attr, Attrs
from dslc.ops.opdef import OpError, Option
from dslc.tensor_type import Dim, Shape, Size, TensorType, floor_div

FIT_CODE = "DL2120"
OPTION_CODE = "DL2121"
RANK_CODE = "DL2122"

STRIDE = Option("stride", "counts", 1)
PAD = Option("pad", "padding", 0)
DILATION = Option("dilation", "counts", 1)

_LAYOUTS = {1: "[batch, channels, length]", 2: "[batch, channels, height, width]"}


def axes_of(name: str, x: TensorType, number: int | None = None) -> int:
    """How many axes windows move along: those behind batch and channels.

    Args:
        number: how many there have to be, or None for one or more.

    Raises:
        OpError: the operand has another rank.
    """
    found = x.rank - 2
    if found >= 1 and number in (None, found):
        return found
    layout = _LAYOUTS.get(
        number or 0, "[batch, channels, depth, height, width]" if number else "[batch, channels, ...]"
    )
    missing = number is not None and found == number - 1
    lacking = "add the axis of channels with `expand_dims(x, axis = 1)`" if missing else ""
    raise OpError(f"`{name}` takes {layout}, got {x}", RANK_CODE, 0, help=lacking)


def per_axis(name: str, option: str, value: Attr, axes: int) -> tuple[int, ...]:
    """A positive number for each axis, given as one for all or as a list.

    Raises:
        OpError: there are too few, too many, or one is not positive.
    """
    written = value if isinstance(value, tuple) else (value,)
    given = tuple(number for number in written if isinstance(number, int))
    if len(given) == 1:
        given *= axes
    if len(given) != axes:
        raise OpError(f"`{option}` of `{name}` has {_numbers(len(given))} for {_axes(axes)}", OPTION_CODE)
    if min(given) < 1:
        raise OpError(f"`{option}` of `{name}` must be at least 1, got {min(given)}", OPTION_CODE)
    return given


def extents(window: tuple[int, ...], dilation: tuple[int, ...]) -> tuple[int, ...]:
    """How far a window reaches on each axis."""
    return tuple(apart * (width - 1) + 1 for width, apart in zip(window, dilation, strict=True))


def padding(name: str, value: Attr, sizes: Shape, reach: tuple[int, ...], stride: tuple[int, ...]) -> Shape:
    """The padding in front of each axis, then behind each.

    Args:
        name: the operator, for messages.
        value: a number for all sides, one for each axis, one for each side, "valid" (none) or "same" (so much that the result
            has ``ceil(size / stride)`` places; the odd one behind).
        sizes: the sizes of the axes.
        reach: how far the window reaches.
        stride: its steps.

    Raises:
        OpError: the numbers are too few, too many or negative, or "same" depends on run-time sizes.
    """
    axes = len(sizes)
    if value == "valid":
        return (0,) * (2 * axes)
    if value == "same":
        totals = [_same(name, *each) for each in zip(sizes, reach, stride, strict=True)]
        begins = [floor_div(total, 2) for total in totals]
        return (*begins, *(total - begin for total, begin in zip(totals, begins, strict=True)))
    if isinstance(value, str):
        mend = f'in small letters: `pad = "{value.lower()}"`' if value.lower() in ("same", "valid") else ""
        raise OpError(f'`pad` of `{name}` is a number, "same" or "valid", not "{value}"', OPTION_CODE, help=mend)
    written = value if isinstance(value, tuple) else (value,)
    given = tuple(number for number in written if isinstance(number, int | Size))
    if len(given) == 1:
        given *= axes
    if len(given) == axes:
        given *= 2
    if len(given) != 2 * axes:
        text = f"`pad` of `{name}` has {_numbers(len(given))} for {_axes(axes)}"
        raise OpError(text, OPTION_CODE, help="give one number, one for each axis, or all begins and then all ends")
    if any(isinstance(number, int) and number < 0 for number in given):
        raise OpError(f"`pad` of `{name}` must not be negative, got {list(given)}", OPTION_CODE)
    return given


def _same(name: str, size: Dim, reach: int, stride: int) -> Dim:
    """How much padding one axis needs so that the window has ``ceil(size / stride)`` places."""
    total = (floor_div(size + (stride - 1), stride) - 1) * stride + reach - size
    if isinstance(total, int):
        return max(0, total)
    if reach >= stride:
        return total
    if reach == 1:
        return 0
    raise OpError(
        f'"same" padding of `{name}` with a window of {reach} and a stride of {stride} depends on the run-time size {size}',
        OPTION_CODE,
        0,
        help="give the padding as a number",
    )


def places(name: str, x: TensorType, reach: tuple[int, ...], stride: tuple[int, ...], pad: Shape) -> Shape:
    """How many places a window has on each axis.

    Raises:
        OpError: the window is larger than the padded axis.
    """
    axes = len(reach)
    room = tuple(size + pad[axis] + pad[axis + axes] for axis, size in enumerate(x.shape[2:]))
    for axis, (size, width) in enumerate(zip(room, reach, strict=True)):
        if isinstance(size, int) and size < width:
            with_padding = f", {size} with its padding" if size != x.shape[2 + axis] else ""
            raise OpError(
                f"the window of `{name}` does not fit: it reaches over {width}, and axis {2 + axis} of {x} has size "
                f"{x.shape[2 + axis]}{with_padding}",
                FIT_CODE,
                0,
                help=f"take a window of at most {size}, or pad the axis",
            )
    return tuple(floor_div(size - width, step) + 1 for size, width, step in zip(room, reach, stride, strict=True))


def normal_window(name: str, x: TensorType, attrs: Attrs, window: tuple[int, ...]) -> Attrs:
    """The options stride, pad and dilation (1 where there is none) in canonical form.

    Raises:
        OpError: one of them does not fit.
    """
    axes = len(window)
    stride = per_axis(name, "stride", attrs["stride"], axes)
    dilation = per_axis(name, "dilation", attrs.get("dilation", 1), axes)
    pad = padding(name, attrs["pad"], x.shape[2:], extents(window, dilation), stride)
    found = replaced(attrs, stride=stride, pad=pad)
    return replaced(found, dilation=dilation) if "dilation" in attrs else found


def _numbers(count: int) -> str:
    return "1 number" if count == 1 else f"{count} numbers"


def _axes(count: int) -> str:
    return "1 axis" if count == 1 else f"{count} axes"
