"""Fields from raw columns: the compiled field expressions are applied in chunks of rows, and what they give is proved usable.

What a function of a field learns is learned here too, from the rows of the training part alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from dslc_runtime.data.learning import Learned, Transform
from dslc_runtime.data.parts import read_only
from dslc_runtime.data.table import Table
from dslc_runtime.errors import IdError, RuntimeFault

Array: TypeAlias = npt.NDArray[Any]

CHUNK_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class FieldProgram:
    """A field, or a part of one: its type per sample, and its expression as a function of a chunk of rows.

    Attributes:
        columns: the names of its inputs: columns of the table, but for those in `derived`.
        derived: the inputs that a function makes.
    """

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    columns: tuple[str, ...]
    apply: Callable[[Mapping[str, Array]], Array]
    derived: Mapping[str, DerivedColumn] = field(default_factory=dict[str, "DerivedColumn"])


@dataclass(frozen=True, slots=True)
class DerivedColumn:
    """A column that a function makes of a column of the table or of an expression.

    Attributes:
        learned: the key of what it learns; "" for nothing.
    """

    transform: Transform
    operand: str | FieldProgram
    learned: str


def learn(table: Table, fields: Sequence[FieldProgram]) -> dict[str, Learned]:
    """What the functions in fields learn from a table, by their keys; what an operand needs is learned before.

    Raises:
        RuntimeFault: what reading and the functions raise.
    """
    learned: dict[str, Learned] = {}
    for program in fields:
        _learn(_Columns(table, learned), program, learned)
    return learned


def _learn(columns: _Columns, program: FieldProgram, learned: dict[str, Learned]) -> None:
    for derived in program.derived.values():
        if isinstance(derived.operand, FieldProgram):
            _learn(columns, derived.operand, learned)
        if derived.learned and derived.learned not in learned:
            learned[derived.learned] = derived.transform.learn(columns.operand(derived), columns.table)


def materialise(
    table: Table, fields: Sequence[FieldProgram], learned: Mapping[str, Learned] | None = None
) -> dict[str, Array]:
    """Every field of a table, ``[rows, *shape]``, read-only. A column is held until the last field that needs it is there.

    Raises:
        RuntimeFault: DL5006 a value is not finite, DL5009 a field does not fit into memory, DL5070 a whole number does not fit
            into the field's type, and what reading and functions raise.
    """
    columns = _Columns(table, learned or {})
    result: dict[str, Array] = {}
    for at, program in enumerate(fields):
        result[program.name] = columns.field(program)
        columns.drop_all_but({name for later in fields[at + 1 :] for name in later.columns})
    return read_only(result)


@dataclass(slots=True)
class _Columns:
    """Columns of a table and what functions made of them, each read or made once."""

    table: Table
    learned: Mapping[str, Learned]
    _held: dict[str, Array] = field(default_factory=dict[str, Array])

    def field(self, program: FieldProgram) -> Array:
        return _materialise(self.table, program, {name: self._input(program, name) for name in program.columns})

    def operand(self, derived: DerivedColumn) -> Array:
        operand = derived.operand
        return self.field(operand) if isinstance(operand, FieldProgram) else self.table.read(operand)

    def drop_all_but(self, names: set[str]) -> None:
        self._held = {name: column for name, column in self._held.items() if name in names}

    def _input(self, program: FieldProgram, name: str) -> Array:
        if name not in self._held:
            derived = program.derived.get(name)
            self._held[name] = self.table.read(name) if derived is None else self._made(derived)
        return self._held[name]

    def _made(self, derived: DerivedColumn) -> Array:
        learned: Learned = self.learned[derived.learned] if derived.learned else {}
        return derived.transform.apply(self.operand(derived), learned, self.table)


def _materialise(table: Table, program: FieldProgram, columns: Mapping[str, Array]) -> Array:
    rows = len(next(iter(columns.values())))
    try:
        out = np.empty((rows, *program.shape), program.dtype)
    except (MemoryError, ValueError) as error:
        raise RuntimeFault("DL5009", f"field `{program.name}` does not fit into memory", table.name) from error
    row_bytes = max(prod(program.shape) * program.dtype.itemsize, *(c[:1].nbytes for c in columns.values()), 1)
    step = max(1, CHUNK_BYTES // row_bytes)
    for start in range(0, rows, step):
        chunk = out[start : start + step]
        try:
            made = program.apply({name: column[start : start + step] for name, column in columns.items()})
        except IdError as error:
            raise _beyond(table, program, columns, start, error) from error
        if made.dtype.kind == "i" and program.dtype.kind in "iu" and made.dtype != program.dtype:
            _require_fit(table, program, made, start, rows != table.rows)
        chunk[...] = made
        if program.dtype.kind == "f":
            _require_finite(table, program.name, chunk, start, rows != table.rows)
    return out


def _beyond(
    table: Table, program: FieldProgram, columns: Mapping[str, Array], start: int, found: IdError
) -> RuntimeFault:
    """The fault of an id that names nothing, with the first row that has one."""
    row = start
    for row in range(start, len(next(iter(columns.values())))):
        try:
            program.apply({name: column[row : row + 1] for name, column in columns.items()})
        except IdError as error:
            found = error
            break
    return RuntimeFault("DL5007", f"field `{program.name}`: {found}, in {table.place(row)}", table.name)


def _require_finite(table: Table, field: str, chunk: Array, start: int, windows: bool) -> None:
    finite = np.isfinite(chunk)
    if finite.all():
        return
    at = np.argwhere(~finite)[0].tolist()
    where, notes = _place(table, at, start, windows)
    raise RuntimeFault("DL5006", f"field `{field}` is {float(chunk[*at])} in {where}", table.name, notes)


def _require_fit(table: Table, program: FieldProgram, made: Array, start: int, windows: bool) -> None:
    """Refuse whole numbers that the field's narrower type would wrap."""
    ends = np.iinfo(program.dtype)
    if made.size == 0 or (made.min() >= ends.min and made.max() <= ends.max):
        return
    at = np.argwhere((made < ends.min) | (made > ends.max))[0].tolist()
    where, notes = _place(table, at, start, windows)
    declared = f"{program.dtype.kind}{8 * program.dtype.itemsize}"
    text = f"field `{program.name}` is {int(made[*at])} in {where}, and {declared} holds {ends.min} to {ends.max}"
    raise RuntimeFault(
        "DL5070", text, table.name, notes, "declare the field in a type that holds all of its values: i64"
    )


def _place(table: Table, at: Sequence[int], start: int, windows: bool) -> tuple[str, list[str]]:
    """Where an element of a chunk stands, and how that is counted."""
    row, *index = at
    where = f"window {start + row}" if windows else table.place(start + row)
    notes = [f"{where.split()[0]}s count from 0"] if not where.startswith("line") else []
    return where + (f", at [{', '.join(map(str, index))}]" if index else ""), notes


def require_ids(where: str, field: str, ids: Array, count: int, things: str, holder: str) -> None:
    """Check that a field's ids lie in ``[0, count)``.

    Args:
        things: what they name: "classes" or "rows".
        holder: what has so many of them: "the model", or the table.

    Raises:
        RuntimeFault: DL5007, naming the first row that does not.
    """
    wrong = np.argwhere((ids < 0) | (ids >= count))
    if not wrong.size:
        return
    row, *index = wrong[0].tolist()
    notes = [f"`{field}` holds ids from {int(ids.min())} to {int(ids.max())}; {holder} has {things} 0 to {count - 1}"]
    word = "class id" if things == "classes" else "id"
    raise RuntimeFault("DL5007", f"field `{field}` has the {word} {int(ids[row, *index])} in row {row}", where, notes)
