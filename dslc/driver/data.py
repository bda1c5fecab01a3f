"""A data block -> its parts in memory: sources are opened, field expressions compiled and applied, parts split off."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dslc.backends.to_numpy import compile_numpy
from dslc.check.fields import field_body
from dslc.check.id_limits import IdLimit, id_limits
from dslc.check.typed import FieldSpec, SourceSpec, TypedData
from dslc.diagnostics import Diagnostic, DslcError, Sink
from dslc.driver.faults import as_diagnostics
from dslc.driver.frontend import Checked, folder_of
from dslc.driver.models import static_shape
from dslc.graph.arrays import numpy_dtype
from dslc.lower import lower
from dslc.passes import optimize
from dslc.record import replace
from dslc.tensor_type import DType, TensorType
from dslc_runtime.data.fields import FieldProgram, materialise, require_ids
from dslc_runtime.data.npz import open_npz
from dslc_runtime.data.parts import Part, split_rows
from dslc_runtime.data.table import Column, Table, memory_table
from dslc_runtime.errors import RuntimeFault

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Opened:
    """Data in memory.

    Attributes:
        parts: by name ("train", "val", "test").
        whole: all rows of the first source, of which parts may have been split off.
        fingerprint: a hash that changes when the data do.
    """

    parts: Mapping[str, Part]
    whole: Part
    fingerprint: str

    def part(self, name: str) -> Part:
        """One part.

        Raises:
            RuntimeFault: the data have no such part (DL5010).
        """
        if name not in self.parts:
            shown = ", ".join(f"`{part}`" for part in self.parts)
            raise RuntimeFault("DL5010", f"the data have no part `{name}`", notes=[f"there is {shown}"])
        return self.parts[name]


def open_data(
    checked: Checked, data: TypedData, fields: Sequence[str] = (), limits: Mapping[str, IdLimit] | None = None
) -> Opened:
    """Open the sources of a data block and materialise its fields.

    Args:
        fields: the fields that are needed; all of them where it is empty.
        limits: how many classes or rows the ids of a field may name, by field.

    Raises:
        RuntimeFault: a source cannot be read, or holds what a field cannot (DL5001 to DL5010).
        DslcError: a field's expression does not fit the columns that are there.
    """
    chosen = [spec for name, spec in data.fields.items() if not fields or name in fields or name == data.stratify]
    columns = tuple(dict.fromkeys(column for spec in chosen for column in spec.columns))
    folder = folder_of(data.span.source)
    tables = {part: open_table(folder, spec, columns) for part, spec in data.sources.items()}
    parts: dict[str, Part] = {}
    for part, table in tables.items():
        parts[part] = Part(apply_fields(checked, data, chosen, table, data.sources[part]))
        for name, limit in (limits or {}).items():
            require_ids(f"{table.name} ({part})", name, parts[part].fields[name], limit.count, limit.things)
    whole = next(iter(parts.values()))
    if data.split:
        train = parts["train"].fields
        labels = train[data.stratify] if data.stratify else None
        rows = split_rows(tables["train"].rows, data.split, data.shuffle_seed, labels)
        parts |= {part: Part(train, chosen_rows) for part, chosen_rows in rows.items()}
    return Opened(parts, whole, _fingerprint(tables))


def verify_data(checked: Checked) -> list[str]:
    """Open every data block and make all its fields; a line for each that says what there is.

    Raises:
        DslcError: what is wrong with the data, of all blocks together.
    """
    lines: list[str] = []
    found: list[Diagnostic] = []
    for name, data in checked.file.datas.items():
        try:
            with as_diagnostics():
                opened = open_data(checked, data, limits=_id_limits(checked, data))
        except DslcError as error:
            found += error.diagnostics
        else:
            rows = ", ".join(f"{part} {len(opened.parts[part]):_} rows" for part in opened.parts)
            lines.append(f"data `{name}`: {rows}")
    if found:
        raise DslcError(found)
    return lines


def _id_limits(checked: Checked, data: TypedData) -> dict[str, IdLimit]:
    """How many classes or rows the ids of a field may name in all train blocks that use the data."""
    limits: dict[str, IdLimit] = {}
    for train in checked.file.trains.values():
        if train.data is data:
            for name, limit in id_limits(train.inference.body).items():
                if name not in limits or limit.count < limits[name].count:
                    limits[name] = limit
    return limits


def open_table(folder: Path, spec: SourceSpec, needed: Sequence[str]) -> Table:
    """The raw columns of one source: those it names, or where it names none, the `needed` ones by their own names.

    Args:
        folder: where relative paths start.
    """
    if spec.kind == "inline":
        return memory_table({name: np.array(rows) for name, rows in spec.columns.items()})
    columns = {name: str(stored) for name, stored in spec.columns.items()} or {name: name for name in needed}
    return open_npz(folder / spec.path, columns)


def apply_fields(
    checked: Checked, data: TypedData, fields: Sequence[FieldSpec], table: Table, source: SourceSpec
) -> dict[str, Array]:
    """The named fields of every row of a table, ``[rows, *shape]`` each.

    Args:
        source: where the table's columns come from; messages name it.
    """
    sink = Sink()
    data = replace(data, sources={"train": source})
    programs = [_field_program(checked, data, field, table, sink) for field in fields]
    sink.raise_errors()
    return materialise(table, [program for program in programs if program is not None])


def _field_program(
    checked: Checked, data: TypedData, field: FieldSpec, table: Table, sink: Sink
) -> FieldProgram | None:
    """The compiled expression of a field, or None after a report."""
    for column in field.columns:
        if column not in table.columns:
            known = ", ".join(f"`{name}`" for name in table.columns)
            raise RuntimeFault("DL5003", f"there is no column `{column}`", table.name, [f"the columns are {known}"])
    types = {name: _row_type(table.columns[name]) for name in field.columns}
    found = field_body(checked.file.scopes[data.span.source], data, field, types, sink)
    if found is None:
        return None
    body, value = found
    apply = _compiled(field.name, lambda: compile_numpy(optimize(lower(body, {field.name: value}))))
    return FieldProgram(field.name, numpy_dtype(field.type.dtype), static_shape(field.type), field.columns, apply)


def _compiled(name: str, compile_: Callable[[], Any]) -> Callable[[Mapping[str, Array]], Array]:
    program = compile_()

    def apply(chunk: Mapping[str, Array]) -> Array:
        bound = program.bind(program.sizes_of({column: array.shape for column, array in chunk.items()}), {})
        for column, array in chunk.items():
            np.copyto(bound.inputs[column], array)
        with np.errstate(all="ignore"):
            bound.run()
        return bound.outputs[name]

    return apply


_DTYPES = {numpy_dtype(t): t for t in DType}


def _row_type(column: Column) -> TensorType:
    """The type of one row of a raw column."""
    return TensorType(_DTYPES[column.dtype], column.shape)


def _fingerprint(tables: Mapping[str, Table]) -> str:
    digest = blake2b(digest_size=16)
    for part, table in sorted(tables.items()):
        digest.update(f"{part}:{table.fingerprint};".encode())
    return digest.hexdigest()
