"""The rows of a training, one per epoch, as a list and as JSON lines."""

from __future__ import annotations

import json
from math import isfinite
from pathlib import Path
from typing import Any, TextIO, TypeAlias, cast

from dslc_runtime.errors import RuntimeFault, why
from dslc_runtime.files import cannot_write, write_atomic

Row: TypeAlias = dict[str, Any]


def line_of(row: Row) -> str:
    """One row as a line of JSON; numbers that are not finite become null, which JSON can say."""
    safe = {k: None if isinstance(v, float) and not isfinite(v) else v for k, v in row.items()}
    return json.dumps(safe) + "\n"


def read_history(path: Path) -> list[Row]:
    """The rows of a file; none if it is not there. A last line cut short by a killed process is left out.

    Raises:
        RuntimeFault: DL5024, the file cannot be read or is not a history.
    """
    if not path.exists():
        return []
    try:
        lines = path.read_text("utf-8").splitlines(keepends=True)
        return [_row(line) for line in lines if line.endswith("\n")]
    except OSError as error:
        raise RuntimeFault("DL5024", f"`{path.name}` cannot be read: {why(error)}", str(path)) from error
    except (ValueError, RecursionError) as error:
        raise RuntimeFault("DL5024", f"`{path.name}` is not a history of a training", str(path)) from error


def _row(line: str) -> Row:
    row: object = json.loads(line)
    match row:
        case {"epoch": int()}:
            return cast("Row", row)
        case _:
            raise ValueError("not a row")


class History:
    """Rows in memory and, with a path, appended to a file and flushed one by one."""

    __slots__ = ("_file", "_path", "rows")

    def __init__(self, path: Path | None, keep: list[Row] | None = None) -> None:
        """Start a file anew with the rows to `keep`: those of the epochs a resumed training continues from.

        Raises:
            RuntimeFault: DL5023, the file cannot be written.
        """
        self.rows: list[Row] = list(keep or ())
        self._path = path
        self._file: TextIO | None = None
        if path is not None:
            write_atomic(path, "".join(map(line_of, self.rows)).encode())
            self._file = path.open("a", encoding="utf-8")

    def append(self, row: Row) -> None:
        self.rows.append(row)
        if self._file is None or self._path is None:
            return
        try:
            self._file.write(line_of(row))
            self._file.flush()
        except OSError as error:
            raise cannot_write(self._path, error) from error

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
