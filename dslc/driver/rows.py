"""Rows for `predict` from npz, npy, csv and json files: the same columns as in training, numbers or text."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from dslc_runtime.data.csv_file import Dialect, csv_header, open_csv
from dslc_runtime.data.npz import array_names, open_npz
from dslc_runtime.data.read import Read, resolve, select
from dslc_runtime.data.table import Table, memory_table
from dslc_runtime.errors import RuntimeFault, listed, nearest, why

_FILL_IN = "each row gets a result: fill it in, or leave the row out of the file"
FORMATS = (".npz", ".npy", ".csv", ".json")


def read_rows(path: Path, reads: Sequence[Read], others: Mapping[str, Sequence[str]], dialect: Dialect) -> Table:
    """The columns of a file that are read.

    Args:
        others: names that a column may have beside its own.
        dialect: how a CSV file is written.

    Raises:
        RuntimeFault: the file cannot be read (DL5001), is damaged or of another format (DL5002, DL5060 to DL5063), or lacks a
            column (DL5003).
    """
    if path.suffix in FORMATS:
        _require_readable(path)
    if path.suffix == ".csv":
        return _read_csv(path, reads, others, dialect)
    if path.suffix == ".npz":
        known = array_names(path)
        found = [_present(path, _renamed(read, known, others), known) for read in reads]
        names = {name: name for read in found for name in _needed(read, known, str(path))}
        return select(open_npz(path, names, _texts(found)), found, known)
    if path.suffix == ".npy":
        return _read_npy(path, reads)
    if path.suffix == ".json":
        return _read_json(path, reads, others)
    raise RuntimeFault("DL5002", f"`{path}` does not end in one of {', '.join(FORMATS)}")


def _read_csv(path: Path, reads: Sequence[Read], others: Mapping[str, Sequence[str]], dialect: Dialect) -> Table:
    """The columns of a CSV file; no row of it is left out, since each gets a result."""
    header = csv_header(path, dialect)
    try:
        return open_csv(path, [_in_header(path, read, header, others) for read in reads], replace(dialect, drop=False))
    except RuntimeFault as fault:
        if fault.code == "DL5061":
            fault.help = _FILL_IN
        raise


def _renamed(read: Read, known: Sequence[str], others: Mapping[str, Sequence[str]]) -> Read:
    """A read by whichever names of its columns there are."""
    return replace(
        read,
        columns=tuple(next((n for n in (name, *others.get(name, ())) if n in known), name) for name in read.columns),
    )


def _present(path: Path, read: Read, known: Sequence[str]) -> Read:
    """The same read, of columns that the file has."""
    for name in read.columns:
        if name not in known:
            raise _missing(path, name, known)
    return read


def _missing(path: Path, name: str, known: Sequence[str], *notes: str) -> RuntimeFault:
    """The fault of a column that is not there. The program is as it was trained, so what can be renamed is the file's."""
    near = nearest(name, known)
    mend = f"the file has `{near}`, and the program reads `{name}`: rename the column" if near else ""
    return RuntimeFault(
        "DL5003", f"there is no column `{name}`", str(path), [f"the columns are {listed(known)}", *notes], mend
    )


def _needed(read: Read, known: Sequence[str], where: str) -> tuple[str, ...]:
    return resolve(read, known, where) if read.range else read.columns


def _texts(reads: Sequence[Read]) -> set[str]:
    return {name for read in reads if read.content != "numbers" for name in read.columns}


def _in_header(path: Path, read: Read, header: Sequence[str], others: Mapping[str, Sequence[str]]) -> Read:
    """A read of a CSV file, in which a column `x` of vectors is written as `x_0`, `x_1`, ..."""
    found = _renamed(read, header, others)
    if read.stacked or read.content != "numbers" or found.columns[0] in header:
        return _present(path, found, header)
    name = read.columns[0]
    elements: list[str] = []
    while f"{name}_{len(elements)}" in header:
        elements.append(f"{name}_{len(elements)}")
    if elements:
        return replace(read, columns=tuple(elements), vector=True)
    raise _missing(path, name, header, f"a column `{name}` of vectors is written as `{name}_0`, `{name}_1`, ...")


def _require_readable(path: Path) -> None:
    try:
        path.open("rb").close()
    except OSError as error:
        raise RuntimeFault("DL5001", f"the input `{path.name}` cannot be read: {why(error)}", str(path)) from error


def _damaged(path: Path, how: str) -> RuntimeFault:
    return RuntimeFault("DL5002", f"`{path.name}` {how}", str(path))


def _read_npy(path: Path, reads: Sequence[Read]) -> Table:
    """One array: all that is read."""
    if len(reads) != 1:
        text = f"`{path.name}` holds one array, and {len(reads)} columns are needed"
        notes = [f"the columns are {listed(read.name for read in reads)}"]
        raise RuntimeFault("DL5003", text, str(path), notes, "use an .npz file")
    try:
        array = np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)
    except (ValueError, EOFError, MemoryError) as error:
        raise _damaged(path, "is not a NumPy array of numbers") from error
    return memory_table({reads[0].name: array}, str(path), _texts(reads) and {reads[0].name})


def _read_json(path: Path, reads: Sequence[Read], others: Mapping[str, Sequence[str]]) -> Table:
    """An object of columns, or a list of objects, one per row."""
    try:
        content: object = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        where = isinstance(error, json.JSONDecodeError)
        place = f": {error.msg.lower()}, line {error.lineno}, column {error.colno}" if where else ""
        raise _damaged(path, f"is not JSON{place}") from error
    columns = _columns(path, content)
    known = list(columns)
    found = [_present(path, _renamed(read, known, others), known) for read in reads]
    needed = {name: columns[name] for read in found for name in resolve(read, known, str(path))}
    _require_values(path, needed)
    return select(memory_table(needed, str(path), _texts(found)), found, known)


def _require_values(path: Path, columns: Mapping[str, Any]) -> None:
    for name, rows in columns.items():
        if isinstance(rows, list) and None in cast("list[object]", rows):
            row = cast("list[object]", rows).index(None) + 1
            raise RuntimeFault("DL5061", f"column `{name}` has no value in row {row} (null)", str(path), help=_FILL_IN)


def _columns(path: Path, content: object) -> dict[str, Any]:
    if isinstance(content, dict):
        return cast("dict[str, Any]", content)
    if not isinstance(content, list) or not all(isinstance(row, dict) for row in cast("list[object]", content)):
        raise _damaged(path, "is neither an object of columns nor a list of objects, one per row")
    rows = cast("list[dict[str, Any]]", content)
    present = [name for name in (rows[0] if rows else ()) if all(name in row for row in rows)]
    return {name: [row[name] for row in rows] for name in present}
