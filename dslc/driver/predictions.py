"""Rows for `predict` from npz, npy, csv and json files, and results into them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from dslc_runtime.data.npz import array_names, open_npz
from dslc_runtime.data.table import Table, memory_table
from dslc_runtime.errors import RuntimeFault, listed, near_name, why
from dslc_runtime.files import write_atomic

Array = npt.NDArray[Any]

MAX_BYTES = 4_000_000_000
FORMATS = (".npz", ".npy", ".csv", ".json")


def read_rows(path: Path, columns: Mapping[str, Sequence[str]]) -> Table:
    """The columns of a file.

    Args:
        columns: the columns that are needed, each with other names it may have in the file.

    Raises:
        RuntimeFault: the file cannot be read (DL5001), is damaged or of another format (DL5002), or lacks a column (DL5003).
    """
    if path.suffix not in FORMATS:
        raise RuntimeFault("DL5002", f"`{path}` does not end in one of {', '.join(FORMATS)}")
    if path.suffix == ".npz":
        return _read_npz(path, columns)
    found = {".npy": _read_npy, ".csv": _read_csv, ".json": _read_json}[path.suffix](path, tuple(columns))
    return memory_table(_chosen(path, found, columns), str(path))


def _read_npz(path: Path, columns: Mapping[str, Sequence[str]]) -> Table:
    """An archive, under whichever of the names it holds."""
    known = set(array_names(path))
    names = {column: next((n for n in (column, *others) if n in known), column) for column, others in columns.items()}
    return open_npz(path, names)


def _chosen(path: Path, found: Mapping[str, Any], columns: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    for column, others in columns.items():
        name = next((n for n in (column, *others) if n in found), None)
        if name is None:
            notes = [f"it has {listed(found)}"]
            if path.suffix == ".csv":
                notes.append(f"a column `{column}` of vectors is written as `{column}_0`, `{column}_1`, ...")
            raise RuntimeFault("DL5003", f"there is no column `{column}`", str(path), notes, near_name(column, found))
        chosen[column] = found[name]
    return chosen


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RuntimeFault("DL5001", f"the input `{path.name}` cannot be read: {why(error)}", str(path)) from error


def _damaged(path: Path, how: str) -> RuntimeFault:
    return RuntimeFault("DL5002", f"`{path.name}` {how}", str(path))


def _read_npy(path: Path, columns: tuple[str, ...]) -> dict[str, Any]:
    """One array: the only column."""
    if len(columns) != 1:
        text = f"`{path.name}` holds one array, and {len(columns)} columns are needed"
        raise RuntimeFault("DL5003", text, str(path), [f"the columns are {listed(columns)}"], "use an .npz file")
    try:
        return {columns[0]: np.load(io.BytesIO(_bytes(path)), allow_pickle=False)}
    except (ValueError, EOFError, MemoryError) as error:
        raise _damaged(path, "is not a NumPy array of numbers") from error


def _read_csv(path: Path, columns: tuple[str, ...]) -> dict[str, Any]:
    """A header and rows of numbers. A column `x` of vectors is written as `x_0`, `x_1`, ..."""
    try:
        rows = list(csv.reader(io.StringIO(_bytes(path).decode("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise _damaged(path, "is not CSV text in UTF-8") from error
    if not rows:
        raise _damaged(path, "is empty")
    header, body = [name.strip() for name in rows[0]], [row for row in rows[1:] if row]
    for number, row in enumerate(body, 2):
        if len(row) != len(header):
            raise _damaged(path, f"has {len(row)} cells in line {number}, its header has {len(header)}")
    found: dict[str, Any] = {}
    for name in dict.fromkeys((*header, *columns)):
        places = _places(header, name)
        if places:
            cells = [[_number(path, row[i], line) for i in places] for line, row in enumerate(body, 2)]
            found[name] = (
                [row[0] for row in cells] if places == [header.index(name) if name in header else -1] else cells
            )
    return found


def _places(header: list[str], name: str) -> list[int]:
    """Where a column stands: its own, or those of its elements in order."""
    if name in header:
        return [header.index(name)]
    places: list[int] = []
    while f"{name}_{len(places)}" in header:
        places.append(header.index(f"{name}_{len(places)}"))
    return places


def _number(path: Path, cell: str, line: int) -> int | float:
    for kind in (int, float):
        try:
            return kind(cell)
        except ValueError:
            continue
    raise _damaged(path, f"has {cell!r} in line {line}, which is not a number")


def _read_json(path: Path, columns: tuple[str, ...]) -> dict[str, Any]:
    """An object of columns, or a list of objects, one per row."""
    try:
        found: object = json.loads(_bytes(path))
    except (ValueError, RecursionError) as error:
        where = isinstance(error, json.JSONDecodeError)
        place = f": {error.msg.lower()}, line {error.lineno}, column {error.colno}" if where else ""
        raise _damaged(path, f"is not JSON{place}") from error
    if isinstance(found, dict):
        return cast("dict[str, Any]", found)
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in cast("list[object]", found)):
        raise _damaged(path, "is neither an object of columns nor a list of objects, one per row")
    rows = cast("list[dict[str, Any]]", found)
    present = [name for name in dict.fromkeys((*columns, *(rows[0] if rows else ()))) if all(name in r for r in rows)]
    return {name: [row[name] for row in rows] for name in present}


# ---------------------------------------------------------------------------------------------- results


def as_json(results: Mapping[str, Array]) -> str:
    """Results as a JSON object of nested lists; numbers that JSON cannot say become null."""
    return json.dumps({name: _plain(array) for name, array in results.items()})


def _plain(array: Array) -> Any:
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        array = array.astype(object)
        array[~np.isfinite(array.astype(np.float64))] = None
    return array.tolist()


def write_results(path: Path, results: Mapping[str, Array]) -> None:
    """Write results by the ending of the path.

    Raises:
        RuntimeFault: the ending is unknown or does not suit (DL5002), or the file cannot be written (DL5023).
    """
    if path.suffix not in FORMATS:
        raise RuntimeFault("DL5002", f"`{path}` does not end in one of {', '.join(FORMATS)}")
    buffer = io.BytesIO()
    if path.suffix == ".npz":
        np.savez(buffer, allow_pickle=False, **dict(results))
    elif path.suffix == ".npy":
        if len(results) != 1:
            help_ = "use .npz for several"
            raise RuntimeFault("DL5002", f".npy holds one array, and the outputs are {listed(results)}", help=help_)
        np.save(buffer, next(iter(results.values())), allow_pickle=False)
    elif path.suffix == ".csv":
        buffer.write(_csv_text(results).encode())
    else:
        buffer.write((as_json(results) + "\n").encode())
    write_atomic(path, buffer.getvalue())


def _csv_text(results: Mapping[str, Array]) -> str:
    """One row per row, one column per element: `y` for numbers, `y_0`, `y_1`, ... for more."""
    header: list[str] = []
    blocks: list[Array] = []
    for name, array in results.items():
        rows = array.reshape(len(array) if array.ndim else 1, -1)
        header += [name] if array.ndim <= 1 else [f"{name}_{i}" for i in range(rows.shape[1])]
        blocks.append(rows)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    for cells in zip(*blocks, strict=False):
        writer.writerow([value for block in cells for value in block.tolist()])
    return text.getvalue()
