"""Kernels of metrics."""

from __future__ import annotations

import numpy as np

from dslc_runtime.kernels.kernel import Array, Kernel


def _roc_area(rows: Array) -> Array:
    scores, truth = rows[:, 0], rows[:, 1]
    values, place = np.unique(scores, return_inverse=True)
    true, false = (np.bincount(place, weights, len(values)) for weights in (truth, 1 - truth))
    below = np.cumsum(false) - false
    area = np.sum(true * (below + false / 2)) / (np.sum(true) * np.sum(false))
    return np.asarray(np.nan if np.isnan(scores).any() else area, rows.dtype)


def _roc_area_into(rows: Array, *, out: Array) -> None:
    out[...] = _roc_area(rows)


METRIC: dict[str, Kernel] = {"roc_area": Kernel(_roc_area, _roc_area_into)}
