"""What fields take from a source, by name: single columns, several stacked, ranges of neighbours; and tables seen through that.

Names of columns are looked up here and nowhere else, whatever the source is. Nothing is parsed and no field is computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from dslc_runtime.data.table import Column, Rows, Table, readable_dtype
from dslc_runtime.errors import RuntimeFault, listed, near_name

Array: TypeAlias = npt.NDArray[Any]
Content: TypeAlias = Literal["numbers", "labels", "text"]


@dataclass(frozen=True, slots=True)
class Read:
    """What a field takes from one row.

    Attributes:
        name: how the field calls it.
        columns: one column, several that are stacked, or the two ends of a range of neighbouring ones.
        range: whether they are the ends of a range.
        content: what the cells are taken for; "labels" may be integers or text.
        vector: whether one column alone is a vector too.
    """

    name: str
    columns: tuple[str, ...]
    range: bool = False
    content: Content = "numbers"
    vector: bool = False

    @property
    def stacked(self) -> bool:
        """Whether a row of it is a vector of columns."""
        return self.vector or self.range or len(self.columns) > 1


def resolve(read: Read, known: Sequence[str], where: str) -> tuple[str, ...]:
    """The names of all columns that are read.

    Args:
        known: the columns there are, in their order.

    Raises:
        RuntimeFault: DL5003 a column is not there, DL5065 it is there twice, or a range ends before it begins.
    """
    for name in read.columns:
        if name not in known:
            raise missing_column(name, known, where)
        if known.count(name) > 1:
            raise RuntimeFault("DL5065", f"there are {known.count(name)} columns `{name}`", where, [_all(known)])
    if not read.range:
        return read.columns
    first, last = (known.index(name) for name in read.columns)
    if first > last:
        text = f"the range from `{read.columns[0]}` to `{read.columns[1]}` ends before it begins"
        raise RuntimeFault("DL5065", text, where, [_all(known)], "ranges follow the order of the columns in the file")
    return tuple(known[first : last + 1])


def missing_column(name: str, known: Iterable[str], where: str) -> RuntimeFault:
    """The fault of a column that is not there."""
    return RuntimeFault("DL5003", f"there is no column `{name}`", where, [_all(known)], near_name(name, known))


def _all(known: Iterable[str]) -> str:
    return f"the columns are {listed(known)}"


@dataclass(frozen=True, slots=True)
class Selection:
    """A table whose columns are reads of another one."""

    base: Table
    columns: Mapping[str, Column]
    _taken: Mapping[str, tuple[str, ...]]
    _stacked: frozenset[str]

    @property
    def name(self) -> str:
        return self.base.name

    @property
    def rows(self) -> int:
        return self.base.rows

    @property
    def fingerprint(self) -> str:
        return self.base.fingerprint

    def place(self, row: int) -> str:
        return self.base.place(row)

    def read(self, name: str) -> Array:
        """A column, or several along a new axis after the rows: ``[rows, k, *shape]``."""
        columns = self._taken[name]
        if name not in self._stacked:
            return self.base.read(columns[0])
        first = self.base.read(columns[0])
        stacked = np.empty((len(first), len(columns), *first.shape[1:]), self.columns[name].dtype)
        for at, column in enumerate(columns):
            stacked[:, at] = self.base.read(column)
        return stacked


@dataclass(frozen=True, slots=True)
class RowsOf:
    """Some rows of a table, as a table."""

    base: Table
    chosen: Rows

    @property
    def name(self) -> str:
        return self.base.name

    @property
    def rows(self) -> int:
        return len(self.chosen)

    @property
    def columns(self) -> Mapping[str, Column]:
        return self.base.columns

    @property
    def fingerprint(self) -> str:
        return self.base.fingerprint

    def read(self, name: str) -> Array:
        return self.base.read(name)[self.chosen]

    def place(self, row: int) -> str:
        return self.base.place(int(self.chosen[row]))


def select(base: Table, reads: Sequence[Read], known: Sequence[str]) -> Selection:
    """A table seen through reads.

    Args:
        base: holds every column that `resolve` gives.
        known: the columns of the source, in their order.

    Raises:
        RuntimeFault: DL5003, DL5065 as `resolve`, DL5066 columns that cannot be stacked.
    """
    taken = {read.name: resolve(read, known, base.name) for read in reads}
    stacked = frozenset(read.name for read in reads if read.stacked)
    columns = {
        name: _stack_type(base, names) if name in stacked else base.columns[names[0]] for name, names in taken.items()
    }
    return Selection(base, columns, taken, stacked)


def _stack_type(base: Table, names: Sequence[str]) -> Column:
    """The type of a row of stacked columns: of one shape, numbers of one kind or the kind that holds all."""
    first = base.columns[names[0]]
    dtype = first.dtype
    for name in names[1:]:
        column = base.columns[name]
        if column.shape != first.shape:
            text = f"`{names[0]}` and `{name}` cannot be stacked: rows are {list(first.shape)} and {list(column.shape)}"
            raise RuntimeFault("DL5066", text, base.name)
        if (dtype.kind == "b") != (column.dtype.kind == "b"):
            text = f"`{names[0]}` and `{name}` cannot be stacked: one holds truth values, one numbers"
            raise RuntimeFault("DL5066", text, base.name)
        dtype = readable_dtype(base.name, name, np.promote_types(dtype, column.dtype))
    return Column(dtype, (len(names), *first.shape))
