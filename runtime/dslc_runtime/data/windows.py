"""Neighbouring rows of a series -> windows over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from dslc_runtime.data.learning import Learned
from dslc_runtime.data.table import Table
from dslc_runtime.errors import RuntimeFault

Array: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Window:
    """Window i is the rows from ``i * stride + offset``, `length` of them.

    Attributes:
        reach: how many rows the windows of all fields reach over, from the first row of window 0: there are as many windows as
            fit whole.
    """

    field: str
    length: int
    stride: int
    offset: int
    reach: int

    def learn(self, _rows: Array, _table: Table) -> Learned:
        """Nothing."""
        return {}

    def apply(self, rows: Array, _: Learned, table: Table) -> Array:
        """``[windows, length, *shape]``, a view of the rows.

        Raises:
            RuntimeFault: DL5069, there are too few rows for one window.
        """
        if len(rows) < self.reach:
            text = f"field `{self.field}` needs {self.reach} rows for a window, and a part of the data has {len(rows)}"
            raise RuntimeFault("DL5069", text, table.name, ["windows are cut in each part of the data on its own"])
        count = (len(rows) - self.reach) // self.stride + 1
        views = np.lib.stride_tricks.sliding_window_view(rows[self.offset :], self.length, axis=0)
        return np.moveaxis(views[:: self.stride][:count], -1, 1)

    def fits(self, _: Learned) -> bool:
        return True
