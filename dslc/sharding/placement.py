"""What a value of one shard says of the value of the whole batch.

A batch of B rows is cut into shards of b rows each. With a value comes its `degree`, because means make sizes appear: where
a value is that of the whole batch times (B / b) ** degree. A cotangent of a mean over the batch has degree 1. A value that such
a factor does not change, nothing but zeros, has degree None and fits every other.
"""

from __future__ import annotations

from typing import TypeAlias

from dslc.record import record, replace
from dslc.tensor_type import Dim, Shape, Size, divide


class UnshardableError(Exception):
    """A value cannot be computed for some of the rows. The text says why: lower case, no final stop."""


@record
class Sharded:
    """The whole is the shards side by side, along the batch, which lies inside one axis.

    Attributes:
        axis: the axis. It has ``before * batch * behind`` elements.
        before, behind: as they lie in the axis; both None where all rows are equal, so that it makes no difference.
        degree: see above.
    """

    axis: int
    before: Dim | None
    behind: Dim | None
    degree: int | None


@record
class Replicated:
    """Every shard computes the same, up to its degree."""

    degree: int | None


@record
class Partial:
    """The whole is the sum of what the shards compute, each times (b / B) ** degree.

    Attributes:
        degree: see above.
        closed: no shard reads it further: all that does is computed once, of the whole.
    """

    degree: int | None
    closed: bool = False


@record
class Whole:
    """Computed once, when all shards have given what it needs."""


Placement: TypeAlias = Sharded | Replicated | Partial | Whole


def holds(size: Dim, batch: Size) -> bool:
    """Whether a size depends on the number of rows."""
    return not isinstance(size, int) and (size == batch or not batch.symbols().isdisjoint(size.symbols()))


def times_batch(size: Dim, batch: Size) -> Dim | None:
    """How many times the batch a size is; None where it is no multiple of it for all batches alike."""
    factor = whole_quotient(size, batch)
    return None if factor is None or holds(factor, batch) else factor


def whole_quotient(size: Dim, by: Dim) -> Dim | None:
    """A quotient that is whole whatever the sizes are, or None."""
    quotient = divide(size, by)
    return None if isinstance(quotient, Size) and quotient.den != 1 else quotient


def batch_axis(shape: Shape, batch: Size) -> int | None:
    """The axis that the batch lies in.

    Raises:
        UnshardableError: there are several, or a size is no multiple of the batch.
    """
    found = [axis for axis, size in enumerate(shape) if holds(size, batch)]
    if len(found) > 1:
        raise UnshardableError("it has an element for every pair of rows")
    if found and times_batch(shape[found[0]], batch) is None:
        raise UnshardableError(f"its axis of size {shape[found[0]]} does not hold as many elements for each row")
    return found[0] if found else None


def same_degree(left: int | None, right: int | None) -> int | None:
    """The degree of what holds both.

    Raises:
        UnshardableError: they differ.
    """
    if None not in (left, right) and left != right:
        raise UnshardableError("it puts sums and means over rows together")
    return right if left is None else left


def same_rows(left: Sharded, right: Sharded) -> Sharded:
    """Where rows lie that lie in both places at once; the degree is that of `left`.

    Raises:
        UnshardableError: they lie in different places.
    """
    placed = right if left.before is None else left
    is_same = right.before is None or (placed.before, placed.behind) == (right.before, right.behind)
    if left.axis != right.axis or not is_same:
        raise UnshardableError("rows of its operands lie in different orders")
    return Sharded(left.axis, placed.before, placed.behind, left.degree)


def as_partial(placement: Placement) -> Partial:
    """As a sum over shards: what all have alike is the mean of what each has, by rows.

    Raises:
        UnshardableError: it is neither the same in all shards nor a sum over them.
    """
    match placement:
        case Partial():
            return placement
        case Replicated(degree):
            return Partial(None if degree is None else degree + 1)
        case _:
            raise UnshardableError("it puts rows and sums over rows together")


def joined(left: Placement, right: Placement) -> Placement:
    """The placement of what is one value now and the other then: a state of a recurrence.

    Raises:
        UnshardableError: there is none.
    """
    match left, right:
        case Sharded(), Sharded():
            return replace(same_rows(left, right), degree=same_degree(left.degree, right.degree))
        case Replicated(), Replicated():
            return Replicated(same_degree(left.degree, right.degree))
        case _:
            return Partial(same_degree(as_partial(left).degree, as_partial(right).degree))
