"""The source of a data block -> an open table of what its fields read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, cast

from dslc.check.typed import ColumnRead, SourceSpec
from dslc_runtime.data.csv_file import Dialect, open_csv
from dslc_runtime.data.idx import open_idx
from dslc_runtime.data.npz import array_names, open_npz
from dslc_runtime.data.read import Read, resolve, select
from dslc_runtime.data.table import Table, memory_table
from dslc_runtime.data.text_lines import open_text


def open_table(folder: Path, spec: SourceSpec, reads: Sequence[ColumnRead]) -> Table:
    """Open a source.

    Args:
        folder: where relative paths start.

    Raises:
        RuntimeFault: it cannot be read, or holds other things than what is read (DL5001 to DL5009, DL5060 to DL5066).
    """
    wanted = runtime_reads(reads)
    path = folder / spec.path
    if spec.kind == "inline":
        table = memory_table(
            {name: cast("tuple[float, ...]", rows) for name, rows in spec.columns.items()}, text=spec.columns
        )
        return select(table, wanted, list(spec.columns))
    if spec.kind == "csv":
        return open_csv(path, wanted, dialect_of(spec))
    if spec.kind == "text_lines":
        return select(open_text(path, str(spec.options["unit"])), wanted, list(spec.columns))
    if spec.kind == "idx":
        files = {name: folder / str(file) for name, file in spec.columns.items()}
        return select(open_idx(files), wanted, list(files))
    return _open_npz(path, spec, wanted)


def dialect_of(spec: SourceSpec) -> Dialect:
    """How the text files of a source are written, and what becomes of cells without a value."""
    missing = spec.options.get("missing")
    return Dialect(
        str(spec.options.get("delimiter", ",")),
        tuple(spec.columns) if spec.kind == "csv" else (),
        drop=missing == "drop",
        fill=missing if isinstance(missing, int | float) else None,
    )


def runtime_reads(reads: Sequence[ColumnRead]) -> list[Read]:
    """What is read as the runtime knows it, each once."""
    return list(
        {
            read.name: Read(
                read.name, read.columns, read.range, cast("Literal['numbers', 'labels', 'text']", read.content)
            )
            for read in reads
        }.values()
    )


def _open_npz(path: Path, spec: SourceSpec, reads: Sequence[Read]) -> Table:
    """The columns that the program names, or where it names none, the arrays that are read, by their own names."""
    names = {name: str(stored) for name, stored in spec.columns.items()}
    known = list(names)
    if not names:
        known = array_names(path)
        columns = [name for read in reads for name in (resolve(read, known, str(path)) if read.range else read.columns)]
        names = {name: name for name in columns}
    text = {name for read in reads if read.content != "numbers" for name in read.columns}
    return select(open_npz(path, names, text), reads, known)
