"""How the rows of a batch pass an operator: what a declaration says so that a batch can be cut into shards.

A rule takes the operands' types, the attributes and the result's type, and says of every axis of every operand what becomes of
rows that lie along it, and how the result scales with each operand. An operator without a rule is never run for some of the
rows. That is `dslc.sharding`'s to use; here are the words for it and the rules that operators share.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import TypeAlias

from dslc.ops.ir import Attr, Attrs
from dslc.record import record
from dslc.tensor_type import Dim, Size, TensorType, count


class Fate(Enum):
    """What becomes of rows along an axis that the result does not have.

    SUMMED: the result is a sum of what each row gives. MEET: the result depends on all rows together in another way.
    """

    SUMMED = "summed"
    MEET = "meet"


#: For each axis of an operand, the axis of the result with the same rows, or their fate.
Axes: TypeAlias = "tuple[int | Fate, ...]"


@record
class Rows:
    """How rows pass one application of an operator.

    Attributes:
        powers: for each operand, the power of a positive factor of it that the result is multiplied by: 1 where the result is
            linear in the operand (the others being given), 2 for a square, -1 for a divisor, 0 for any other function.
        axes: for each operand, where its axes go. Row r of the result depends on row r of the operands alone.
        together: the result is linear in all operands of power 1 at once, as a sum is, and not in each, as a product is.
        divided_by: a size that the result is divided by.
        fixed: other sizes that the result depends on, but for those of operands and result.
        fills: along axes of the result that come from no operand, all elements are equal.
        reshapes: the elements keep their order and get other axes, so that `axes` says nothing.
        completes: the result is read as a whole, never for some of the rows: the sum over all rows is formed here.
    """

    powers: tuple[int, ...]
    axes: tuple[Axes, ...]
    together: bool = False
    divided_by: Dim = 1
    fixed: tuple[Dim, ...] = ()
    fills: bool = False
    reshapes: bool = False
    completes: bool = False


#: (operand types, attributes, the result's type) -> how rows pass.
RowsRule: TypeAlias = Callable[[tuple[TensorType, ...], Attrs, TensorType], Rows]


def sizes_in(attrs: Attrs, but: Sequence[str] = ()) -> tuple[Dim, ...]:
    """The sizes that hold symbols among attributes."""
    found: list[Dim] = []
    for name, value in attrs.items():
        items = value if isinstance(value, tuple) else (value,)
        found += [item for item in items if isinstance(item, Size) and name not in but]
    return tuple(found)


def _meet(x: TensorType) -> Axes:
    return (Fate.MEET,) * x.rank


def _aligned(x: TensorType, out: TensorType) -> Axes:
    """Axes where broadcasting puts them."""
    return tuple(range(out.rank - x.rank, out.rank))


# ---------------------------------------------------------------------------------------------- element by element


def per_element(*powers: int, together: bool = False) -> RowsRule:
    """Operands broadcast together, and every element of the result comes of the elements at its place."""

    def rule(types: tuple[TensorType, ...], attrs: Attrs, out: TensorType) -> Rows:
        return Rows(powers, tuple(_aligned(x, out) for x in types), together, fixed=sizes_in(attrs))

    return rule


#: Any function of an element, or of two; what is linear in an element; sums of two.
OF_ONE, OF_TWO, LINEAR, ADDITIVE = per_element(0), per_element(0, 0), per_element(1), per_element(1, 1, together=True)


def cast_rows(types: tuple[TensorType, ...], attrs: Attrs, out: TensorType) -> Rows:
    """To a float from a number it is linear, but for rounding; else it is a function."""
    (x,) = types
    power = int(out.dtype.is_float and (x.dtype.is_float or x.dtype.is_integer))
    return Rows((power,), (_aligned(x, out),), fixed=sizes_in(attrs))


def divided_rows(types: tuple[TensorType, ...], attrs: Attrs, out: TensorType) -> Rows:
    """Divided by the attribute `size`."""
    return Rows((1,), (_aligned(types[0], out),), divided_by=attrs.dim("size"))


# ---------------------------------------------------------------------------------------------- axes by attribute


def _named(attr: Attr, rank: int) -> tuple[int, ...]:
    """The axes that an attribute names: one, several, or all where it is None."""
    if attr is None:
        return tuple(range(rank))
    return tuple(axis for axis in (attr if isinstance(attr, tuple) else (attr,)) if isinstance(axis, int))


def beside(name: str, *powers: int) -> RowsRule:
    """The result has the first operand's shape, elements meet along the axes that an attribute names.

    Further operands have the first one's shape without these axes.
    """

    def rule(types: tuple[TensorType, ...], attrs: Attrs, out: TensorType) -> Rows:
        met = _named(attrs[name], out.rank)
        first = tuple(Fate.MEET if axis in met else axis for axis in range(out.rank))
        kept = tuple(axis for axis in range(out.rank) if axis not in met)
        return Rows(powers, (first, *(kept for _ in types[1:])), fixed=sizes_in(attrs))

    return rule


def reducing(name: str, power: int, fate: Fate = Fate.MEET, mean: bool = False) -> RowsRule:
    """The axes that an attribute names are reduced: those of the first operand; further operands have the others."""

    def rule(types: tuple[TensorType, ...], attrs: Attrs, out: TensorType) -> Rows:
        x = types[0]
        met = _named(attrs[name], x.rank)
        kept = [axis for axis in range(x.rank) if axis not in met]
        to = {axis: axis if out.rank == x.rank else kept.index(axis) for axis in kept}
        first = tuple(to.get(axis, fate) for axis in range(x.rank))
        rest = tuple(tuple(range(other.rank)) for other in types[1:])
        divided_by = count(tuple(x.shape[axis] for axis in met)) if mean else 1
        powers = (power, *(0 for _ in rest))
        return Rows(powers, (first, *rest), divided_by=divided_by, fixed=sizes_in(attrs))

    return rule


def inserting(types: tuple[TensorType, ...], attrs: Attrs, _out: TensorType) -> Rows:
    """A new axis at `axis`; linear in the first operand."""
    new = attrs.int("axis")
    axes = tuple(tuple(axis if axis < new else axis + 1 for axis in range(x.rank)) for x in types)
    return Rows((1, *(0 for _ in types[1:])), axes, fixed=sizes_in(attrs))


def normalised(types: tuple[TensorType, ...], attrs: Attrs, _out: TensorType) -> Rows:
    """Elements meet along the axes from `axis` on, which further operands have."""
    axis = attrs.int("axis")
    first = tuple(at if at < axis else Fate.MEET for at in range(types[0].rank))
    return Rows((0,) * len(types), (first, *map(_meet, types[1:])), fixed=sizes_in(attrs))


def per_channel(types: tuple[TensorType, ...], attrs: Attrs, _out: TensorType) -> Rows:
    """Element by element along all axes but `axis`, which is all that further operands have."""
    x = types[0]
    first = tuple(Fate.MEET if axis == attrs.int("axis") else axis for axis in range(x.rank))
    return Rows((0,) * len(types), (first, *map(_meet, types[1:])), fixed=sizes_in(attrs))


# ---------------------------------------------------------------------------------------------- shapes


def reshaping(types: tuple[TensorType, ...], attrs: Attrs, _out: TensorType) -> Rows:
    """The same elements in the same order."""
    return Rows((1,), (_meet(types[0]),), fixed=sizes_in(attrs, but=("sizes",)), reshapes=True)


def transposing(_types: tuple[TensorType, ...], attrs: Attrs, _out: TensorType) -> Rows:
    """Axis i of the result is axis ``axes[i]`` of the operand."""
    axes = attrs.ints("axes")
    return Rows((1,), (tuple(axes.index(axis) for axis in range(len(axes))),))


def filling(types: tuple[TensorType, ...], _attrs: Attrs, out: TensorType) -> Rows:
    """The elements of the operand, if there is one, repeated up to the result's shape."""
    return Rows((1,) * len(types), tuple(_aligned(x, out) for x in types), fills=True)


def claiming(types: tuple[TensorType, ...], _attrs: Attrs, out: TensorType) -> Rows:
    """The operand, by other names of its sizes."""
    (x,) = types
    axes = tuple(axis if x.shape[axis] == out.shape[axis] else Fate.MEET for axis in range(x.rank))
    return Rows((1,), (axes,))


def cutting(types: tuple[TensorType, ...], attrs: Attrs, out: TensorType) -> Rows:
    """A part of some axes (`slice`), or more than some axes (`pad_slice`); the others are whole."""
    (x,) = types
    starts, steps = attrs.shape("starts"), attrs.ints("steps")
    whole = [starts[axis] == 0 and steps[axis] == 1 and x.shape[axis] == out.shape[axis] for axis in range(x.rank)]
    axes = tuple(axis if whole[axis] else Fate.MEET for axis in range(x.rank))
    return Rows((1,), (axes,), fixed=tuple(starts[axis] for axis in range(x.rank) if not whole[axis]))


def joining(types: tuple[TensorType, ...], attrs: Attrs, out: TensorType) -> Rows:
    """Side by side along `axis`."""
    along = attrs.int("axis")
    axes = tuple(Fate.MEET if axis == along else axis for axis in range(out.rank))
    return Rows((1,) * len(types), (axes,) * len(types), together=True)


def packing(types: tuple[TensorType, ...], _attrs: Attrs, _out: TensorType) -> Rows:
    """One vector of all elements, which is read when all rows have given their part."""
    return Rows((1,) * len(types), tuple(map(_meet, types)), together=True, completes=True)


def leading(*powers: int, kept: int | None = None) -> RowsRule:
    """So many first axes of all operands (None: all axes) are the result's; along the others elements meet."""

    def rule(types: tuple[TensorType, ...], attrs: Attrs, _out: TensorType) -> Rows:
        axes = tuple(tuple(axis if kept is None or axis < kept else Fate.MEET for axis in range(x.rank)) for x in types)
        return Rows(powers, axes, fixed=sizes_in(attrs))

    return rule


def matrices(types: tuple[TensorType, ...], _attrs: Attrs, _out: TensorType) -> Rows:
    """Linear; the last two axes are a matrix, whose elements know their places."""
    (x,) = types
    axes = (*range(x.rank - 2), Fate.MEET, Fate.MEET)
    return Rows((1,), (axes,))


def meeting(power: int) -> RowsRule:
    """A function of all elements of the operand."""

    def rule(types: tuple[TensorType, ...], attrs: Attrs, _out: TensorType) -> Rows:
        return Rows((power,), (_meet(types[0]),), fixed=sizes_in(attrs))

    return rule


# ---------------------------------------------------------------------------------------------- products, lookups


def products(types: tuple[TensorType, ...], _attrs: Attrs, out: TensorType) -> Rows:
    """A matrix product: inner axes are summed over."""
    a, b = types
    columns = out.rank - 1
    rows = columns - (b.rank > 1)
    left = (*_batch_axes(a, b), *((rows,) if a.rank > 1 else ()), Fate.SUMMED)
    right = (*_batch_axes(b, a), Fate.SUMMED, *((columns,) if b.rank > 1 else ()))
    return Rows((1, 1), (left, right))


def _batch_axes(x: TensorType, other: TensorType) -> tuple[int, ...]:
    """The axes of the result for those before the matrix, which broadcast."""
    mine, most = max(x.rank - 2, 0), max(x.rank - 2, other.rank - 2, 0)
    return tuple(range(most - mine, most))


def filtering(types: tuple[TensorType, ...], attrs: Attrs, _out: TensorType) -> Rows:
    """Images `[batch, ...]` and a weight."""
    x, w = types
    return Rows((1, 1), ((0, *_meet(x)[1:]), _meet(w)), fixed=sizes_in(attrs))


def correlating(types: tuple[TensorType, ...], attrs: Attrs, _out: TensorType) -> Rows:
    """Images `[batch, ...]` and cotangents `[batch, ...]`: a sum over the batch."""
    return Rows((1, 1), tuple((Fate.SUMMED, *_meet(x)[1:]) for x in types), fixed=sizes_in(attrs))


def looking_up(types: tuple[TensorType, ...], _attrs: Attrs, out: TensorType) -> Rows:
    """Rows of a table by ids."""
    ids = types[1]
    behind = tuple(range(ids.rank, out.rank))
    return Rows((1, 0), ((Fate.MEET, *behind), tuple(range(ids.rank))))


def adding_up(types: tuple[TensorType, ...], attrs: Attrs, _out: TensorType) -> Rows:
    """Values added up by id."""
    values, ids = types
    summed = (Fate.SUMMED,) * ids.rank
    return Rows((1, 0), ((*summed, *range(1, 1 + values.rank - ids.rank)), summed), fixed=sizes_in(attrs))
