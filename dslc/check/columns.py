"""Which columns a field's expression reads: every `source["name"]` in it, found without evaluating anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dslc.check.near import near, proposed, quoted
from dslc.check.settings import not_yet
from dslc.check.typed import ColumnRead, SourceSpec
from dslc.check.walk import walk
from dslc.diagnostics import Edit, Help, Note, Sink
from dslc.source import Span
from dslc.syntax import tree

LATER = ("resize", "random_flip", "random_crop")
#: Functions whose first argument is a column of the source, and what its cells are.
CONTENTS: Mapping[str, str] = {"classes": "labels", "tokenize": "text"}


def read_columns(expr: tree.Expr, sink: Sink) -> tuple[ColumnRead, ...] | None:
    """What an expression reads, in order, or None after a report of a wrong read."""
    found: list[ColumnRead] = []
    good = True
    inside: set[int] = set()
    contents: dict[int, str] = {}
    for node in walk(expr):
        contents.update(_contents(node))
        if isinstance(node, tree.Index) and is_source(node.value):
            inside.add(id(node.value))
            read = _read(node, contents.get(id(node), "numbers"), sink)
            good = good and read is not None
            found += [read] if read is not None else []
        elif isinstance(node, tree.Name) and node.id == "source" and id(node) not in inside:
            _report(node.span, "which column?", sink)
            good = False
        elif isinstance(node, tree.Name) and node.id in LATER:
            not_yet(f"`{node.id}`", node, sink)
            good = False
    if good and not found:
        _report(expr.span, "reads no column", sink)
    return tuple(found) if good and found else None


def is_source(expr: tree.Expr) -> bool:
    """Whether an expression is the name `source`."""
    return isinstance(expr, tree.Name) and expr.id == "source"


def _contents(node: object) -> Iterator[tuple[int, str]]:
    """The operands of functions of text that a node applies, with what their cells are; an operand stands further down."""
    match node:
        case tree.Call(callee=tree.Name(id=name), args=(tree.Arg(value=operand), *_)) if name in CONTENTS:
            yield id(operand), CONTENTS[name]
        case tree.Pipe(head=operand, stages=(tree.Stage(body=stage), *_)):
            callee = stage.callee if isinstance(stage, tree.Call) else stage
            if isinstance(callee, tree.Name) and callee.id in CONTENTS:
                yield id(operand), CONTENTS[callee.id]
        case _:
            pass


def _read(index: tree.Index, content: str, sink: Sink) -> ColumnRead | None:
    match index.items:
        case (tree.String(value=name),):
            return ColumnRead((name,), index.span, content=content)
        case (tree.Slice(start=tree.String(value=first), stop=tree.String(value=last), step=None),):
            found = ColumnRead((first, last), index.span, range=True)
        case (tree.Name(id=name, span=span),):
            mend = Help("write the name in quotes:", (Edit(span, f'"{name}"'),))
            sink.report("DL3023", "the name of a column stands in quotes", span, "not a string", footers=[mend])
            return None
        case items if all(isinstance(item, tree.String) for item in items):
            found = ColumnRead(tuple(item.value for item in items if isinstance(item, tree.String)), index.span)
        case _:
            _report(index.items_span, "not the name of a column", sink)
            return None
    if content == "numbers":
        return found
    text = "text is read one column at a time"
    sink.report("DL3130", text, index.items_span, "a range of columns" if found.range else "several columns")
    return None


def _report(span: Span, label: str, sink: Sink) -> None:
    mend = Help("read one column:", code=('source["name"]',))
    sink.report("DL3023", "`source` is read by the name of a column", span, label, footers=[mend])


def check_columns(reads: Sequence[ColumnRead], sources: Mapping[str, SourceSpec], sink: Sink) -> bool:
    """Whether the sources have all columns that are read. A file whose columns are not named is not looked into here."""
    known = sources["train"].columns
    if not known:
        return True
    lacking = [(read, name) for read in reads for name in read.columns if name not in known]
    for read, name in lacking:
        footers = proposed(near(name, known), read.span if len(read.columns) == 1 else None, 'source["{}"]')
        footers.append(
            Note(f"the source has {'the columns' if len(known) > 1 else 'the column'} {quoted(known, 'and')}")
        )
        sink.report("DL3015", f"the source has no column `{name}`", read.span, "not found", footers=footers)
    return not lacking and all(_in_order(read, list(known), sink) for read in reads)


def _in_order(read: ColumnRead, known: list[str], sink: Sink) -> bool:
    """Whether a range begins before it ends."""
    if not read.range or known.index(read.columns[0]) <= known.index(read.columns[1]):
        return True
    first, last = read.columns
    mend = Help("the other way round:", (Edit(read.span, f'source["{last}":"{first}"]'),))
    note = Note(f"the columns are, in order, {quoted(known, 'and')}")
    text = f"the range from `{first}` to `{last}` ends before it begins"
    sink.report("DL3131", text, read.span, "empty", footers=[mend, note])
    return False


def selected(read: ColumnRead, known: Sequence[str]) -> tuple[str, ...]:
    """The columns of a read that `check_columns` has accepted."""
    if not read.range:
        return read.columns
    return tuple(known[known.index(read.columns[0]) : known.index(read.columns[1]) + 1])
