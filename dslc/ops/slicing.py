"""Slices: some elements of every axis, at regular steps, and their gradient.

A slice is given per axis by where it starts, where it stops (exclusive) and its step; negative numbers count from the end and
None stands for the whole axis. Slices do not clamp: where a bound lies outside the axis, that is an error.
"""

from __future__ import annotations

from dslc.ops.axes import one_axis, replaced, with_axis
from dslc.ops.cost import free
from dslc.ops.ir import Attr, Attrs, Builder, Node, OnnxEmitter, Value
from dslc.ops.opdef import OpDef, OpError, Option
from dslc.ops.rows import cutting
from dslc.ops.shape import size_list
from dslc.tensor_type import Dim, DType, Shape, Size, TensorType, divide, floor_div

SLICE_CODE = "DL2102"
_TO_THE_END = 2**63 - 1  # how ONNX writes a slice without a stop

# ---------------------------------------------------------------------------------------------- bounds


def index_bounds(x: TensorType, axis: int, index: Dim) -> tuple[Dim, Dim]:
    """Where the slice of length 1 that an integer index stands for starts and stops.

    Raises:
        OpError: the index is known to lie outside the axis.
    """
    size = x.shape[axis]
    start = _from_start(index, size)
    if _at_most(0, start) is False or _at_most(start + 1, size) is False:
        allowed = f"0 to {size - 1}, or -1 (the last) to -{size}" if size != 0 else ""
        raise OpError(
            f"there is no index {index} on axis {axis} of {x}, which has size {size}",
            SLICE_CODE,
            0,
            help=f"indices go from {allowed}" if allowed else "",
        )
    return start, start + 1


def slice_bounds(x: TensorType, axis: int, start: Attr, stop: Attr, step: Attr) -> tuple[Dim, Dim, int]:
    """A slice of one axis in canonical form: bounds counted from 0, nothing left out.

    Raises:
        OpError: a bound is known to lie outside the axis, the slice runs backwards, or the step is not positive.
    """
    size = x.shape[axis]
    text = f"{_text(start)}:{_text(stop)}" + ("" if step in (None, 1) else f":{_text(step)}")
    step = 1 if step is None else step
    if isinstance(step, bool) or not isinstance(step, int) or step < 1:
        raise OpError(f"the step of the slice `{text}` must be a positive integer", SLICE_CODE, 0)
    first = 0 if start is None else _from_start(_bound(start), size)
    last = size if stop is None else _from_start(_bound(stop), size)
    for bound, written in ((first, start), (last, stop)):
        if _at_most(0, bound) is False:
            raise OpError(_too_small(x, axis, text, -_bound(written)), SLICE_CODE, 0)
        if _at_most(bound, size) is False:
            raise OpError(_too_small(x, axis, text, bound), SLICE_CODE, 0)
    if _at_most(first, last) is False:
        raise OpError(f"the slice `{text}` of axis {axis} of {x} stops before it starts", SLICE_CODE, 0)
    return first, last, step


def _too_small(x: TensorType, axis: int, text: str, needed: Dim) -> str:
    return f"the slice `{text}` needs at least {needed} elements, and axis {axis} of {x} has {x.shape[axis]}"


def _text(bound: Attr) -> str:
    return "" if bound is None else str(bound)


def _bound(value: Attr) -> Dim:
    if isinstance(value, bool) or not isinstance(value, int | Size):
        raise OpError(f"the bounds of a slice are integers, not {value!r}", SLICE_CODE, 0)
    return value


def _from_start(bound: Dim, size: Dim) -> Dim:
    return bound + size if isinstance(bound, int) and bound < 0 else bound


def _at_most(a: Dim, b: Dim) -> bool | None:
    """Whether ``a <= b`` for all run-time sizes; None where that cannot be decided. Symbols are at least 0."""
    difference = b - a
    if isinstance(difference, int):
        return difference >= 0
    coefficients = [c for _, c in difference.terms]
    if all(c > 0 for c in coefficients):
        return True
    constant = sum(c for monomial, c in difference.terms if not monomial)
    if constant < 0 and all(c < 0 for c in coefficients):
        return False
    return None


def _length(start: Dim, stop: Dim, step: int) -> Dim:
    return stop - start if step == 1 else floor_div(stop - start + (step - 1), step)


# ---------------------------------------------------------------------------------------------- split


def split_slices(x: TensorType, parts: Attr, axis: Attr) -> tuple[Attrs, ...]:
    """The attributes of the `slice` nodes that ``a, b = split(x, parts, axis)`` stands for.

    Args:
        x: what is split.
        parts: how many equal parts, or the list of their sizes.
        axis: along which axis.

    Raises:
        OpError: the axis does not divide into equal parts, or the sizes do not add up to it.
    """
    along = one_axis("split", x.rank, axis, x)
    size = x.shape[along]
    attrs: list[Attrs] = []
    start: Dim = 0
    for part in _part_sizes(x, along, size, parts):
        nothing = (None,) * along
        attrs.append(Attrs({"starts": (*nothing, start), "stops": (*nothing, start + part), "steps": ()}))
        start = start + part
    if start != size:
        raise OpError(f"the sizes of `split` add up to {start}, and axis {along} of {x} has {size}", SLICE_CODE, 0)
    return tuple(attrs)


def _part_sizes(x: TensorType, axis: int, size: Dim, parts: Attr) -> Shape:
    if isinstance(parts, tuple):
        return size_list("split", parts)
    if isinstance(parts, bool) or not isinstance(parts, int) or parts < 1:
        raise OpError("`split` takes a number of equal parts, or a list of sizes", SLICE_CODE)
    part = divide(size, parts)
    if part is None:
        raise OpError(f"axis {axis} of {x} does not divide into {parts} equal parts", SLICE_CODE, 0)
    return (part,) * parts


# ---------------------------------------------------------------------------------------------- slice


def _normal_slice(types: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
    (x,) = types
    given = [attrs[name] for name in ("starts", "stops", "steps")]
    columns = [list(items) if isinstance(items, tuple) else [] for items in given]
    if max(map(len, columns)) > x.rank:
        raise OpError(f"too many indices: {max(map(len, columns))}, and {x} has rank {x.rank}", SLICE_CODE, 0)
    padded = [items + [None] * (x.rank - len(items)) for items in columns]
    bounds = [slice_bounds(x, axis, *row) for axis, row in enumerate(zip(*padded, strict=True))]
    starts, stops, steps = zip(*bounds, strict=True) if bounds else ((), (), ())
    return replaced(attrs, starts=starts, stops=stops, steps=steps)


def _slice_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    (x,), rows = types, _rows(attrs)
    for axis, (start, stop, step) in enumerate(rows):
        slice_bounds(x, axis, start, stop, step)
    return TensorType(x.dtype, tuple(_length(*row) for row in rows))


def _rows(attrs: Attrs) -> list[tuple[Dim, Dim, int]]:
    return list(zip(attrs.shape("starts"), attrs.shape("stops"), attrs.ints("steps"), strict=True))


def _slice_vjp(b: Builder, node: Node, g: Value) -> list[Value | None]:
    (x,) = node.inputs
    return [b.apply("pad_slice", g, sizes=x.shape, starts=node.attrs["starts"], steps=node.attrs["steps"])]


def _slice_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    (x,) = node.inputs
    whole = [(0, size, 1) for size in x.shape]
    axes = [axis for axis, row in enumerate(_rows(node.attrs)) if row != whole[axis]]
    if not axes:
        return onnx.node("Identity", names[0])
    rows = [_rows(node.attrs)[axis] for axis in axes]
    starts = onnx.shape(tuple(_onnx_bound(row[0], x.shape[axis], 0) for row, axis in zip(rows, axes, strict=True)))
    stops = onnx.shape(tuple(_onnx_bound(row[1], x.shape[axis], 1) for row, axis in zip(rows, axes, strict=True)))
    steps = [row[2] for row in rows]
    return onnx.node("Slice", names[0], starts, stops, onnx.constant(axes, DType.I64), onnx.constant(steps, DType.I64))


def _onnx_bound(bound: Dim, size: Dim, is_stop: int) -> Dim:
    """The bound as people write it: counted from the end where that makes it a number."""
    if isinstance(bound, int):
        return bound
    from_end = bound - size
    if from_end == 0:
        return _TO_THE_END if is_stop else bound
    return from_end if isinstance(from_end, int) and from_end < 0 else bound


# ---------------------------------------------------------------------------------------------- pad_slice


def _pad_slice_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    (x,), sizes = types, attrs.shape("sizes")
    if x.rank != len(sizes):
        raise OpError(f"{x} is no slice of {TensorType(x.dtype, sizes)}", operand=0)
    return TensorType(x.dtype, sizes)


def _pad_slice_vjp(b: Builder, node: Node, g: Value) -> list[Value | None]:
    (x,) = node.inputs
    starts, steps = node.attrs.shape("starts"), node.attrs.ints("steps")
    # The stop that gives exactly x's elements: just after the last of them.
    stops = tuple(_stop(start, step, size) for start, step, size in zip(starts, steps, x.shape, strict=True))
    return [b.apply("slice", g, starts=starts, stops=stops, steps=steps)]


def _stop(start: Dim, step: int, size: Dim) -> Dim:
    return start if size == 0 else start + (size - 1) * step + 1


def _pad_slice_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    (x,), name = node.inputs, names[0]
    starts, steps = node.attrs.shape("starts"), node.attrs.ints("steps")
    zero = onnx.constant(0, x.dtype)
    shape = x.shape
    for axis, step in enumerate(steps):
        if step > 1:
            name, shape = _spread(onnx, name, shape, axis, step, zero)
    ends = tuple(size - start - length for size, start, length in zip(node.out.shape, starts, shape, strict=True))
    return onnx.node("Pad", name, onnx.shape((*starts, *ends)), zero) if shape else onnx.node("Identity", name)


def _spread(onnx: OnnxEmitter, name: str, shape: Shape, axis: int, step: int, zero: str) -> tuple[str, Shape]:
    """Zeros between the elements of an axis (and none after the last)."""
    apart = onnx.node("Unsqueeze", name, onnx.constant([axis + 1], DType.I64))
    pads = [0] * (2 * len(shape) + 2)
    pads[len(shape) + 1 + axis + 1] = step - 1
    padded = onnx.node("Pad", apart, onnx.constant(pads, DType.I64), zero)
    joined = onnx.node("Reshape", padded, onnx.shape(with_axis(shape, axis, shape[axis] * step)), allowzero=1)
    # All of it but the zeros after the last element, which may lie outside.
    stop, along, one = (
        onnx.constant([1 - step], DType.I64),
        onnx.constant([axis], DType.I64),
        onnx.constant([0], DType.I64),
    )
    return onnx.node("Slice", joined, one, stop, along), with_axis(shape, axis, (shape[axis] - 1) * step + 1)


SLICING = (
    OpDef(
        name="slice",
        doc="""``x[a:b:s, ...]``: the elements a, a + s, ... below b of every axis.

        Negative bounds count from the end; bounds left out mean the whole axis; steps are positive. Bounds are not clamped
        as NumPy does: a slice that is known to reach outside is an error, and one that turns out so when a batch arrives
        too. A view. Gradient: g between zeros.""",
        infer=_slice_type,
        rows=cutting,
        options=(Option("starts", "sizes"), Option("stops", "sizes"), Option("steps", "sizes")),
        normalize=_normal_slice,
        vjp=_slice_vjp,
        kernel="slice",
        flops=free,
        onnx=_slice_onnx,
        view=True,
        call=False,
    ),
    OpDef(
        name="pad_slice",
        doc="""Zeros of the shape `sizes`, with the operand at the places a slice would read: the gradient of `slice`.""",
        infer=_pad_slice_type,
        rows=cutting,
        options=(
            Option("sizes", "sizes", required=True),
            Option("starts", "sizes", required=True),
            Option("steps", "sizes", required=True),
        ),
        vjp=_pad_slice_vjp,
        kernel="pad_slice",
        flops=free,
        onnx=_pad_slice_onnx,
        call=False,
    ),
)
