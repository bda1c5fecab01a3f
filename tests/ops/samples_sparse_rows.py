"""Samples of rows that are added up by id, and of rows written into a table."""

from __future__ import annotations

import numpy as np
from sample import Sample, integers, strided, values

from dslc_runtime.kernels.kernel import Array


def _ids(seed: int, n: int, *shape: int, dtype: type = np.int64) -> Array:
    return integers(seed, *shape, low=0, high=n, dtype=dtype)


def _often(seed: int, n: int, *shape: int) -> Array:
    """Ids of which one stands in half of all places."""
    ids = _ids(seed, n, *shape)
    ids.reshape(-1)[::2] = n // 2
    return ids


def _update(table: Array, rows: Array, ids: Array) -> Sample:
    """The rows of a source as large as the table, so that equal ids come with equal rows."""
    return Sample((table, rows[ids], ids))


SPARSE_ROWS: dict[str, list[Sample]] = {
    "sum_by_id": [
        Sample((values(1, 4, 2), _ids(2, 3, 4)), {"rows": 3}, cancels=True),
        Sample((values(3, 2, 3, 2), _ids(4, 2, 2, 3, dtype=np.int32)), {"rows": 4}, cancels=True),
        Sample((values(5, 5), _ids(6, 2, 5)), {"rows": 2}, cancels=True),
        Sample((values(7, 0, 2), _ids(8, 3, 0)), {"rows": 3}),
        Sample((values(9), _ids(10, 2)), {"rows": 2}),
        Sample((values(11, 2, 0), _ids(12, 1, 2)), {"rows": 1}),
        Sample((strided(values(13, 3, 2)), strided(_ids(14, 2, 3))), {"rows": 2}, cancels=True),
        Sample((values(15, 3, 1, 2), _ids(16, 1, 3)), {"rows": 1}, cancels=True),
        Sample((values(17, 90, 60), _often(18, 30, 90)), {"rows": 30}, cancels=True),
        Sample((values(19, 1500, 3), _often(20, 2, 1500)), {"rows": 5}, cancels=True),
        Sample((values(21, 60), np.arange(60)), {"rows": 100}),
    ],
    "scatter_update": [
        _update(values(23, 3, 2), values(24, 3, 2), _ids(25, 3, 4)),
        _update(values(26, 4, 2, 3), values(27, 4, 2, 3), _ids(28, 4, 2, 3, dtype=np.int32)),
        _update(values(29, 5), values(30, 5), _ids(31, 5, 3)),
        _update(values(32, 3, 2), values(33, 3, 2), _ids(34, 3, 0)),
        _update(values(35, 1, 3), values(36, 1, 3), _ids(37, 1, 2)),
        _update(values(38, 3, 2), values(39, 3, 2), _ids(40, 3)),
        _update(strided(values(41, 3, 2)), strided(values(42, 3, 2)), strided(_ids(43, 3, 4))),
    ],
}
