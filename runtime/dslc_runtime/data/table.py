"""What a data source is once it is open: columns of equally many rows, typed before they are read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Protocol, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from dslc_runtime.errors import RuntimeFault

Array: TypeAlias = npt.NDArray[Any]
Rows: TypeAlias = npt.NDArray[np.int64]

# Types a file may hold -> the type of the language they are read as. u16 and i16 widen without loss.
_READ_AS = {
    "float16": "float16",
    "float32": "float32",
    "float64": "float64",
    "int8": "int8",
    "uint8": "uint8",
    "int16": "int32",
    "uint16": "int32",
    "int32": "int32",
    "uint32": "int64",
    "int64": "int64",
    "uint64": "int64",
    "bool": "bool",
}


TEXT = np.dtype(object)  # of a column of strings in memory; files are never read as objects


@dataclass(frozen=True, slots=True)
class Column:
    """The element type (`TEXT` for strings) and the shape of one sample of a raw column."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]


class Table(Protocol):
    """An open source of raw columns."""

    @property
    def name(self) -> str:
        """What to call it in messages: the path as the user gave it."""
        ...

    @property
    def rows(self) -> int: ...

    @property
    def columns(self) -> Mapping[str, Column]: ...

    @property
    def fingerprint(self) -> str:
        """A hash that changes when the data do."""
        ...

    def read(self, name: str) -> Array:
        """A column, whole: ``[rows, *shape]``; text as an array of Python strings."""
        ...

    def place(self, row: int) -> str:
        """Where a row stands, for messages: "row 5", counted from 0, or "line 7" of a text file."""
        ...


def readable_dtype(table: str, column: str, dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type a stored type is read as.

    Raises:
        RuntimeFault: DL5004, it is none of the language's.
    """
    if dtype.name in _READ_AS:
        return np.dtype(_READ_AS[dtype.name])
    kinds = {"O": "Python objects, which are stored as pickles and never read", "U": "text", "S": "bytes"}
    kinds |= {"V": "records", "M": "dates", "m": "time spans", "c": "complex numbers"}
    what = kinds.get(dtype.kind, f"values of type {dtype.name}")
    raise RuntimeFault(
        "DL5004",
        f"column `{column}` holds {what}",
        table,
        help="store it as an array of numbers with one row per sample",
    )


def as_read(table: str, column: str, stored: Array) -> Array:
    """A stored array in the type it is read as, in native byte order.

    Raises:
        RuntimeFault: DL5004, an unsigned 64-bit number does not fit a signed one.
    """
    if stored.dtype == np.uint64 and stored.size and stored.max() > np.iinfo(np.int64).max:
        raise RuntimeFault("DL5004", f"column `{column}` holds integers above 2**63 - 1", table)
    return np.ascontiguousarray(stored, readable_dtype(table, column, stored.dtype))


def require_equal_rows(table: str, rows: Mapping[str, int]) -> int:
    """The number of rows all columns have.

    Raises:
        RuntimeFault: DL5005 they differ, DL5008 there are none.
    """
    if len(set(rows.values())) > 1:
        notes = [f"`{column}` has {n} rows" for column, n in rows.items()]
        raise RuntimeFault("DL5005", "the columns have different numbers of rows", table, notes)
    count = next(iter(rows.values()), 0)
    if count == 0:
        raise RuntimeFault("DL5008", "the data have no rows", table)
    return count


@dataclass(frozen=True, slots=True)
class MemoryTable:
    """Columns that are in memory: rows written in the program, arrays handed in, or a file parsed whole."""

    name: str
    rows: int
    columns: Mapping[str, Column]
    _arrays: Mapping[str, Array]
    _lines: Rows | None = None
    _digest: str = ""

    def read(self, name: str) -> Array:
        return self._arrays[name]

    def place(self, row: int) -> str:
        return f"row {row}" if self._lines is None else f"line {self._lines[row]}"

    @property
    def fingerprint(self) -> str:
        if self._digest:
            return self._digest
        digest = blake2b(digest_size=16)
        for column, array in sorted(self._arrays.items()):
            digest.update(f"{column}:{array.dtype.str}:{array.shape};".encode())
            if array.dtype == TEXT:
                for text in array.tolist():
                    digest.update(f"{len(text)}:{text}".encode("utf-8", "surrogatepass"))
            else:
                digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def memory_table(columns: Mapping[str, npt.ArrayLike], name: str = "inline", text: Collection[str] = ()) -> MemoryTable:
    """A table of arrays or nested lists; whole numbers become i64, others f64.

    Args:
        text: the columns that may hold strings, one for each row.

    Raises:
        RuntimeFault: DL5004 values that are not numbers or ragged rows, DL5005 unequal lengths, DL5008 no rows.
    """
    arrays: dict[str, Array] = {}
    for column, values in columns.items():
        if column in text and (strings := as_strings(values)) is not None:
            arrays[column] = strings
            continue
        try:
            array = np.asarray(values)
        except ValueError as error:
            raise RuntimeFault("DL5004", f"the rows of column `{column}` differ in length", name) from error
        if array.dtype.kind == "O":
            raise RuntimeFault(
                "DL5004", f"column `{column}` holds values that are not numbers of at most 64 bits", name
            )
        if array.ndim == 0:
            raise RuntimeFault("DL5004", f"column `{column}` is a single value, not a list of rows", name)
        arrays[column] = as_read(name, column, array)
    rows = require_equal_rows(name, {column: len(array) for column, array in arrays.items()})
    return MemoryTable(name, rows, {c: Column(a.dtype, a.shape[1:]) for c, a in arrays.items()}, arrays)


def as_strings(values: npt.ArrayLike) -> Array | None:
    """One string for each row as an array of Python strings; None where they are something else."""
    listed = values.tolist() if isinstance(values, np.ndarray) else values
    if not isinstance(listed, list | tuple) or not all(isinstance(value, str) for value in cast("Any", listed)):
        return None
    return np.array(listed, TEXT)
