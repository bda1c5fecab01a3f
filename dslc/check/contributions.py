"""What a batch has to contribute to a metric of many batches: the values at which its computation is cut.

Below the cuts everything is computed batch by batch, above them once, from what all batches contributed. A metric that says how it
is computed over a part (`OverPart`) is a cut; so is, beside one, any other scalar, of which the mean counts. Where there is no such
metric the quantity itself is the only cut: a mean over rows.
"""

from __future__ import annotations

from collections.abc import Sequence

from dslc.check.typed import TypedValue
from dslc.ops import OPS


def over_whole(values: Sequence[TypedValue]) -> frozenset[TypedValue]:
    """Of a body's values, those that are computed once: metrics that say how, and what is computed from them."""
    found: set[TypedValue] = set()
    for value in values:
        if is_joined(value) or (_can_wait(value) and any(operand in found for operand in value.inputs)):
            found.add(value)
    return frozenset(found)


def _can_wait(value: TypedValue) -> bool:
    """Whether a value can be computed once for all batches: not what a cell or chance makes of a batch."""
    return value.op in OPS and not (OPS[value.op].structural or OPS[value.op].random)


def is_joined(value: TypedValue) -> bool:
    """Whether batches contribute something else than their own number."""
    return value.op in OPS and OPS[value.op].over_part is not None


def cuts(quantity: TypedValue, whole: frozenset[TypedValue]) -> tuple[TypedValue, ...]:
    """Where a quantity's computation is cut, in the order they are met; constants are on both sides."""
    found: dict[TypedValue, None] = {}
    pending = [quantity]
    while pending:
        value = pending.pop()
        if value not in whole or is_joined(value):
            found[value] = None
        else:
            pending += [operand for operand in reversed(value.inputs) if operand.op != "constant"]
    return tuple(found)


def unfit(quantity: TypedValue, whole: frozenset[TypedValue]) -> TypedValue | None:
    """The first cut of a quantity that has no mean to count, not being a single real number, if there is one."""
    return next((value for value in cuts(quantity, whole) if not (is_joined(value) or _is_number(value))), None)


def _is_number(value: TypedValue) -> bool:
    return not value.type.shape and value.type.dtype.is_float
