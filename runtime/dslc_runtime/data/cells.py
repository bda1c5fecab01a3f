"""Cells of a text table -> arrays: the type of a column is the one that holds all of its cells.

Cells arrive in chunks. Whole numbers stay whole until a fraction is met; what is missing or no number is a fault with its line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from dslc_runtime.data.read import Content
from dslc_runtime.data.table import TEXT
from dslc_runtime.errors import RuntimeFault

Array: TypeAlias = npt.NDArray[Any]

_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?", "-"})
_TRUTHS = {"true": True, "false": False}
_WORDS = {"b": "truth values", "i": "numbers", "u": "numbers", "f": "numbers"}


def is_missing(cell: str) -> bool:
    """Whether a cell says that there is no value."""
    return cell.strip().lower() in _MISSING


@dataclass(slots=True)
class CellColumn:
    """One column while its cells arrive.

    Attributes:
        where: the file, for messages.
        content: what its cells are taken for.
        fill: the number that stands for a missing one; None where that is a fault.
    """

    where: str
    name: str
    content: Content
    fill: float | None = None
    _chunks: list[Array] = field(default_factory=list[Array])
    _texts: list[str] = field(default_factory=list[str])

    def add(self, cells: Sequence[str], lines: Sequence[int]) -> None:
        """Take further cells.

        Args:
            lines: the line in which each stands.

        Raises:
            RuntimeFault: DL5061 one is missing, DL5062 one is not of the column's kind.
        """
        if self.content != "numbers":
            self._add_text(cells, lines)
            return
        chunk = _numbers(cells)
        if chunk is None and self.fill is not None:
            cells = [repr(self.fill) if is_missing(cell) else cell for cell in cells]
            chunk = _numbers(cells)
        if chunk is None:
            raise self._misfit(cells, lines)
        if self._chunks and (chunk.dtype.kind == "b") != (self._chunks[0].dtype.kind == "b"):
            before, now = _WORDS[self._chunks[0].dtype.kind], _WORDS[chunk.dtype.kind]
            text = f"column `{self.name}` holds {before}, and in line {lines[0]} {now}"
            raise RuntimeFault("DL5062", text, self.where)
        self._chunks.append(_narrowed(chunk))

    def _add_text(self, cells: Sequence[str], lines: Sequence[int]) -> None:
        if self.content == "text":
            self._texts += cells
            return
        labels = [cell.strip() for cell in cells]
        for label, line in zip(labels, lines, strict=True):
            if is_missing(label):
                raise self._missing(label, line)
        self._texts += labels

    def faults(self, cells: Sequence[str]) -> int:
        """How many of some cells are faults, each by itself."""
        if self.content == "text":
            return 0
        if self.content == "labels":
            return sum(map(is_missing, cells))
        if _numbers(cells) is not None:
            return 0
        return sum(_numbers([cell]) is None and not (self.fill is not None and is_missing(cell)) for cell in cells)

    def array(self) -> Array:
        """All cells. Whole numbers may be of a narrower type than the i64 that they count as."""
        if self.content == "numbers":
            return np.concatenate(self._chunks)
        whole = _numbers(self._texts) if self.content == "labels" else None
        return whole if whole is not None and whole.dtype.kind == "i" else np.array(self._texts, TEXT)

    def _misfit(self, cells: Sequence[str], lines: Sequence[int]) -> RuntimeFault:
        """The fault of the first cell that is no number; where each is something, that of all together."""
        none = ((cell, line) for cell, line in zip(cells, lines, strict=True) if _numbers([cell]) is None)
        found = next(none, None)
        if found is None:
            text = f"column `{self.name}` holds numbers and truth values, between line {lines[0]} and line {lines[-1]}"
            return RuntimeFault("DL5062", text, self.where)
        cell, line = found
        if is_missing(cell):
            return self._missing(cell, line)
        shown = cell if len(cell) <= 40 else f"{cell[:37]}..."
        why = "has more than 64 bits" if cell.strip().lstrip("+-").isdecimal() else "is not a number"
        text = f"column `{self.name}` holds {shown!r} in line {line}, which {why}"
        mend = f'text is read by a function: `classes(source["{self.name}"])` or `tokenize(...)`'
        return RuntimeFault("DL5062", text, self.where, help=mend)

    def _missing(self, cell: str, line: int) -> RuntimeFault:
        shown = f" ({cell.strip()!r})" if cell.strip() else ""
        text = f"column `{self.name}` has no value in line {line}{shown}"
        fill = ", `missing = 0` puts a number there" if self.content == "numbers" else ""
        mend = f'fill it in, or say in `csv(...)` what becomes of such cells: `missing = "drop"` leaves their rows out{fill}'
        return RuntimeFault("DL5061", text, self.where, help=mend)


def _numbers(cells: Sequence[str]) -> Array | None:
    """Cells as i64, f64 or bool, whichever holds them all; None where one is missing, too large or nothing of these."""
    if "_" in "".join(cells):  # Python's `1_000`, which is a name elsewhere
        return None
    try:
        return np.array(list(map(int, cells)), np.int64)
    except OverflowError:
        return None
    except ValueError:
        pass
    try:
        floats = np.array(list(map(float, cells)), np.float64)
    except ValueError:
        truths = [_TRUTHS.get(cell.strip().lower()) for cell in cells]
        return None if any(truth is None for truth in truths) else np.array(truths, np.bool_)
    return None if np.isnan(floats).any() else floats


def _narrowed(chunk: Array) -> Array:
    """Whole numbers in the smallest type that holds them: a table of pixels takes an eighth of the memory."""
    if chunk.dtype.kind != "i":
        return chunk
    return chunk.astype(np.promote_types(np.min_scalar_type(chunk.min()), np.min_scalar_type(chunk.max())))
