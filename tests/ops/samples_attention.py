"""Samples of attention: batches that broadcast, masks of both kinds, queries that may look at nothing, one step, no samples."""

from __future__ import annotations

import numpy as np
from sample import Sample, bools, strided, values

_FIRST_KEY_ONLY = np.array([[True, False, False]])
_BLIND_QUERY = np.array([[True, True, False], [False, False, False]])

_WEIGHTS = [
    Sample((values(1500, 3, 2), values(1501, 4, 2))),
    Sample((values(1502, 2, 2, 3, 4), values(1503, 2, 2, 5, 4)), {"causal": True}),
    Sample((values(1504, 2, 2, 3), values(1505, 3, 3), _BLIND_QUERY)),
    Sample((values(1506, 2, 3), values(1507, 3, 3), values(1508, 2, 3)), {"scale": 1}),
    Sample((values(1509, 2, 2, 3, 2), values(1510, 2, 1, 3, 2), bools(1511, 2, 1, 1, 3)), {"causal": True}),
    Sample((values(1512, 1, 1), values(1513, 1, 1))),
    Sample((values(1514, 0, 3, 2), values(1515, 0, 3, 2)), {"causal": True}),
    Sample((strided(values(1516, 3, 2)), strided(values(1517, 3, 2))), {"scale": 0.3}),
    Sample((values(1518, 2, 3), values(1519, 3, 3), np.array([[0.5, -np.inf, 0.1], [-np.inf] * 3])), smooth=False),
]


def _attends(seed: int, sample: Sample, *shape: int) -> Sample:
    """The same queries, keys and mask with values of a shape."""
    q, k, *mask = sample.operands
    return Sample((q, k, values(seed, *shape), *mask), sample.attrs, sample.smooth, tolerance=1e-5, cancels=True)


ATTENTION: dict[str, list[Sample]] = {
    "attention_weights": _WEIGHTS,
    "attention": [
        _attends(1530, _WEIGHTS[0], 4, 3),
        _attends(1531, _WEIGHTS[1], 2, 2, 5, 4),
        _attends(1532, _WEIGHTS[2], 3, 2),
        _attends(1533, _WEIGHTS[3], 2, 3, 1),
        _attends(1534, _WEIGHTS[4], 2, 2, 3, 2),
        _attends(1535, _WEIGHTS[5], 1, 1),
        _attends(1536, _WEIGHTS[6], 0, 3, 2),
        _attends(1537, _WEIGHTS[8], 3, 2),
        Sample((values(1540, 4, 3), values(1541, 3, 3), values(1542, 3, 2), _FIRST_KEY_ONLY)),
    ],
}
