"""Ids of data against what they name, classes of logits or rows of a table: what a run must check, and what inline data show.

Input: the body of an objective, and the data block. Output: limits by field, and reports of ids beyond them.
"""

from __future__ import annotations

from collections.abc import Iterator

from dslc.check.fields import scalars
from dslc.check.ranges import moved
from dslc.check.typed import Body, TypedData, TypedValue
from dslc.diagnostics import Label, Note, Sink
from dslc.record import record
from dslc.source import Span
from dslc.syntax import tree
from dslc.tensor_type import Dim


@record
class IdLimit:
    """The ids of a field go from 0 to ``count - 1``: it has as many `things` ("classes", "rows") in `where`."""

    count: int
    things: str
    where: TypedValue

    @property
    def holder(self) -> str:
        """What has them, as messages call it: the model, or a table by its name and type."""
        table = self.where.inputs[0]
        if self.things == "classes":
            return "the model"
        return f"the table `{table.attrs.str('key')}`, {table.type}," if table.op == "param" else "the table"


def id_limits(body: Body) -> dict[str, IdLimit]:
    """How many classes or rows the ids of a field may name, by field; the least where it names several things."""
    limits: dict[str, IdLimit] = {}
    for value in body.values:
        for ids, count, things in _named(value):
            field = moved(ids)
            if field.op != "input" or field.type.dtype.is_float or not isinstance(count, int):
                continue
            name = field.attrs.str("name")
            if name not in limits or count < limits[name].count:
                limits[name] = IdLimit(count, things, value)
    return limits


def _named(value: TypedValue) -> Iterator[tuple[TypedValue, Dim, str]]:
    """The ids that an operator looks up, how many there are, and of what."""
    if value.op not in ("cross_entropy", "nll", "gather"):
        return
    if value.attrs.get("ignore_index") is not None:
        return  # an id that is none of the classes is meant
    looked_up, ids = value.inputs[:2]
    if value.op == "gather":
        yield ids, looked_up.type.shape[0], "rows"
    else:
        yield ids, looked_up.type.shape[value.attrs.int("axis")], "classes"


def check_ids(body: Body, data: TypedData, sink: Sink) -> None:
    """Report ids written in the program that lie beyond a limit; those of files are looked at when they are opened."""
    for name, limit in id_limits(body).items():
        field = data.fields[name]
        match field.expr:
            case tree.Index(value=tree.Name(id="source"), items=(tree.String(value=column),)):
                pass
            case _:
                continue
        for source in data.sources.values():
            ids = scalars(source.columns[column]) if source.kind == "inline" and column in source.columns else ()
            wrong = [i for i in ids if isinstance(i, int | float) and not 0 <= i < limit.count]
            if wrong:
                _report(name, wrong[0], limit, source.span, field.span, sink)
                break


def _report(name: str, wrong: float, limit: IdLimit, source: Span, field: Span, sink: Sink) -> None:
    count, what, ids = limit.count, "id", "the ids"
    there = f"the table has {count} rows"
    joined = f"looked up in a table of {count} rows here"
    if limit.things == "classes":
        what, ids = "class id", "the class ids"
        there = f"there are logits for {count} classes"
        joined = f"compared with logits of {count} classes here"
    place = limit.where.span
    sink.report(
        "DL3041",
        f"field `{name}` holds the {what} {wrong:g}, but {there}",
        source,
        f"holds {wrong:g}",
        Label(field, ids),
        *([Label(place, joined)] if place.source is source.source else []),
        footers=[
            Note(f"{ids.removeprefix('the ')} count from 0: {count} {limit.things} have the ids 0 to {count - 1}")
        ],
    )
