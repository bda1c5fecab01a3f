"""Samples of operators that arrange elements: shapes, slices, joins, fills, flat vectors."""

from __future__ import annotations

import numpy as np
from sample import Sample, bools, integers, strided, values

from dslc.tensor_type import DType

_SHAPE: dict[str, list[Sample]] = {
    "reshape": [
        Sample((values(1, 3, 4),), {"sizes": (2, 6)}),
        Sample((values(2, 3, 4),), {"sizes": (-1,)}),
        Sample((values(3, 2, 3, 2),), {"sizes": (2, -1)}),
        Sample((values(4),), {"sizes": (1, 1)}),
        Sample((values(5, 1),), {"sizes": ()}),
        Sample((values(6, 0, 3),), {"sizes": (3, 0)}),
        Sample((strided(values(7, 2, 3)),), {"sizes": (3, 2)}),
        Sample((integers(8, 4),), {"sizes": (2, 2)}),
        Sample((bools(9, 4),), {"sizes": (2, 2)}),
    ],
    "flatten": [
        Sample((values(10, 2, 3, 2),)),
        Sample((values(11, 2, 3, 2),), {"start": 0}),
        Sample((values(12, 2, 3, 2),), {"start": -2}),
        Sample((values(13, 3),)),
        Sample((values(14, 0, 2, 2),)),
        Sample((strided(values(15, 2, 2, 3)),)),
        Sample((values(16, 1, 4),)),
    ],
    "transpose": [
        Sample((values(16, 3, 2),)),
        Sample((values(17, 2, 3, 1),)),
        Sample((values(18, 2, 3, 1),), {"axes": (0, -1, 1)}),
        Sample((values(19),)),
        Sample((values(20, 3),), {"axes": 0}),
        Sample((values(21, 0, 2),)),
        Sample((strided(values(22, 2, 3)),)),
        Sample((integers(23, 2, 3, dtype=np.int8),)),
    ],
    "squeeze": [
        Sample((values(24, 1, 3, 1),)),
        Sample((values(25, 1, 3, 1),), {"axis": -1}),
        Sample((values(26, 1, 3, 1),), {"axis": (0, 2)}),
        Sample((values(27, 3),)),
        Sample((values(28, 1),)),
        Sample((values(29, 0, 1),), {"axis": 1}),
        Sample((strided(values(30, 1, 3)),), {"axis": 0}),
    ],
    "expand_dims": [
        Sample((values(31, 3),), {"axis": 0}),
        Sample((values(32, 2, 3),), {"axis": -1}),
        Sample((values(33, 2, 3),), {"axis": (0, 2)}),
        Sample((values(34),), {"axis": 0}),
        Sample((values(35, 0, 3),), {"axis": 1}),
        Sample((strided(values(36, 2, 3)),), {"axis": 1}),
        Sample((values(37, 2, 1, 2),), {"axis": (1, -1)}),
    ],
    "sized": [
        Sample((values(60, 3, 4),), {"sizes": (3, 4), "claim": "`x` is f32[3, 4]"}),
        Sample((values(61),), {"sizes": (), "claim": "`x` is f32[]"}),
        Sample((values(62, 0, 2),), {"sizes": (0, 2), "claim": "`x` is f32[0, 2]"}),
        Sample((strided(values(63, 2, 3)),), {"sizes": (2, 3), "claim": "`x` is f32[2, 3]"}),
        Sample((integers(64, 4),), {"sizes": (4,), "claim": "`x` is i64[4]"}),
        Sample((values(65, 1, 2, 2),), {"sizes": (1, 2, 2), "claim": "`x` is f32[1, 2, 2]"}),
    ],
    "expand": [
        Sample((values(37, 3, 1),), {"sizes": (3, 4)}),
        Sample((values(38, 4),), {"sizes": (2, 3, 4)}),
        Sample((values(39),), {"sizes": (2, 3)}),
        Sample((values(40, 2, 1),), {"sizes": (-1, 3)}),
        Sample((values(41, 1, 3),), {"sizes": (0, 3)}),
        Sample((strided(values(42, 1, 3)),), {"sizes": (2, 3)}),
        Sample((values(43, 2, 3),), {"sizes": (2, 3)}),
        Sample((bools(44, 3, 1),), {"sizes": (3, 2)}),
    ],
}

_SLICING: dict[str, list[Sample]] = {
    "slice": [
        Sample((values(45, 3, 4),), {"starts": (1,), "stops": (3,), "steps": ()}),
        Sample((values(46, 3, 4),), {"starts": (None, -2), "stops": (), "steps": ()}),
        Sample((values(47, 3, 5),), {"starts": (0, 0), "stops": (None, -1), "steps": (2, 2)}),
        Sample((values(48, 5),), {"starts": (1,), "stops": (5,), "steps": (3,)}),
        Sample((values(49, 3, 4),), {"starts": (2, 1), "stops": (2, 2), "steps": ()}),
        Sample((values(50, 0, 2),), {"starts": (0, 1), "stops": (0, 2), "steps": ()}),
        Sample((strided(values(51, 3, 4)),), {"starts": (0, 1), "stops": (2, 4), "steps": (1, 2)}),
        Sample((values(52, 2, 1),), {"starts": (), "stops": (), "steps": ()}),
        Sample((values(53),), {"starts": (), "stops": (), "steps": ()}),
        Sample((integers(54, 4),), {"starts": (1,), "stops": (None,), "steps": (2,)}),
    ],
    "pad_slice": [
        Sample((values(55, 2, 4),), {"sizes": (3, 4), "starts": (1, 0), "steps": (1, 1)}),
        Sample((values(56, 2),), {"sizes": (5,), "starts": (1,), "steps": (3,)}),
        Sample((values(57, 2, 2),), {"sizes": (3, 5), "starts": (0, 0), "steps": (2, 2)}),
        Sample((values(58, 1, 2),), {"sizes": (1, 6), "starts": (0, 1), "steps": (1, 3)}),
        Sample((values(59, 0, 2),), {"sizes": (3, 2), "starts": (1, 0), "steps": (1, 1)}),
        Sample((strided(values(60, 2, 2)),), {"sizes": (2, 3), "starts": (0, 1), "steps": (1, 1)}),
        Sample((values(61),), {"sizes": (), "starts": (), "steps": ()}),
        Sample((values(62, 3, 2),), {"sizes": (5, 4), "starts": (0, 1), "steps": (2, 2)}),
    ],
}

_JOINING: dict[str, list[Sample]] = {
    "concat": [
        Sample((values(63, 2, 3), values(64, 1, 3)), {"axis": 0}),
        Sample((values(65, 2, 1), values(66, 2, 2), values(67, 2, 3)), {"axis": -1}),
        Sample((values(68, 3),), {"axis": 0}),
        Sample((values(69, 0, 2), values(70, 2, 2)), {"axis": 0}),
        Sample((strided(values(71, 2, 2)), strided(values(72, 2, 3))), {"axis": 1}),
        Sample((integers(73, 2), integers(74, 3)), {"axis": 0}),
        Sample((bools(75, 2, 1), bools(76, 2, 1)), {"axis": 1}),
    ],
    "stack": [
        Sample((values(77, 2, 3), values(78, 2, 3)), {"axis": 0}),
        Sample((values(79, 2), values(80, 2), values(81, 2)), {"axis": -1}),
        Sample((values(82), values(83)), {"axis": 0}),
        Sample((values(84, 0, 2), values(85, 0, 2)), {"axis": 1}),
        Sample((strided(values(86, 2, 2)), values(87, 2, 2)), {"axis": 1}),
        Sample((integers(88, 1),), {"axis": 1}),
    ],
}

_CREATION: dict[str, list[Sample]] = {
    "full": [
        Sample((), {"sizes": (2, 3), "value": 0.5}),
        Sample((), {"sizes": (), "value": -1}),
        Sample((), {"sizes": (0, 2), "value": 1.0}),
        Sample((), {"sizes": (1,), "value": 3.0, "dtype": DType.I64}),
        Sample((), {"sizes": (2,), "value": True, "dtype": DType.BOOL}),
        Sample((), {"sizes": (2, 1), "value": 7, "dtype": DType.F64}),
    ],
    "arange": [
        *(Sample((), {"size": size}) for size in (3, 1, 0)),
        Sample((), {"size": 4, "dtype": DType.I64}),
        Sample((), {"size": 5, "dtype": DType.F64}),
        Sample((), {"size": 2, "dtype": DType.I8}),
    ],
    "zeros": [Sample((), {"sizes": sizes}) for sizes in ((2, 3), (), (0,), (1, 1), (4, 1, 2))],
    "ones": [Sample((), {"sizes": sizes, "dtype": DType.I32}) for sizes in ((2, 3), (), (0,), (1, 1), (4, 1, 2))],
}

_ARENA: dict[str, list[Sample]] = {
    "segment": [
        Sample((values(89, 12),), {"offset": 2, "sizes": (2, 3)}),
        Sample((values(90, 6),), {"offset": 0, "sizes": (6,)}),
        Sample((values(91, 5),), {"offset": 4, "sizes": ()}),
        Sample((values(92, 5),), {"offset": 2, "sizes": (0, 2)}),
        Sample((values(93, 1),), {"offset": 0, "sizes": (1, 1)}),
        Sample((strided(values(94, 6)),), {"offset": 1, "sizes": (2, 2)}),
        Sample((values(86, 7),), {"offset": 0, "sizes": (3, 2)}),
    ],
    "pack": [
        Sample((values(95, 2, 3), values(96, 3))),
        Sample((values(97), values(98, 1, 2), values(99, 2))),
        Sample((values(100, 4),)),
        Sample((values(101, 0, 2), values(102, 2))),
        Sample((strided(values(103, 2, 2)), values(104, 1))),
    ],
}

SHAPE: dict[str, list[Sample]] = {**_SHAPE, **_SLICING, **_JOINING, **_CREATION, **_ARENA}
