"""Samples of variances and normalisation: along one axis, several or all, means far from 0, single elements, no elements."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from sample import Array, Sample, strided, values


def _loose(samples: list[Sample]) -> list[Sample]:
    return [replace(sample, tolerance=1e-5, cancels=True) for sample in samples]


def _channels(seed: int, x: Array, axis: int, **options: float) -> Sample:
    """A batch norm with numbers of its own for each channel, variances positive."""
    size = x.shape[axis]
    numbers = [values(seed + i, size) for i in range(3)]
    return Sample((x, *numbers, values(seed + 3, size, low=0.2, high=2.0)), {"axis": axis, **options})


def _layer(seed: int, x: Array, axis: int, **options: float) -> Sample:
    shape = x.shape[axis:]
    return Sample((x, values(seed, *shape), values(seed + 1, *shape)), {"axis": axis, **options})


_CHANNEL_SAMPLES = [
    Sample((values(1201, 2, 3),)),
    Sample((values(1202, 2, 3, 4, 2),)),
    Sample((values(1203, 2, 3, 2),), {"axis": -1}),
    Sample((values(1204, 2, 1),)),
    Sample((strided(values(1205, 3, 4)),), {"axis": 0}),
]

NORM: dict[str, list[Sample]] = {
    "variance": _loose(
        [
            Sample((values(1210, 2, 3),)),
            Sample((values(1211, 2, 3, 2),), {"axes": (0, 2), "keepdims": True}),
            Sample((values(1212, 4, 3),), {"axes": 0, "correction": 1}),
            Sample((values(1213, 3, 1),), {"axes": 1}),
            Sample((strided(values(1214, 2, 3)),), {"axes": -1}),
            Sample((values(1215, 0, 3),), {"axes": 1}),
            Sample((values(1216, 2, 3),), {"axes": ()}),
        ]
    ),
    "channel_mean": _loose(_CHANNEL_SAMPLES),
    "channel_variance": _loose([*_CHANNEL_SAMPLES, Sample((values(1206, 3, 2, 2),), {"correction": 1})]),
    "scale_channels": [
        Sample((values(1280, 2, 3), values(1281, 3), values(1282, 3))),
        Sample((values(1283, 2, 3, 2, 2), values(1284, 3), values(1285, 3))),
        Sample((values(1286, 2, 3, 2), values(1287, 2), values(1288, 2)), {"axis": -1}),
        Sample((values(1289, 0, 2), values(1290, 2), values(1291, 2))),
        Sample((values(1292, 3), values(1293, 3), values(1294, 3)), {"axis": 0}),
    ],
    "standardize": _loose(
        [
            Sample((values(1220, 2, 3),), {"axes": -1}),
            Sample((values(1221, 2, 3, 4),), {"axes": (0, 2)}),
            Sample((values(1222, 2, 3, 2, 2),), {"axes": (2, 3), "eps": 0.1}),
            Sample((values(1223, 6),)),
            Sample((strided(values(1224, 2, 4)),), {"axes": 1}),
            Sample((values(1225, 0, 3),), {"axes": 1}),
            Sample((np.full((2, 3), 0.75),), {"axes": 1}, smooth=False),
        ]
    ),
    "layer_norm": _loose(
        [
            _layer(1230, values(1240, 2, 3), 1),
            _layer(1232, values(1241, 2, 3, 4), 1),
            _layer(1234, values(1242, 2, 2, 5), 2, eps=0.1),
            _layer(1236, strided(values(1243, 3, 4)), 1),
            _layer(1238, values(1244, 0, 4), 1),
        ]
    ),
    "batch_norm": _loose(
        [
            _channels(1250, values(1260, 3, 2), 1),
            _channels(1254, values(1261, 2, 3, 2, 2), 1),
            _channels(1258, values(1262, 2, 3, 4), 2, eps=0.1),
            _channels(1262, strided(values(1263, 3, 4)), 0),
            _channels(1266, values(1264, 0, 3, 2), 1),
            _channels(1270, values(1265, 4), 0),
        ]
    ),
}
