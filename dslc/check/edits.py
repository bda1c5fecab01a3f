"""Edits of a program's text: a setting, an argument or a record's entry is replaced or inserted. Comments stay where they are.

Input: the syntax tree of what is there. Output: `Edit`s, and the text with edits applied. Nothing is checked here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dslc.diagnostics import Edit
from dslc.source import Source, Span
from dslc.syntax import tree


def splice(source: Source, edits: Iterable[Edit]) -> Source:
    """A new source whose text has the edits applied. Edits do not overlap."""
    text = source.text
    for edit in sorted(edits, key=lambda edit: edit.span.start, reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return Source(source.name, text, source.path)


def insert(source: Source, at: int, text: str) -> Edit:
    """Put text in at an offset."""
    return Edit(Span(source, at, at), text)


def set_statement(span: Span, body: Sequence[tree.Stmt], name: str, value: str) -> Edit:
    """Set `name = value` in a block that ends with `span` (at its closing brace): replaced where it is, else a new last line."""
    for statement in body:
        if isinstance(statement, tree.AssignStmt) and [target.text for target in statement.targets] == [name]:
            return Edit(statement.value.span, value)
    source, brace = span.source, span.end - 1
    text = source.text
    line = text.rfind("\n", 0, brace) + 1
    if not text[line:brace].strip() and body:
        return insert(source, line, f"{_indent(body[0].span)}{name} = {value}\n")
    at = len(text[:brace].rstrip())
    before = " " if text[at - 1] in "{;" else "; "
    after = "" if at < brace else " "
    return insert(source, at, f"{before}{name} = {value}{after}")


def _indent(span: Span) -> str:
    """The white space before what starts its line, or two spaces where it does not."""
    text = span.source.text
    before = text[text.rfind("\n", 0, span.start) + 1 : span.start]
    return before if before and not before.strip() else "  "


def set_argument(call: tree.Call, name: str, value: str, position: int | None = None) -> Edit:
    """Set the argument `name` of a call, which may have been given by position; else it becomes the last one."""
    found = argument(call, name, position)
    if found is not None:
        return Edit(found.value.span, value)
    if call.args:
        return insert(call.span.source, call.args[-1].span.end, f", {name} = {value}")
    return insert(call.span.source, call.span.end - 1, f"{name} = {value}")


def argument(call: tree.Call, name: str, position: int | None = None) -> tree.Arg | None:
    """The argument given by name, or by position."""
    for index, arg in enumerate(call.args):
        if (arg.name is None and index == position) or (arg.name is not None and arg.name.text == name):
            return arg
    return None


def set_entry(record: tree.Record, key: str, value: str) -> Edit:
    """Set `key: value` in a record."""
    for entry in record.entries:
        if entry.key.text == key:
            return Edit(entry.value.span, value)
    source = record.span.source
    if record.entries:
        return insert(source, record.entries[-1].span.end, f", {key}: {value}")
    return insert(source, record.span.start + 1, f" {key}: {value}")
