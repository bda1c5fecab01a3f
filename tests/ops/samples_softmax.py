"""Samples of normalised exponentials."""

from __future__ import annotations

import numpy as np
from sample import Array, Sample, integers, strided, values

_FAR = np.array([[1000.0, 0.0, -1000.0], [-1e30, -1e30, -1e30], [80.0, 80.0, 80.0]])
_INFINITE = np.array([[0.0, -np.inf, 1.0], [-np.inf, -np.inf, -np.inf], [np.inf, 0.0, 1.0], [np.nan, 0.0, 1.0]])

_ALONG: list[Sample] = [
    Sample((values(1, 2, 3),)),
    Sample((values(2, 2, 3),), {"axis": 0}),
    Sample((values(3, 2, 3, 2),), {"axis": 1}),
    Sample((values(4, 4),)),
    Sample((values(5, 3, 1),)),
    Sample((values(6, 0, 3),)),
    Sample((strided(values(7, 2, 3)),)),
    Sample((values(8, 2, 40),)),  # rows too long for the copy with the axis first
    Sample((strided(values(9, 2, 40)),)),
    Sample((values(10, 2, 2, 40),), {"axis": -1}),
    Sample((_FAR,), smooth=False),
    Sample((_INFINITE,), smooth=False, onnx=False),
]


def _ids(seed: int, n: int, *shape: int, dtype: type = np.int64):
    return integers(seed, *shape, low=0, high=n, dtype=dtype)


def _parts(seed: int, classes: int, *rows: int) -> Array:
    """What `entropy_parts` gives, as far as its gradient reads it: exponentials, their sums, and then the losses."""
    e = np.exp(values(seed, classes, *rows))
    return np.concatenate([e, e.sum(0, keepdims=True), np.zeros((1, *rows))])


SOFTMAX: dict[str, list[Sample]] = {
    "softmax": _ALONG,
    "log_softmax": _ALONG,
    "logsumexp": [
        *_ALONG,
        Sample((values(11, 2, 3),), {"axis": 0, "keepdims": True}),
        Sample((values(12, 2, 0),), smooth=False, onnx=False),
    ],
    "softmax_cross_entropy": [
        Sample((values(13, 2, 3), _ids(14, 3, 2))),
        Sample((values(15, 3, 4), _ids(16, 3, 4, dtype=np.int32)), {"axis": 0}),
        Sample((values(17, 2, 3, 2), _ids(18, 3, 2, 2)), {"axis": 1}),
        Sample((values(19, 4), _ids(20, 4))),
        Sample((values(21, 0, 3), _ids(22, 3, 0))),
        Sample((values(23, 2, 1), _ids(24, 1, 2))),
        Sample((strided(values(25, 2, 3)), strided(_ids(26, 3, 2)))),
        Sample((values(27, 3, 40), _ids(28, 40, 3))),
        Sample((_FAR, _ids(29, 3, 3)), smooth=False),
    ],
    "softmax_cross_entropy_grad": [
        Sample((values(30, 2, 3), _ids(31, 3, 2), values(32, 2))),
        Sample((values(33, 3, 4), _ids(34, 3, 4, dtype=np.int32), values(35, 4)), {"axis": 0}),
        Sample((values(36, 2, 3, 2), _ids(37, 3, 2, 2), values(38, 2, 2)), {"axis": 1}),
        Sample((values(39, 4), _ids(40, 4), values(41))),
        Sample((values(42, 0, 3), _ids(43, 3, 0), values(44, 0))),
        Sample((strided(values(45, 2, 3)), strided(_ids(46, 3, 2)), strided(values(47, 2)))),
        Sample((values(48, 3, 40), _ids(49, 40, 3), values(50, 3))),
        Sample((_FAR, _ids(51, 3, 3), values(52, 3)), smooth=False),
    ],
    "entropy_parts": [
        Sample((values(53, 2, 3), _ids(54, 3, 2))),
        Sample((values(55, 3, 4), _ids(56, 3, 4, dtype=np.int32)), {"axis": 0}),
        Sample((values(57, 2, 3, 2), _ids(58, 3, 2, 2)), {"axis": 1}),
        Sample((values(59, 4), _ids(60, 4))),
        Sample((values(61, 0, 3), _ids(62, 3, 0))),
        Sample((values(63, 2, 1), _ids(64, 1, 2))),
        Sample((strided(values(65, 2, 3)), strided(_ids(66, 3, 2)))),
        Sample((values(67, 3, 40), _ids(68, 40, 3))),
        Sample((_FAR, _ids(69, 3, 3)), smooth=False),
    ],
    "entropy_parts_grad": [
        Sample((_parts(70, 3, 2), _ids(71, 3, 2), values(72, 2)), {"axis": 1}),
        Sample((_parts(73, 3, 2, 3), _ids(74, 3, 2, 3, dtype=np.int32), values(75, 2, 3)), {"axis": 1}),
        Sample((_parts(76, 4), _ids(77, 4), values(78)), {"axis": 0}),
        Sample((_parts(79, 3, 0), _ids(80, 3, 0), values(81, 0)), {"axis": 0}),
        Sample((strided(_parts(82, 3, 4)), strided(_ids(83, 3, 4)), strided(values(84, 4))), {"axis": 1}),
    ],
}
