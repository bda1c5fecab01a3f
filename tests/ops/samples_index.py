"""Samples of lookups by id."""

from __future__ import annotations

import numpy as np
from sample import Sample, integers, strided, values


def _ids(seed: int, n: int, *shape: int, dtype: type = np.int64):
    return integers(seed, *shape, low=0, high=n, dtype=dtype)


INDEX: dict[str, list[Sample]] = {
    "gather": [
        Sample((values(1, 3, 2), _ids(2, 3, 4))),
        Sample((values(3, 3, 2), _ids(4, 3, 2, 2, dtype=np.int32))),
        Sample((values(5, 4), _ids(6, 4))),
        Sample((values(7, 1, 3), _ids(8, 1, 1))),
        Sample((values(9, 3, 2), _ids(10, 3, 0))),
        Sample((strided(values(11, 3, 4)), _ids(12, 3, 5))),
        Sample((integers(13, 3, 2), _ids(14, 3, 5))),
        Sample((values(15, 2, 1, 3), strided(_ids(16, 2, 3)))),
    ],
    "scatter_add": [
        Sample((values(17, 4, 2), _ids(18, 3, 4)), {"rows": 3}),
        Sample((values(19, 2, 3, 2), _ids(20, 2, 2, 3, dtype=np.int32)), {"rows": 4}),
        Sample((values(21, 5), _ids(22, 2, 5)), {"rows": 2}),
        Sample((values(23, 0, 2), _ids(24, 3, 0)), {"rows": 3}),
        Sample((values(25), _ids(26, 2)), {"rows": 2}),
        Sample((strided(values(27, 3, 2)), strided(_ids(28, 2, 3))), {"rows": 2}),
        Sample((values(29, 3, 1, 2), _ids(30, 1, 3)), {"rows": 1}),
    ],
    "one_hot": [
        Sample((_ids(31, 3, 4),), {"classes": 3}),
        Sample((_ids(32, 2, 2, 3, dtype=np.int32),), {"classes": 2}),
        Sample((_ids(33, 5),), {"classes": 5}),
        Sample((_ids(34, 1, 2),), {"classes": 1}),
        Sample((_ids(35, 3, 0),), {"classes": 3}),
        Sample((strided(_ids(36, 3, 4)),), {"classes": 4}),
    ],
    "pick": [
        Sample((values(37, 3, 4), _ids(38, 4, 3))),
        Sample((values(39, 3, 4), _ids(40, 3, 4, dtype=np.int32)), {"axis": 0}),
        Sample((values(41, 2, 3, 2), _ids(42, 3, 2, 2)), {"axis": 1}),
        Sample((values(43, 4), _ids(44, 4))),
        Sample((values(45, 0, 4), _ids(46, 4, 0))),
        Sample((strided(values(47, 3, 2)), _ids(48, 2, 3))),
        Sample((integers(49, 3, 1), _ids(50, 1, 3))),
    ],
    "unpick": [
        Sample((values(51, 3), _ids(52, 4, 3)), {"axis": 1, "size": 4}),
        Sample((values(53, 3), _ids(54, 4, 3, dtype=np.int32)), {"axis": 0, "size": 4}),
        Sample((values(55, 2, 2), _ids(56, 3, 2, 2)), {"axis": 1, "size": 3}),
        Sample((values(57), _ids(58, 2)), {"axis": 0, "size": 2}),
        Sample((values(59, 0), _ids(60, 4, 0)), {"axis": 1, "size": 4}),
        Sample((strided(values(61, 3)), strided(_ids(62, 1, 3))), {"axis": 1, "size": 1}),
        Sample((values(63, 1, 3), _ids(64, 2, 1, 3)), {"axis": 0, "size": 2}),
    ],
}
