"""Fields from raw columns: the compiled field expressions are applied in chunks of rows, and what they give is proved usable."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from dslc_runtime.data.table import Table
from dslc_runtime.errors import RuntimeFault

Array: TypeAlias = npt.NDArray[Any]

CHUNK_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class FieldProgram:
    """A field: its type per sample, the raw columns it reads, and its expression as a function of a chunk of rows."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    columns: tuple[str, ...]
    apply: Callable[[Mapping[str, Array]], Array]


def materialise(table: Table, fields: Sequence[FieldProgram]) -> dict[str, Array]:
    """Every field of a table, ``[rows, *shape]``. A column is read once and let go after the last field that needs it.

    Raises:
        RuntimeFault: DL5006 a value is not finite, DL5009 a field does not fit into memory, and what reading raises.
    """
    result: dict[str, Array] = {}
    held: dict[str, Array] = {}
    for at, field in enumerate(fields):
        for name in field.columns:
            if name not in held:
                held[name] = table.read(name)
        result[field.name] = _materialise(table, field, {name: held[name] for name in field.columns})
        needed = {name for later in fields[at + 1 :] for name in later.columns}
        held = {name: column for name, column in held.items() if name in needed}
    return result


def _materialise(table: Table, field: FieldProgram, columns: Mapping[str, Array]) -> Array:
    try:
        out = np.empty((table.rows, *field.shape), field.dtype)
    except (MemoryError, ValueError) as error:
        raise RuntimeFault("DL5009", f"field `{field.name}` does not fit into memory", table.name) from error
    row_bytes = max(prod(field.shape) * field.dtype.itemsize, *(c[:1].nbytes for c in columns.values()), 1)
    step = max(1, CHUNK_BYTES // row_bytes)
    for start in range(0, table.rows, step):
        chunk = out[start : start + step]
        chunk[...] = field.apply({name: column[start : start + step] for name, column in columns.items()})
        if field.dtype.kind == "f":
            _require_finite(table, field.name, chunk, start)
    return out


def _require_finite(table: Table, field: str, chunk: Array, start: int) -> None:
    finite = np.isfinite(chunk)
    if finite.all():
        return
    row, *index = np.argwhere(~finite)[0].tolist()
    value = float(chunk[row, *index])
    place = f", at [{', '.join(map(str, index))}]" if index else ""
    raise RuntimeFault(
        "DL5006", f"field `{field}` is {value} in row {start + row}{place}", table.name, ["rows count from 0"]
    )


def require_ids(where: str, field: str, ids: Array, count: int, things: str) -> None:
    """Check that a field's ids lie in ``[0, count)``; `things` says what they name: "classes", or "rows" of a table.

    Raises:
        RuntimeFault: DL5007, naming the first row that does not.
    """
    wrong = np.argwhere((ids < 0) | (ids >= count))
    if not wrong.size:
        return
    row, *index = wrong[0].tolist()
    holder = "the model has classes" if things == "classes" else f"the table has {things}"
    notes = [f"`{field}` holds ids from {int(ids.min())} to {int(ids.max())}; {holder} 0 to {count - 1}"]
    word = "class id" if things == "classes" else "id"
    raise RuntimeFault("DL5007", f"field `{field}` has the {word} {int(ids[row, *index])} in row {row}", where, notes)
