"""Samples of metrics that are no means over samples."""

from __future__ import annotations

import numpy as np
from sample import Sample, bools, integers, strided, values


def _ids(seed: int, n: int, *shape: int, dtype: type = np.int64):
    return integers(seed, *shape, low=0, high=n, dtype=dtype)


_COUNTED = [
    Sample((values(1, 8), bools(2, 8))),
    Sample((values(3, 4, 2), _ids(4, 2, 4, 2)), {"threshold": 0.5}),
    Sample((strided(values(5, 2, 3)), np.round(values(6, 2, 3, low=0, high=1)))),
    Sample((np.full(3, -1.0), np.zeros(3, bool))),
    Sample((values(7, 8, 3), _ids(8, 3, 8)), {"average": "macro"}),
    Sample((values(9, 8, 3), _ids(10, 2, 8, dtype=np.int32)), {"average": "micro"}),
    Sample((values(11, 2, 3, 4), _ids(12, 3, 2, 4)), {"average": "macro", "axis": 1}),
    Sample((values(13, 4, 3), np.eye(3)[_ids(14, 3, 4)]), {"average": "macro"}),
]

_ROWS = np.stack([np.array([0.5, 1.0, 0.5, -1.0, 2.0]), np.array([1.0, 1.0, 0.0, 0.0, 0.0])], axis=1)

METRIC: dict[str, list[Sample]] = {
    "precision": _COUNTED,
    "recall": _COUNTED,
    "f1": _COUNTED,
    "confusion_matrix": [
        Sample((values(15, 8, 3), _ids(16, 3, 8))),
        Sample((values(17, 8, 2), _ids(18, 2, 8, dtype=np.int32))),
        Sample((values(19, 2, 3, 4), _ids(20, 3, 2, 4)), {"axis": 1}),
        Sample((values(21, 4, 3), np.eye(3)[_ids(22, 3, 4)])),
        Sample((strided(values(23, 4, 3)), _ids(24, 3, 4))),
    ],
    "auc": [
        Sample((values(25, 8), bools(26, 8))),
        Sample((np.round(values(27, 9)), _ids(28, 2, 9))),
        Sample((values(29, 4, 2), np.round(values(30, 4, 2, low=0, high=1)))),
        Sample((strided(values(31, 2, 3)), bools(32, 2, 3))),
        Sample((values(33, 3), np.ones(3, bool))),
        Sample((np.array([1.0, np.nan, -np.inf]), np.array([True, False, False]))),
    ],
    "roc_area": [
        Sample((_ROWS,), smooth=False),
        Sample((_ROWS[:3],), smooth=False),
        Sample((_ROWS[1:4],), smooth=False),
        Sample((_ROWS[:2],), smooth=False),
        Sample((strided(_ROWS),), smooth=False),
        Sample((_ROWS[:0],), smooth=False),
        Sample((_ROWS[:1],), smooth=False),
    ],
    "rmse": [
        Sample((values(34, 8), values(35, 8))),
        Sample((values(36, 4, 2), values(37, 4, 2))),
        Sample((values(38), values(39))),
        Sample((strided(values(40, 2, 3)), values(41, 2, 3))),
        Sample((values(42, 4), 0.5)),
        Sample((np.ones(3), np.ones(3)), smooth=False),
    ],
    "r2": [
        Sample((values(42, 5, 1), values(43, 5, 1))),
        Sample((values(43, 8), values(44, 8))),
        Sample((values(45, 4, 2), values(46, 4, 2))),
        Sample((values(47, 3, 2, 2), values(48, 3, 2, 2))),
        Sample((strided(values(49, 2, 3)), values(50, 2, 3))),
        Sample((values(51, 4), 0.5), smooth=False),
        Sample((np.ones(3), np.ones(3)), smooth=False),
    ],
    "perplexity": [
        Sample((values(52, 8, 3), _ids(53, 3, 8))),
        Sample((values(54, 2, 3, 4), _ids(55, 3, 2, 4, dtype=np.int32)), {"axis": 1}),
        Sample((values(56, 8, 3), np.where(_ids(57, 3, 8) == 2, -100, 1)), {"ignore_index": -100}),
        Sample((values(58, 2, 3), np.array([7, 7])), {"ignore_index": 7}),
        Sample((values(59, 4, 3), np.eye(3)[_ids(60, 3, 4)])),
        Sample((strided(values(61, 4, 3)), _ids(62, 3, 4))),
    ],
}
