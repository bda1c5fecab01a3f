"""Which columns a field's expression reads: every `source["name"]` in it, found without evaluating anything."""

from __future__ import annotations

from collections.abc import Mapping

from dslc.check.near import did_you_mean, near, quoted
from dslc.check.settings import not_yet
from dslc.check.typed import SourceSpec
from dslc.check.walk import walk
from dslc.diagnostics import Edit, Help, Note, Sink
from dslc.record import record
from dslc.source import Span
from dslc.syntax import tree

LATER = ("tokenize", "window", "resize", "random_flip", "random_crop")


@record
class Column:
    """A column where it is read."""

    name: str
    span: Span


def read_columns(expr: tree.Expr, sink: Sink) -> tuple[Column, ...] | None:
    """The columns an expression reads, in order, or None after a report of a wrong read."""
    found: list[Column] = []
    good = True
    inside: set[int] = set()
    for node in walk(expr):
        if isinstance(node, tree.Index) and isinstance(node.value, tree.Name) and node.value.id == "source":
            inside.add(id(node.value))
            column = _column(node, sink)
            good = good and column is not None
            found += [column] if column is not None else []
        elif isinstance(node, tree.Name) and node.id == "source" and id(node) not in inside:
            _report(node.span, "which column?", sink)
            good = False
        elif isinstance(node, tree.Name) and node.id in LATER:
            not_yet(f"`{node.id}`", node, sink)
            good = False
    if good and not found:
        _report(expr.span, "reads no column", sink)
    return tuple(found) if good and found else None


def _column(index: tree.Index, sink: Sink) -> Column | None:
    match index.items:
        case (tree.String(value=name),):
            return Column(name, index.span)
        case (tree.String(), *_) | (tree.Slice(start=tree.String()),):
            not_yet("reading several columns at once", index, sink)
        case (tree.Name(id=name, span=span),):
            mend = Help("write the name in quotes:", (Edit(span, f'"{name}"'),))
            sink.report("DL3023", "the name of a column stands in quotes", span, "not a string", footers=[mend])
        case _:
            _report(index.items_span, "not the name of a column", sink)
    return None


def _report(span: Span, label: str, sink: Sink) -> None:
    mend = Help("read one column:", code=('source["name"]',))
    sink.report("DL3023", "`source` is read by the name of a column", span, label, footers=[mend])


def check_columns(columns: tuple[Column, ...], sources: Mapping[str, SourceSpec], sink: Sink) -> bool:
    """Whether the sources have all columns that are read. A file whose columns are not named is not looked into here."""
    known = sources["train"].columns
    if not known:
        return True
    lacking = [column for column in columns if column.name not in known]
    for column in lacking:
        close = near(column.name, known)
        footers: list[Note | Help] = []
        if len(close) == 1:
            footers.append(Help(did_you_mean(close), (Edit(column.span, f'source["{close[0]}"]'),)))
        elif close:
            footers.append(Help(did_you_mean(close)))
        footers.append(
            Note(f"the source has {'the columns' if len(known) > 1 else 'the column'} {quoted(known, 'and')}")
        )
        sink.report(
            "DL3015",
            f"the source has no column `{column.name}`",
            column.span,
            "not found",
            footers=footers,
        )
    return not lacking
