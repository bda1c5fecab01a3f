"""Tensors whose axes have names, and what is done to them: split, put in another order, merged, summed.

Each step is the operators a program could have written itself, left out where it would change nothing. Sizes keep where
they came from.
"""

from __future__ import annotations

from collections.abc import Sequence

from dslc.check.operators import apply_op
from dslc.check.scope import Context
from dslc.check.typed import Origin, TypedValue
from dslc.record import record
from dslc.source import Span
from dslc.tensor_type import Dim, count


@record
class Named:
    """An axis of a tensor: its name, its size, and where that came from."""

    name: str
    size: Dim
    origin: Origin | None


@record
class Arranged:
    """A tensor and its axes in order."""

    value: TypedValue
    axes: tuple[Named, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(axis.name for axis in self.axes)

    def axis(self, name: str) -> Named:
        """The axis of a name."""
        return next(axis for axis in self.axes if axis.name == name)


def reshaped(
    e: Context, span: Span, x: TypedValue, sizes: Sequence[Dim], origins: Sequence[Origin | None]
) -> TypedValue:
    """A tensor in another shape."""
    if x.type.shape == tuple(sizes):
        return x
    return apply_op(e, span, "reshape", (x,), {"sizes": tuple(sizes)}, origins=tuple(origins))


def split(e: Context, span: Span, x: TypedValue, axes: Sequence[Named]) -> Arranged:
    """A tensor with its axes taken apart into named ones."""
    value = reshaped(e, span, x, [axis.size for axis in axes], [axis.origin for axis in axes])
    return Arranged(value, tuple(axes))


def ordered(e: Context, span: Span, x: Arranged, names: Sequence[str]) -> Arranged:
    """The axes in another order."""
    if x.names == tuple(names):
        return x
    order = tuple(x.names.index(name) for name in names)
    axes = tuple(x.axes[axis] for axis in order)
    origins = tuple(axis.origin for axis in axes)
    return Arranged(apply_op(e, span, "transpose", (x.value,), {"axes": order}, origins=origins), axes)


def merged(e: Context, span: Span, x: Arranged, groups: Sequence[Sequence[str]]) -> TypedValue:
    """The tensor with neighbouring axes made one: a size for each group of names, 1 for a group of none."""
    parts = [[x.axis(name) for name in group] for group in groups]
    sizes = [count(tuple(axis.size for axis in part)) for part in parts]
    origins = [part[0].origin if len(part) == 1 else None for part in parts]
    return reshaped(e, span, x.value, sizes, origins)


def summed(e: Context, span: Span, x: Arranged, names: Sequence[str]) -> Arranged:
    """The sum over some axes, in the tensor's own element type."""
    if not names:
        return x
    axes = tuple(axis for axis in x.axes if axis.name not in names)
    origins = tuple(axis.origin for axis in axes)
    where = tuple(position for position, axis in enumerate(x.axes) if axis.name in names)
    total = apply_op(e, span, "sum", (x.value,), {"axes": where}, origins=origins)
    if total.type.dtype is not x.value.type.dtype:
        total = apply_op(e, span, "cast", (total,), {"dtype": x.value.type.dtype}, origins=origins)
    return Arranged(total, axes)
