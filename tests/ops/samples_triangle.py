"""Samples of operators on the triangles of matrices."""

from __future__ import annotations

import numpy as np
from sample import Sample, integers, strided, values


def _samples(seed: int) -> list[Sample]:
    return [
        Sample((values(seed, 3, 3),)),
        Sample((values(seed + 1, 3, 3),), {"diagonal": 1}),
        Sample((values(seed + 2, 2, 3, 5),), {"diagonal": -1}),
        Sample((values(seed + 3, 5, 2),), {"diagonal": 7}),
        Sample((values(seed + 4, 2, 0, 3),)),
        Sample((strided(values(seed + 5, 4, 3)),)),
        Sample((values(seed + 7, 2, 3),)),
        Sample((integers(seed + 6, 3, 4, dtype=np.int32),), {"diagonal": 1}),
    ]


TRIANGLE: dict[str, list[Sample]] = {
    "tril": _samples(800),
    "triu": _samples(820),
    "causal_mask": [  # -inf has no central differences; `tests/notation/test_attention.py` proves the gradient
        Sample((values(840, 3, 3),), smooth=False),
        Sample((values(841, 2, 2, 4, 4),), smooth=False),
        Sample((values(842, 2, 5),), smooth=False),
        Sample((values(843, 5, 2),), smooth=False),
        Sample((values(844, 1, 1),), smooth=False),
        Sample((values(845, 0, 3),), smooth=False),
        Sample((strided(values(846, 3, 3)),), smooth=False),
    ],
}
