"""The comparisons of tests: two arrays and an operator -> "" or what is wrong, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_ORDERS: Mapping[str, Callable[[Array, Array], Any]] = {
    "==": np.equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


def compare(left: Array, op: str, right: Array, within: float) -> str:
    """What is wrong with ``left op right`` for every element, or "" if it holds.

    ``a ~= b within t`` is ``|a - b| <= t * (1 + |b|)``; equal infinities agree, a NaN agrees with nothing. `!=` holds where
    any element differs. Nothing is broadcast: shapes must be equal.
    """
    if left.shape != right.shape:
        return f"the left side has shape {list(left.shape)}, the right side {list(right.shape)}"
    if op == "!=":
        return "" if np.any(left != right) else "the two sides are equal"
    if op == "~=":
        return _close(left.astype(np.float64), right.astype(np.float64), within)
    wrong = ~np.asarray(_ORDERS[op](left, right))
    if not wrong.any():
        return ""
    return f"{_place(wrong)}: {_number(left, wrong)} {op} {_number(right, wrong)} does not hold{_how_many(wrong)}"


def _close(left: Array, right: Array, within: float) -> str:
    with np.errstate(all="ignore"):
        distance = np.where(left == right, 0.0, np.abs(left - right))
        relative = np.nan_to_num(distance / (1 + np.abs(right)), nan=np.inf, posinf=np.inf)
        good = np.asarray((left == right) | (np.isfinite(right) & (distance <= within * (1 + np.abs(right)))))
    wrong = ~good
    if not wrong.any():
        return ""
    at = np.asarray(wrong & (relative == np.max(relative, where=wrong, initial=-1.0)))
    value = float(relative[at].reshape(-1)[0])
    return (
        f"{_place(at)}: {_number(left, at)} is not {_number(right, at)} within {within:g}:"
        f" the difference is {value:.3g} of 1 + |right|{_how_many(wrong)}"
    )


def _first(mask: Array) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argwhere(mask)[0])


def _place(mask: Array) -> str:
    index = _first(mask)
    return f"at [{', '.join(map(str, index))}]" if index else "here"


def _number(values: Array, mask: Array) -> str:
    value = values[_first(mask)]
    return f"{float(value):.9g}" if values.dtype.kind == "f" else str(value)


def _how_many(wrong: Array) -> str:
    count = int(np.count_nonzero(wrong))
    return f" ({count} of {wrong.size} elements)" if wrong.size > 1 else ""
