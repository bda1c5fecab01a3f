"""CSV files as tables: a header, quoted cells, one delimiter. The columns that are asked for are parsed once and held.

Quoting is that of RFC 4180; blank lines are skipped, and on demand rows that lack a value. Every fault names the line.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from dslc_runtime.data.cells import CellColumn, is_missing
from dslc_runtime.data.read import Content, Read, Selection, resolve, select
from dslc_runtime.data.table import Column, MemoryTable, Rows, require_equal_rows
from dslc_runtime.data.text_file import MAX_LINE, TextFile
from dslc_runtime.errors import RuntimeFault

Array: TypeAlias = npt.NDArray[Any]
_Chunk: TypeAlias = tuple[list[int], list[tuple[str, ...]]]  # the lines of some rows, and their cells column by column

CHUNK = 256  # rows parsed together; more of them leave the cache
_OTHERS = {";": ";", "\t": "\\t", "|": "|"}  # delimiters that a header may show, as a program writes them


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is written.

    Attributes:
        header: the names of the columns where the file does not begin with them.
        drop: whether rows without a value in a column of numbers or labels that is read are left out.
        fill: the number that stands for what is missing in columns of numbers.
    """

    delimiter: str = ","
    header: tuple[str, ...] = ()
    drop: bool = False
    fill: float | None = None


def open_csv(path: Path, reads: Sequence[Read], dialect: Dialect | None = None) -> Selection:
    """A table of what is read from a file.

    Raises:
        RuntimeFault: DL5001 or DL5063 the file cannot be read as text, DL5060 its rows are ragged or its quotes open, DL5003 or
            DL5065 a column is not there once, DL5061 or DL5062 a cell is missing or not a number, DL5066 columns that cannot be
            stacked, DL5008 no rows.
    """
    file = _CsvFile(TextFile(path), dialect or Dialect())
    file.text.require_memory(1)
    try:
        header, rows = file.opened()
        contents = _contents(reads, header, file)
        return select(_parsed(file, contents, header, rows), reads, header)
    except MemoryError as error:
        raise RuntimeFault("DL5009", f"`{path.name}` does not fit into memory", str(path)) from error


def csv_header(path: Path, dialect: Dialect | None = None) -> list[str]:
    """The names of a file's columns.

    Raises:
        RuntimeFault: DL5001, DL5060, DL5063.
    """
    return _CsvFile(TextFile(path), dialect or Dialect()).opened()[0]


def _contents(reads: Sequence[Read], header: Sequence[str], file: _CsvFile) -> dict[str, Content]:
    """What the cells of each column are taken for.

    Raises:
        RuntimeFault: DL5003, DL5065 as `resolve`, DL5066 a column is read as two things.
    """
    found: dict[str, Content] = {}
    where = str(file.text.path)
    for read in reads:
        try:
            columns = resolve(read, header, where)
        except RuntimeFault as fault:
            fault.help = fault.help or file.header_help(header)
            raise
        for column in columns:
            if found.setdefault(column, read.content) != read.content:
                text = f"column `{column}` is read as {found[column]} and as {read.content}"
                raise RuntimeFault("DL5066", text, where, help="a column of a text file is one of them in all fields")
    return found


@dataclass(frozen=True, slots=True)
class _CsvFile:
    """A file with the lines its rows stand in."""

    text: TextFile
    dialect: Dialect

    def opened(self) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
        """The header, and the rows after it."""
        rows = self._rows()
        if self.dialect.header:
            return list(self.dialect.header), rows
        first = next(rows, None)
        if first is None:
            raise self._malformed("it is empty")
        return [name.strip() for name in first[1]], rows

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """Rows that are not blank, each with the line it begins in."""
        lines = _Bounded(self.text)
        reader = csv.reader(lines, delimiter=self.dialect.delimiter, strict=True)
        line = 1
        while True:
            try:
                row = next(reader, None)
            except csv.Error as error:
                raise self._malformed(f"line {line}: {_said(error)}") from error
            if row is None:
                return
            if row:
                yield line, row
            line = reader.line_num + 1
            lines.taken = 0

    def require_cells(self, line: int, row: Sequence[str], header: Sequence[str]) -> None:
        """Check that a row has a cell for each column."""
        if len(row) == len(header):
            return
        cells = "1 cell" if len(row) == 1 else f"{len(row)} cells"
        there = "its header has" if not self.dialect.header else "the program names"
        fault = self._malformed(f"line {line} has {cells}, {there} {len(header)}")
        fault.help = self._delimiter_help(row)
        raise fault

    def header_help(self, header: Sequence[str]) -> str:
        """What may be meant where the first line has not the names that are read: another delimiter, or no header."""
        if self.dialect.header:
            return ""
        if all(_is_number(cell) for cell in header):
            names = ", ".join(f'"c{number}"' for number in range(min(len(header), 3)))
            more = ", ..." if len(header) > 3 else ""
            return f'the first line holds numbers; name the columns: `csv("{self.text.path.name}", columns = [{names}{more}])`'
        return self._delimiter_help(header)

    def _delimiter_help(self, row: Sequence[str]) -> str:
        for character, written in _OTHERS.items():
            if len(row) == 1 and character in row[0]:
                return f'the cells look separated otherwise: `csv("{self.text.path.name}", delimiter = "{written}")`'
        return ""

    def _malformed(self, how: str) -> RuntimeFault:
        path = self.text.path
        return RuntimeFault("DL5060", f"`{path.name}` is not a table: {how}", str(path))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


@dataclass(slots=True)
class _Bounded:
    """The lines of a file for a reader that joins those of a quoted cell: no row may be longer than a line may be."""

    text: TextFile
    taken: int = 0

    def __iter__(self) -> Iterator[str]:
        for line in self.text.lines():
            self.taken += len(line)
            if self.taken > MAX_LINE:
                raise self.text.damaged(f"a row is longer than {MAX_LINE} characters")
            yield line


def _said(error: csv.Error) -> str:
    """The reason of Python's parser in plain words."""
    text = str(error)
    if "unexpected end of data" in text:
        return "a quoted cell is not closed"
    if "field limit" in text:
        return f"a cell is longer than {csv.field_size_limit()} characters"
    if "new-line character" in text:
        return "the line ends are those of an old Macintosh"
    return text


def _parsed(
    file: _CsvFile, contents: Mapping[str, Content], header: Sequence[str], rows: Iterator[tuple[int, list[str]]]
) -> MemoryTable:
    """The columns that are needed, and the line of every row."""
    path, fill = file.text.path, file.dialect.fill
    columns = {header.index(name): CellColumn(str(path), name, content, fill) for name, content in contents.items()}
    if file.dialect.drop:
        needed = [header.index(name) for name, content in contents.items() if content != "text"]
        rows = _complete(file, header, needed, rows)
    lines: list[Rows] = []
    chunks = _chunks(file, header, rows)
    for numbers, cells in chunks:
        for place, column in columns.items():
            try:
                column.add(cells[place], numbers)
            except RuntimeFault as fault:
                told = min(column.faults(cells[place]), 1)
                fault.notes += _more_faults(columns, chain([(numbers, cells)], chunks), Counter({column.name: -told}))
                raise
        lines.append(np.array(numbers, np.int64))
    require_equal_rows(str(path), {"": sum(map(len, lines))})
    arrays = {column.name: column.array() for column in columns.values()}
    types = {name: Column(_counts_as(array), ()) for name, array in arrays.items()}
    every = np.concatenate(lines)
    return MemoryTable(str(path), len(every), types, arrays, every, file.text.digest.hexdigest())


def _chunks(file: _CsvFile, header: Sequence[str], rows: Iterator[tuple[int, list[str]]]) -> Iterator[_Chunk]:
    """Some rows at a time."""
    while chunk := list(islice(rows, CHUNK)):
        for line, row in chunk:
            file.require_cells(line, row, header)
        yield [line for line, _ in chunk], list(zip(*(row for _, row in chunk), strict=True))


def _more_faults(columns: Mapping[int, CellColumn], chunks: Iterable[_Chunk], found: Counter[str]) -> tuple[str, ...]:
    """A note of how many more cells are at fault, as far as the file is a table.

    Args:
        found: what to begin with, by column: one less where a cell was told.
    """
    with suppress(RuntimeFault):
        for _, cells in chunks:
            found.update({column.name: column.faults(cells[place]) for place, column in columns.items()})
    more = ", ".join(f"{number} in `{name}`" for name, number in found.items() if number > 0)
    return (f"more cells are at fault: {more}",) if more else ()


def _complete(
    file: _CsvFile, header: Sequence[str], needed: Sequence[int], rows: Iterator[tuple[int, list[str]]]
) -> Iterator[tuple[int, list[str]]]:
    """The rows that have a value at every place that needs one."""
    for line, row in rows:
        file.require_cells(line, row, header)
        if not any(is_missing(row[place]) for place in needed):
            yield line, row


def _counts_as(array: Array) -> np.dtype[Any]:
    return np.dtype(np.int64) if array.dtype.kind in "iu" else array.dtype
