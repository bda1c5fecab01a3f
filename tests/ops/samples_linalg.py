"""Samples of matrix products."""

from __future__ import annotations

import numpy as np
from sample import Sample, integers, strided, values

LINALG: dict[str, list[Sample]] = {
    "matmul": [
        Sample((values(1, 3, 4), values(2, 4, 2))),
        Sample((values(3, 2, 3, 4), values(4, 4, 2))),
        Sample((values(5, 2, 3, 4), values(6, 2, 4, 1))),
        Sample((values(7, 2, 1, 2, 3), values(8, 2, 3, 2))),
        Sample((values(9, 3, 4), values(10, 2, 4, 2))),
        Sample((values(11, 3), values(12, 3))),
        Sample((values(13, 3), values(14, 3, 2))),
        Sample((values(15, 2, 3), values(16, 3))),
        Sample((values(17, 3), values(18, 2, 3, 2))),
        Sample((values(19, 2, 2, 3), values(20, 3))),
        Sample((values(21, 1, 1), values(22, 1, 1))),
        Sample((values(23, 0, 3), values(24, 3, 2))),
        Sample((values(25, 2, 0), values(26, 0, 3))),
        Sample((values(27, 0, 2, 3), values(28, 3, 2))),
        Sample((strided(values(29, 3, 4)), strided(values(30, 4, 2)))),
        Sample((strided(values(31, 2, 3, 4)), values(32, 4, 2))),
        Sample((values(33, 4, 3).T, values(34, 2, 4).T)),
        Sample((integers(35, 3, 4), integers(36, 4, 2))),
        Sample((integers(37, 3, 4, dtype=np.int32), integers(38, 4, dtype=np.int32))),
    ],
    "matmul_turned": [
        Sample((values(41, 3, 4), values(42, 4, 2)), {"axes": (1, 0)}),
        Sample((values(43, 2, 3, 5, 4), values(44, 2, 3, 4, 2)), {"axes": (0, 2, 1, 3)}),
        Sample((values(45, 2, 3, 4, 2), values(46, 2, 3, 2, 5)), {"axes": (0, 3, 1, 2)}),
        Sample((values(47, 2, 1, 3, 2), values(48, 3, 2, 4)), {"axes": (3, 1, 0, 2)}),
        Sample((strided(values(49, 2, 3, 4)), values(50, 4, 2)), {"axes": (1, 0, 2)}),
        Sample((values(51, 0, 2, 3), values(52, 0, 3, 2)), {"axes": (1, 0, 2)}),
    ],
    "gemm": [
        Sample((values(61, 3, 2), values(62, 3, 4), values(63, 4, 2), values(64), values(65)), cancels=True),
        Sample((values(66, 3, 2), values(67, 4, 3).T, values(68, 2, 4).T, values(69), values(70)), cancels=True),
        Sample((values(71, 1, 1), values(72, 1, 1), values(73, 1, 1), values(74), values(75)), cancels=True),
        Sample((values(76, 2, 3), values(77, 2, 0), values(78, 0, 3), values(79), values(80))),
        Sample((values(81, 0, 3), values(82, 0, 2), values(83, 2, 3), values(84), values(85))),
        Sample(
            (strided(values(86, 3, 4)), strided(values(87, 3, 2)), values(88, 2, 4), values(89), values(90)),
            cancels=True,
        ),
        Sample((values(91, 2, 3), values(92, 2, 2), values(93, 2, 3), np.array(0.0), np.array(1.0))),
        Sample((values(94, 2, 3), values(95, 2, 2), values(96, 2, 3), np.array(-0.01), np.array(0.0)), cancels=True),
    ],
}
