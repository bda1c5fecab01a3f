"""One application of an operator: placements of its operands -> the placement of its result.

The rules are those that operators declare (`dslc.ops.rows`). What they cannot promise is refused, never guessed.
"""

from __future__ import annotations

from collections.abc import Sequence

from dslc.ops import OPS
from dslc.ops.ir import Node
from dslc.ops.rows import Fate, Rows
from dslc.sharding.placement import (
    Partial,
    Placement,
    Replicated,
    Sharded,
    UnshardableError,
    Whole,
    as_partial,
    batch_axis,
    holds,
    same_degree,
    same_rows,
    times_batch,
    whole_quotient,
)
from dslc.tensor_type import Dim, Shape, Size, count


def passed(node: Node, operands: Sequence[Placement], batch: Size) -> Placement:
    """The placement of a node that is no leaf and no part of a recurrence.

    Raises:
        UnshardableError: it needs rows of several shards at once.
    """
    rule = OPS[node.op].rows
    if rule is None:
        raise UnshardableError("it is not known how rows pass it")
    if any(isinstance(placement, Whole) for placement in operands):
        raise UnshardableError("it needs a value of the whole batch for every row")
    rows = rule(tuple(value.type for value in node.inputs), node.attrs, node.out.type)
    if any(holds(size, batch) for size in rows.fixed):
        raise UnshardableError("it depends on the number of rows")
    if any(isinstance(placement, Partial) for placement in operands):
        if _holds_batch(node.out.shape, batch):
            raise UnshardableError("it needs a sum over all rows for every row")
        return _of_partial(rows, operands, batch)
    degree = _degree(rows, [_degree_of(placement) for placement in operands], batch)
    if node.attrs.get("value") == 0 and not operands:
        degree = None
    sharded = {i: placement for i, placement in enumerate(operands) if isinstance(placement, Sharded)}
    if sharded:
        return _of_rows(node, rows, sharded, degree, batch)
    axis = batch_axis(node.out.shape, batch)
    if axis is None:
        return Replicated(degree)
    if not rows.fills:
        raise UnshardableError("its elements depend on their row's number")
    return within(node.out.shape, axis, degree, batch)


def _holds_batch(shape: Shape, batch: Size) -> bool:
    return any(holds(size, batch) for size in shape)


def within(shape: Shape, axis: int, degree: int | None, batch: Size) -> Sharded:
    """Equal rows along an axis; in order where the axis is the batch."""
    place = 1 if shape[axis] == batch else None
    return Sharded(axis, place, place, degree)


# ---------------------------------------------------------------------------------------------- degrees and sums


def _degree_of(placement: Placement) -> int | None:
    assert not isinstance(placement, Whole), "what is computed for the whole batch has no degree"
    return placement.degree


def _powers(rows: Rows, operands: int) -> tuple[int, ...]:
    assert len(rows.powers) == operands, f"{rows.powers} are not the powers of {operands} operands"
    return rows.powers


def _degree(rows: Rows, degrees: Sequence[int | None], batch: Size) -> int | None:
    """The degree of a result."""
    powers = _powers(rows, len(degrees))
    if any(power == 0 and degree for power, degree in zip(powers, degrees, strict=True)):
        raise UnshardableError("it is no linear function of a mean over rows")
    found = [(power, degree) for power, degree in zip(powers, degrees, strict=True) if power]
    more = _degree_of_divisor(rows.divided_by, batch)
    total: int | None = None if rows.together and found else 0
    for power, degree in found:
        if rows.together:
            total = same_degree(total, degree)
        else:
            total = None if total is None or degree is None else total + power * degree
    return None if total is None else total + more


def _degree_of_divisor(size: Dim, batch: Size) -> int:
    if not holds(size, batch):
        return 0
    if times_batch(size, batch) is None:
        raise UnshardableError(f"it divides by {size}, which is no multiple of the number of rows")
    return 1


def _of_partial(rows: Rows, operands: Sequence[Placement], batch: Size) -> Partial:
    """Of sums over shards: linear functions of them."""
    powers = _powers(rows, len(operands))
    for power, placement in zip(powers, operands, strict=True):
        if isinstance(placement, Partial) and power != 1:
            raise UnshardableError("it is no linear function of a sum over rows")
    if rows.together:
        operands = [
            as_partial(placement) if power else placement for power, placement in zip(powers, operands, strict=True)
        ]
    elif sum(isinstance(placement, Partial) for placement in operands) > 1:
        raise UnshardableError("it is no linear function of sums over rows")
    if any(isinstance(placement, Sharded) for placement in operands):
        raise UnshardableError("it needs a sum over all rows for every row")
    return Partial(_degree(rows, [_degree_of(placement) for placement in operands], batch), rows.completes)


# ---------------------------------------------------------------------------------------------- rows


def _of_rows(node: Node, rows: Rows, sharded: dict[int, Sharded], degree: int | None, batch: Size) -> Placement:
    """Of operands of which some have rows."""
    axis = batch_axis(node.out.shape, batch)
    if rows.reshapes:
        ((operand, placement),) = sharded.items()
        return _reshaped(node.inputs[operand].shape, node.out.shape, placement, axis, degree, batch)
    fates = {i: rows.axes[i][placement.axis] for i, placement in sharded.items()}
    if Fate.MEET in fates.values():
        raise UnshardableError("rows meet in it")
    places = [_moved(sharded[i], fate) for i, fate in fates.items()]
    place = places[0]
    for other in places[1:]:
        place = same_rows(place, other)
    if all(fate is Fate.SUMMED for fate in fates.values()):
        if axis is not None:
            raise UnshardableError("it adds rows up and has an element for each of them")
        return Partial(degree)
    if Fate.SUMMED in fates.values() or axis != place.axis or not _are_same_size(node, sharded, place.axis):
        raise UnshardableError("rows of its operands lie along different axes")
    return Sharded(place.axis, place.before, place.behind, degree)


def _moved(placement: Sharded, fate: int | Fate) -> Sharded:
    """Where rows are in the result; what is summed over lies at no axis, wherever it came from."""
    return Sharded(fate if isinstance(fate, int) else -1, placement.before, placement.behind, 0)


def _are_same_size(node: Node, sharded: dict[int, Sharded], axis: int) -> bool:
    return all(node.inputs[i].shape[placement.axis] == node.out.shape[axis] for i, placement in sharded.items())


def _reshaped(
    shape: Shape, out: Shape, placement: Sharded, axis: int | None, degree: int | None, batch: Size
) -> Sharded:
    """The batch in other axes: as many elements come before it, and as many behind."""
    if axis is None:
        raise UnshardableError("rows meet in it")
    before, behind = count(shape[: placement.axis]), count(shape[placement.axis + 1 :])
    if placement.before is None or placement.behind is None:
        inside = (
            whole_quotient(count(out[:axis]), before) is not None
            and whole_quotient(count(out[axis + 1 :]), behind) is not None
        )
        if not inside:
            raise UnshardableError("it moves elements from row to row")
        return within(out, axis, degree, batch)
    left = whole_quotient(before * placement.before, count(out[:axis]))
    right = whole_quotient(behind * placement.behind, count(out[axis + 1 :]))
    if left is None or right is None or left * batch * right != out[axis]:
        raise UnshardableError("it moves elements from row to row")
    return Sharded(axis, left, right, degree)
