"""Samples of reductions."""

from __future__ import annotations

import numpy as np
from sample import Attr, Sample, bools, integers, strided, values

_EVERYWHERE: list[Sample] = [
    Sample((values(1, 3, 4),)),
    Sample((values(2, 3, 4),), {"axes": (0,)}),
    Sample((values(3, 3, 4),), {"axes": -1, "keepdims": True}),
    Sample((values(4, 2, 3, 2),), {"axes": (-1, 0)}),
    Sample((values(5, 2, 1, 3),), {"axes": (1,)}),
    Sample((values(6),)),
    Sample((values(7, 3),), {"axes": ()}),
    Sample((values(8, 1),), {"axes": 0}),
    Sample((strided(values(9, 4, 3)),), {"axes": (0,)}),
    Sample((values(10, 2, 3),), {"keepdims": True}),
]
_EMPTY = [
    Sample((values(11, 0, 3),), {"axes": (0,)}),
    Sample((values(12, 0, 3),), {"axes": (1,)}),
    Sample((values(13, 2, 0),), {"axes": 1, "keepdims": True}),
]
_WHOLE = [
    Sample((integers(14, 3, 4),), {"axes": (0,)}),
    Sample((integers(15, 3, 4, dtype=np.int32),)),
    Sample((integers(16, 3, 4, dtype=np.int8),), {"axes": (1,)}),
    Sample((integers(17, 3, 4, low=0, dtype=np.uint8),), {"keepdims": True}),
    Sample((integers(18, dtype=np.int8),)),
]
_TIED = np.array([[1.0, 2.0, 2.0], [0.0, -0.0, -1.0], [3.0, 3.0, 3.0]])
_LARGE = values(19, 300, 7, low=0.5, high=1.5)
_PRECISE = Sample((_LARGE,), {"axes": (0,)}, smooth=False)


def _positions() -> list[Sample]:
    x = values(20, 3, 4)
    options: list[dict[str, Attr]] = [{}, {"axis": 0}, {"axis": -1, "keepdims": True}, {"keepdims": True}]
    return [
        *(Sample((x,), attrs) for attrs in options),
        Sample((values(21, 2, 1, 3),), {"axis": 1}),
        Sample((values(22, 0, 3),), {"axis": 1}),
        Sample((values(23),)),
        Sample((strided(values(24, 3, 4)),), {"axis": 0}),
        Sample((_TIED,), {"axis": 1}),
        *(Sample((integers(25, 3, 4, low=0, dtype=d),), {"axis": 1}) for d in (np.int64, np.int32, np.int8, np.uint8)),
        Sample((np.array([[1.0, np.nan, 2.0], [-np.inf, -np.inf, np.inf]]),), {"axis": 1}, onnx=False),
    ]


_EXTREME = [
    *_EVERYWHERE,
    _EMPTY[1],
    *_WHOLE,
    Sample((_TIED,), {"axes": (1,)}, smooth=False),
    Sample((np.array([[1.0, np.nan], [-np.inf, np.inf]]),), {"axes": 1}, smooth=False, onnx=False),
]

REDUCTION: dict[str, list[Sample]] = {
    "sum": [*_EVERYWHERE, *_EMPTY, *_WHOLE, _PRECISE, Sample((bools(26, 3, 4),), {"axes": (0,)})],
    "mean": [*_EVERYWHERE, _EMPTY[1], _PRECISE, Sample((values(27, 0, 3),), {"axes": 0}, smooth=False, onnx=False)],
    "max": _EXTREME,
    "min": _EXTREME,
    "norm": [
        Sample((values(60, 2, 3, gap=0.1),), {"axes": -1}),
        Sample((values(61, 2, 3, gap=0.1),), {"axes": (0, 1), "keepdims": True}),
        Sample((values(62, 4, gap=0.1),)),
        Sample((values(63, gap=0.1),)),
        Sample((strided(values(64, 2, 3, gap=0.1)),), {"axes": 0}),
        Sample((values(65, 1, 3, 2, gap=0.1),), {"axes": (0, 2)}),
        Sample((values(66, 5, 1, gap=0.1),), {"axes": 1}),
        Sample((np.array([[0.0, 0.0], [3e30, -4e30], [3e-30, 4e-30]]),), {"axes": 1}, smooth=False, onnx=False),
    ],
    "argmax": _positions(),
    "argmin": _positions(),
    "divide_by_size": [
        Sample((values(28, 3, 4),), {"size": 12}),
        Sample((values(29),), {"size": 1}),
        Sample((values(30, 1, 2),), {"size": 7}),
        Sample((values(31, 0, 2),), {"size": 3}),
        Sample((strided(values(32, 2, 3)),), {"size": 3}),
        Sample((values(33, 2),), {"size": 0}, smooth=False, onnx=False),
    ],
    "sum_to": [
        Sample((values(34, 3, 4),), {"sizes": (4,)}),
        Sample((values(35, 3, 4),), {"sizes": (3, 1)}),
        Sample((values(36, 2, 3, 4),), {"sizes": (1, 4)}),
        Sample((values(37, 3, 4),), {"sizes": ()}),
        Sample((values(38, 3, 1),), {"sizes": (3, 1)}),
        Sample((values(39, 2, 0),), {"sizes": (2, 1)}),
        Sample((strided(values(40, 2, 3)),), {"sizes": (1, 3)}),
    ],
}
