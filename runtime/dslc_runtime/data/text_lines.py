"""Plain text as a table: a row for each line, or for each character, in the one column `text`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dslc_runtime.data.table import TEXT, Column, MemoryTable, require_equal_rows
from dslc_runtime.data.text_file import TextFile
from dslc_runtime.errors import RuntimeFault

COLUMN = "text"


def open_text(path: Path, unit: str = "lines") -> MemoryTable:
    """The lines of a text, without their ends and without blank ones; or all its characters, line ends as one ``\\n`` each.

    Raises:
        RuntimeFault: DL5001 or DL5063 the file cannot be read as text, DL5008 it is empty, DL5009 it does not fit into memory.
    """
    file = TextFile(path)
    file.require_memory(16 if unit == "characters" else 2)  # two references to each character
    texts: list[str] = []
    lines: list[int] = []
    try:
        for number, line in enumerate(file.lines(), 1):
            found = [line.strip("\r\n")] if unit == "lines" else line.replace("\r\n", "\n")
            kept = [text for text in found if unit != "lines" or text.strip()]
            texts += kept
            lines += [number] * len(kept)
        rows = np.array(texts, TEXT)
    except MemoryError as error:
        raise RuntimeFault("DL5009", f"`{path.name}` does not fit into memory", str(path)) from error
    require_equal_rows(str(path), {COLUMN: len(rows)})
    places = np.array(lines, np.int64)
    return MemoryTable(
        str(path), len(rows), {COLUMN: Column(TEXT, ())}, {COLUMN: rows}, places, file.digest.hexdigest()
    )
