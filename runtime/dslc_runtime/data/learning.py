"""What functions of fields do with whole columns: learn from the training part, then turn any rows into numbers.

A function is a `Transform`; what it learned is plain data that JSON can hold, so that a run can save it and predict with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

import numpy.typing as npt

from dslc_runtime.data.table import Table

Array: TypeAlias = npt.NDArray[Any]
Learned: TypeAlias = Mapping[str, Any]  # numbers, strings and lists of them, by name


class Transform(Protocol):
    """A function of rows."""

    def learn(self, rows: Array, table: Table, /) -> Learned:
        """What is to be known of the training part; `rows` are its rows, which come from `table`."""
        ...

    def apply(self, rows: Array, learned: Learned, table: Table, /) -> Array:
        """The function's value for every row."""
        ...

    def fits(self, learned: Learned, /) -> bool:
        """Whether something read from a file can have been learned by this function."""
        ...
