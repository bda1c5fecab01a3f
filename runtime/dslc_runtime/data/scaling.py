"""Numbers -> numbers of mean 0 and deviation 1 over the training part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from dslc_runtime.data.learning import Learned
from dslc_runtime.data.table import Table

Array: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Standardize:
    """(x - mean) / deviation for each element of a row on its own.

    The deviation is that of the training part itself, the root of the mean of squares; where all its values are equal, it is 1.
    """

    field: str

    def learn(self, rows: Array, _: Table) -> Learned:
        """Means and deviations, in double precision."""
        exact = rows.astype(np.float64, copy=False)
        mean = exact.mean(axis=0)
        deviation = np.where(exact.max(axis=0) == exact.min(axis=0), 1.0, exact.std(axis=0))
        return {"mean": mean.tolist(), "deviation": deviation.tolist()}

    def apply(self, rows: Array, learned: Learned, _: Table) -> Array:
        """The value for each row, in the type of the rows."""
        mean, deviation = (np.array(learned[name], np.float64) for name in ("mean", "deviation"))
        return ((rows - mean) / deviation).astype(rows.dtype, copy=False)

    def fits(self, learned: Learned) -> bool:
        return all(_is_numbers(learned, name) for name in ("mean", "deviation"))


def _is_numbers(learned: Mapping[str, Any], name: str) -> bool:
    try:
        return bool(np.isfinite(np.array(learned.get(name), np.float64)).all())
    except (TypeError, ValueError):
        return False
