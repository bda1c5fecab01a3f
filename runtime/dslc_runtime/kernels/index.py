"""Kernels: lookups by integer ids, one-hot codes, and their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from dslc_runtime.errors import IdError
from dslc_runtime.kernels.kernel import Array, Kernel


def check_ids(ids: Array, n: int) -> None:
    """Refuse ids outside 0 to ``n - 1``; NumPy would read negative ones from the end.

    Raises:
        IdError: it names the first such id.
    """
    # As unsigned numbers, negative ids are huge: one pass instead of two.
    unsigned = ids.view(f"u{ids.itemsize}")
    if ids.size and np.maximum.reduce(unsigned, axis=None) >= n:
        wrong = ids[(ids < 0) | (ids >= n)].flat[0] if ids.ndim else ids
        raise IdError(f"id {wrong} is not one of the {n} ids from 0 to {n - 1}")


# ---------------------------------------------------------------------------------------------- rows of a table


def _gather(table: Array, ids: Array) -> Array:
    check_ids(ids, table.shape[0])
    return table[ids]


def _gather_into(table: Array, ids: Array, *, out: Array) -> None:
    check_ids(ids, table.shape[0])
    # The ids are in range; with any other mode NumPy fills a copy of `out` first.
    np.take(table, ids, axis=0, out=out, mode="clip")


def _scatter_add(values: Array, ids: Array, *, rows: int) -> Array:
    check_ids(ids, rows)
    out = np.zeros((rows, *values.shape[ids.ndim :]), values.dtype)
    np.add.at(out, ids, values)
    return out


def _scatter_add_into(values: Array, ids: Array, *, rows: int, out: Array) -> None:
    check_ids(ids, rows)
    if not out.flags.c_contiguous:
        np.copyto(out, _scatter_add(values, ids, rows=rows))
        return
    # One element at a time over flat positions: 2 to 4 times faster than by rows, sorting or `bincount` for large tables.
    out.fill(0)
    width = out[:1].size
    places = np.add(ids.reshape(-1, 1) * width, np.arange(width))
    np.add.at(out.reshape(-1), places.reshape(-1), values.reshape(-1))


# ---------------------------------------------------------------------------------------------- one-hot codes


def _one_hot(ids: Array, *, classes: int, dtype: np.dtype[Any]) -> Array:
    check_ids(ids, classes)
    return (ids[..., None] == np.arange(classes)).astype(dtype)


def _one_hot_into(ids: Array, *, classes: int, dtype: np.dtype[Any], out: Array) -> None:
    del dtype
    check_ids(ids, classes)
    out.fill(0)
    np.put_along_axis(out, ids[..., None], 1, -1)


# ---------------------------------------------------------------------------------------------- one element of each row


def _pick(x: Array, ids: Array, *, axis: int) -> Array:
    check_ids(ids, x.shape[axis])
    return np.squeeze(np.take_along_axis(x, np.expand_dims(ids, axis), axis), axis)


def _pick_into(x: Array, ids: Array, *, axis: int, out: Array) -> None:
    np.copyto(out, _pick(x, ids, axis=axis))


def _unpick(x: Array, ids: Array, *, axis: int, size: int) -> Array:
    shape = (*ids.shape[:axis], size, *ids.shape[axis:])
    out = np.zeros(shape, np.asarray(x).dtype)
    np.put_along_axis(out, np.expand_dims(ids, axis), np.expand_dims(x, axis), axis)
    return out


def _unpick_into(x: Array, ids: Array, *, axis: int, size: int, out: Array) -> None:
    del size
    out.fill(0)
    np.put_along_axis(out, np.expand_dims(ids, axis), np.expand_dims(x, axis), axis)


INDEX: dict[str, Kernel] = {
    "gather": Kernel(_gather, _gather_into),
    "scatter_add": Kernel(_scatter_add, _scatter_add_into),
    "one_hot": Kernel(_one_hot, _one_hot_into),
    "pick": Kernel(_pick, _pick_into),
    "unpick": Kernel(_unpick, _unpick_into),
}
