"""Kernels: rows of a table that ids name, added up and written where they lie. The table is never read or written as a whole."""

from __future__ import annotations

import numpy as np

from dslc_runtime.kernels.index import check_ids
from dslc_runtime.kernels.kernel import Array, Kernel

_LONG = 2048  # elements that are added to one row: from here on a call of its own is quicker than `np.add.at`


# ---------------------------------------------------------------------------------------------- sums by id


def _sum_by_id(values: Array, ids: Array, *, rows: int) -> Array:
    check_ids(ids, rows)
    table = np.zeros((rows, *values.shape[ids.ndim :]), values.dtype)
    np.add.at(table, ids, values)
    return table[ids]


def _sum_by_id_into(values: Array, ids: Array, *, rows: int, out: Array) -> None:
    check_ids(ids, rows)
    if not out.flags.c_contiguous:
        np.copyto(out, _sum_by_id(values, ids, rows=rows))
        return
    _copy_unless_same(values, out)
    first = _first_places(ids.reshape(-1), rows)
    again = np.flatnonzero(first != np.arange(ids.size))
    if not (again.size and out.size):
        return
    sums, to = out.reshape(ids.size, -1), first[again]
    _add_rows(sums, again, to)
    sums[again] = sums[to]


def _first_places(ids: Array, rows: int) -> Array:
    """For each id, where it stands first."""
    places = np.arange(ids.size)
    first = np.empty(rows, np.intp)  # read only where it is written here
    first[ids[::-1]] = places[::-1]  # the last one written stays
    return first[ids]


def _add_rows(sums: Array, again: Array, to: Array) -> None:
    """Add the rows at `again` to those at `to`, which are others, in order."""
    width: int = sums.shape[1]
    counts = np.bincount(to)
    # A sum along a single column would be one in pairs, with other bits.
    is_long = counts * width >= _LONG if width > 1 else np.zeros(counts.size, bool)
    together = is_long[to]
    by_row = again[together][np.argsort(to[together], kind="stable")]
    start = 0
    for row in np.flatnonzero(is_long).tolist():
        stop = start + counts[row]
        np.add.reduce(sums[np.append(row, by_row[start:stop])], axis=0, out=sums[row])
        start = stop
    few = ~together
    # One element at a time over flat positions: several times faster than by rows.
    places = np.add(to[few].reshape(-1, 1) * width, np.arange(width))
    np.add.at(sums.reshape(-1), places.reshape(-1), sums[again[few]].reshape(-1))


# ---------------------------------------------------------------------------------------------- rows written


def _scatter_update(table: Array, values: Array, ids: Array) -> Array:
    check_ids(ids, table.shape[0])
    out = table.copy()
    out[ids] = values
    return out


def _scatter_update_into(table: Array, values: Array, ids: Array, *, out: Array) -> None:
    check_ids(ids, table.shape[0])
    _copy_unless_same(table, out)
    out[ids] = values


def _copy_unless_same(x: Array, out: Array) -> None:
    """Begin with an operand: nothing to do where `out` is its memory, which it is or has no part of."""
    if not np.may_share_memory(x, out):
        np.copyto(out, x)


SPARSE_ROWS: dict[str, Kernel] = {
    "sum_by_id": Kernel(_sum_by_id, _sum_by_id_into),
    "scatter_update": Kernel(_scatter_update, _scatter_update_into),
}
