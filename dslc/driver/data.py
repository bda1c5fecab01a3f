"""A data block -> its parts in memory: sources are opened, field expressions compiled and applied, parts split off."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path

from dslc.check.id_limits import IdLimit, id_limits
from dslc.check.typed import ColumnRead, SourceSpec, TypedData
from dslc.diagnostics import Diagnostic, DslcError
from dslc.driver.faults import as_diagnostics
from dslc.driver.field_programs import CompiledField, compile_fields
from dslc.driver.frontend import Checked, folder_of
from dslc.driver.tables import open_table
from dslc_runtime.data.fields import FieldProgram, learn, materialise, require_ids
from dslc_runtime.data.learned import require_learned
from dslc_runtime.data.learning import Learned
from dslc_runtime.data.parts import LazyParts, Part, split_in_order, split_rows
from dslc_runtime.data.read import RowsOf
from dslc_runtime.data.table import Rows, Table
from dslc_runtime.errors import RuntimeFault, listed


@dataclass(frozen=True, slots=True)
class Opened:
    """Data in memory.

    Attributes:
        parts: by name ("train", "val", "test"), those that were asked for.
        whole: makes all rows of the first source, of which parts may have been split off.
        fingerprint: a hash that changes when the data do.
        learned: what functions of fields learned from the training part, by their keys.
        labels: what the ids of fields stand for, where that was learned.
    """

    parts: Mapping[str, Part]
    whole: Callable[[], Part]
    fingerprint: str
    learned: Mapping[str, Learned]
    labels: Mapping[str, tuple[str, ...]]

    def part(self, name: str) -> Part:
        """One part.

        Raises:
            RuntimeFault: the data have no such part (DL5010).
        """
        if name not in self.parts:
            raise _no_part(name, self.parts)
        return self.parts[name]


def _no_part(name: str, known: Iterable[str]) -> RuntimeFault:
    notes = [f"there is {', '.join(f'`{part}`' for part in known)}"]
    return RuntimeFault("DL5010", f"the data have no part `{name}`", notes=notes)


def open_data(
    checked: Checked,
    data: TypedData,
    fields: Sequence[str] = (),
    limits: Mapping[str, IdLimit] | None = None,
    learned: Mapping[str, Learned] | None = None,
    split: str | None = None,
    part: str | None = None,
) -> Opened:
    """Open the sources of a data block and materialise its fields.

    Args:
        fields: the fields that are needed; all of them where it is empty.
        limits: how many classes or rows the ids of a field may name, by field.
        learned: what a run's fields learned; else it is learned from the training part.
        split: the fingerprint of the only data that parts are split off; off any where it is not given.
        part: the only part that is needed, "all" for the whole training source; only its source is opened, and `learned` is given.

    Raises:
        RuntimeFault: a source cannot be read, or holds what a field cannot (DL5001 to DL5010, DL5060 to DL5070).
        DslcError: a field's expression does not fit the columns that are there.
    """
    chosen = [spec for name, spec in data.fields.items() if not fields or name in fields or name == data.stratify]
    reads = [read for spec in chosen for read in spec.reads]
    folder = folder_of(data.span.source)
    sources = data.sources if part is None else _source_of(data, part)
    tables = {part: _open(folder, data, spec, reads) for part, spec in sources.items()}
    first = next(iter(tables))
    compiled = {
        part: compile_fields(checked, data, chosen, table, data.sources[part]) for part, table in tables.items()
    }
    programs = {part: [field.program for field in found] for part, found in compiled.items()}
    in_order = any(field.windows for field in compiled[first])
    fingerprint = _fingerprint(tables)
    splits = "train" in tables and split in (None, fingerprint)
    rows = _split(data, tables["train"], programs["train"], in_order) if splits else {}
    known = learned if learned is not None else learn(_rows_of(tables["train"], rows), programs["train"])
    require_learned(programs[first], known)

    def fields_of(part: str, table: Table) -> Part:
        found = materialise(table, programs[part], known)
        for name, limit in (limits or {}).items():
            require_ids(f"{table.name} ({part})", name, found[name], limit.count, limit.things, limit.holder)
        return Part(found)

    if in_order:
        views: dict[str, Table] = {part: RowsOf(tables["train"], each) for part, each in rows.items()}
        views = tables | views
        parts = LazyParts({p: partial(fields_of, p if p in tables else "train", view) for p, view in views.items()})
        whole = partial(fields_of, first, tables[first])
    else:
        made = {part: fields_of(part, table) for part, table in tables.items()}
        parts = made | {part: Part(made["train"].fields, each) for part, each in rows.items()}
        whole = partial(Part, made[first].fields)
    return Opened(parts, whole, fingerprint, known, labels_of(compiled[first], known))


def _source_of(data: TypedData, part: str) -> dict[str, SourceSpec]:
    """The source that a part is read from: its own, or the training source that it is split off.

    Raises:
        RuntimeFault: DL5010, there is no such part.
    """
    if part != "all" and part not in data.sources and part not in data.split:
        raise _no_part(part, dict.fromkeys((*data.sources, *data.split)))
    name = part if part in data.sources else "train"
    return {name: data.sources[name]}


def arrays_of_parts(data: TypedData) -> str:
    """Which arrays each part is read from, in words: "`test` reads `x_test`, `y_test`"; "" where all read the same."""
    names = {part: listed(map(str, spec.columns.values())) for part, spec in data.sources.items() if spec.kind == "npz"}
    if len(set(names.values())) < 2:
        return ""
    return "; ".join(f"`{part}` reads {stored}" for part, stored in names.items())


def _open(folder: Path, data: TypedData, spec: SourceSpec, reads: Sequence[ColumnRead]) -> Table:
    """A source's table. Of a file that is not there, the comment above the data block may say where it comes from."""
    try:
        return open_table(folder, spec, reads)
    except RuntimeFault as fault:
        if fault.code == "DL5001" and data.doc:
            fault.notes = (*fault.notes, f"`data {data.name}`: {' '.join(data.doc.split())}")
        raise


def labels_of(fields: Sequence[CompiledField], learned: Mapping[str, Learned]) -> dict[str, tuple[str, ...]]:
    """What the ids of fields stand for, by field, where that was learned."""
    return {f.program.name: tuple(map(str, learned[f.labels]["labels"])) for f in fields if f.labels}


def _split(data: TypedData, table: Table, programs: Sequence[FieldProgram], in_order: bool) -> dict[str, Rows]:
    """The rows of the parts that are split off the training part, and of what that keeps; none where it is not split."""
    if not data.split:
        return {}
    if in_order:
        return split_in_order(table.rows, data.split)
    groups = [program for program in programs if program.name == data.stratify]
    fields = materialise(table, groups, learn(table, groups))  # labels of all rows: here they only tell classes apart
    return split_rows(table.rows, data.split, data.shuffle_seed, fields.get(data.stratify))


def _rows_of(table: Table, rows: Mapping[str, Rows]) -> Table:
    return RowsOf(table, rows["train"]) if rows else table


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
                rows = ", ".join(f"{part} {len(made):_} rows" for part, made in opened.parts.items())
        except DslcError as error:
            found += error.diagnostics
        else:
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


def _fingerprint(tables: Mapping[str, Table]) -> str:
    digest = blake2b(digest_size=16)
    for part, table in sorted(tables.items()):
        digest.update(f"{part}:{table.fingerprint};".encode())
    return digest.hexdigest()
