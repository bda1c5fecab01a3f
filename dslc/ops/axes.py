"""Rules about axes that operators share: an axis as a program writes it -> its one canonical form, or `OpError`.

An axis is counted from 0, or from the end when negative. Rules know nothing of spans, graphs or kernels.
"""

from __future__ import annotations

from dslc.ops.ir import Attr, Attrs
from dslc.ops.opdef import NormalizeRule, OpError
from dslc.tensor_type import Dim, Shape, TensorType

AXIS_CODE = "DL2101"


def one_axis(name: str, rank: int, axis: Attr, of: TensorType) -> int:
    """The axis as a number from 0 to ``rank - 1``; `of` is the operand, for the message.

    Raises:
        OpError: there is no such axis.
    """
    if isinstance(axis, bool) or not isinstance(axis, int):
        raise OpError(f"an axis of `{name}` is an integer, not {axis!r}", AXIS_CODE)
    if -rank <= axis < rank:
        return axis % rank
    if rank == 0:
        raise OpError(f"`{name}` needs an axis, and {of} is a scalar without axes", AXIS_CODE, 0)
    axes = "one axis" if rank == 1 else f"{rank} axes"
    raise OpError(
        f"`{name}` has no axis {axis} to work on: {of} has {axes}",
        AXIS_CODE,
        0,
        help=f"axes go from 0 to {rank - 1}, or from -1 (the last) to -{rank}",
    )


def several_axes(name: str, rank: int, axes: Attr, of: TensorType) -> tuple[int, ...]:
    """Axes in ascending order; `axes` is a list of axes, one axis, or None for all of them.

    Raises:
        OpError: there is no such axis, or one is named twice.
    """
    if axes is None:
        return tuple(range(rank))
    written = axes if isinstance(axes, tuple) else (axes,)
    found = sorted(one_axis(name, rank, axis, of) for axis in written)
    for axis in found:
        if found.count(axis) > 1:
            raise OpError(f"`{name}` names axis {axis} of {of} twice", AXIS_CODE, 0)
    return tuple(found)


def normal_axis(name: str) -> NormalizeRule:
    """Brings the option `axis` (one axis of the first operand) into its canonical form."""

    def normalize(types: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
        return replaced(attrs, axis=one_axis(name, types[0].rank, attrs["axis"], types[0]))

    return normalize


def without(shape: Shape, axes: tuple[int, ...]) -> Shape:
    """The shape with some axes taken out."""
    return tuple(dim for axis, dim in enumerate(shape) if axis not in axes)


def ones_at(shape: Shape, axes: tuple[int, ...]) -> Shape:
    """The shape with size 1 at some axes."""
    return tuple(1 if axis in axes else dim for axis, dim in enumerate(shape))


def replaced(attrs: Attrs, **items: Attr) -> Attrs:
    """The attributes with some of them replaced or added."""
    return Attrs(dict(attrs) | items)


def with_axis(shape: Shape, axis: int, size: Dim) -> Shape:
    """The shape with another size at one axis."""
    return (*shape[:axis], size, *shape[axis + 1 :])
