"""Entries as text for a terminal. The caller says how wide it is and how a part is painted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from textwrap import fill, indent, shorten
from typing import TypeAlias

from dslc.doc.catalogue import KINDS
from dslc.doc.entry import Entry, paragraphs
from dslc.doc.examples import example_lines

#: (role, text) -> text. Roles are "title", "name", "code" and "faint".
Paint: TypeAlias = Callable[[str, str], str]

_CODE = re.compile(r"`[^`\n]+`")


def plain(_: str, text: str) -> str:
    """Text without any paint."""
    return text


def entry_text(entry: Entry, width: int, paint: Paint = plain) -> str:
    """Everything about one entry."""
    parts = [f"{paint('name', entry.signature)}\n{paint('faint', _kind(entry))}", *_prose(entry.doc, width, paint)]
    if entry.facts:
        parts.append(_table(entry.facts, paint))
    if entry.options:
        rows = [(f"{o.name} = {o.default}" if o.default else o.name, o.takes) for o in entry.options]
        parts.append(f"{paint('title', 'options')}\n{indent(_table(rows, paint), '  ')}")
    if entry.example:
        lines = "\n".join(example_lines(entry))
        parts.append(f"{paint('title', 'example')}\n{indent(lines, '  ')}")
    return "\n\n".join(parts)


def overview(name: str, entries: Sequence[Entry], paint: Paint = plain) -> str:
    """What a name of several things means, a line each: the entries follow."""
    rows = [(entry.signature, _kind(entry)) for entry in entries]
    return f"{paint('code', f'`{name}`')} is {len(entries)} things:\n{indent(_table(rows, paint), '  ')}"


def _kind(entry: Entry) -> str:
    return f"{entry.kind}, {entry.group}" if entry.group else entry.kind


def _prose(doc: str, width: int, paint: Paint) -> Iterator[str]:
    for text, verbatim in paragraphs(doc):
        shown = indent(text, "    ") if verbatim else fill(text, width, break_long_words=False, break_on_hyphens=False)
        yield _coded(shown, paint)


def _coded(text: str, paint: Paint) -> str:
    """A text with its code painted."""
    return _CODE.sub(lambda match: paint("code", match[0]), text)


def _bare(text: str) -> str:
    """A text that is code as a whole, without its quotes."""
    return text[1:-1] if _CODE.fullmatch(text) else text


def _table(rows: Sequence[tuple[str, str]], paint: Paint) -> str:
    width = max(len(name) for name, _ in rows)
    return "\n".join(
        f"{paint('code', name)}{' ' * (width - len(name))}  {_coded(_bare(text), paint)}" for name, text in rows
    )


def listing(entries: Sequence[Entry], width: int | None, paint: Paint = plain) -> str:
    """One line for each entry, by kind and group; cut to `width` where there is one."""
    column = max(len(entry.name) for entry in entries)
    sections: list[str] = []
    for kind, title in KINDS.items():
        groups = dict.fromkeys(entry.group for entry in entries if entry.kind == kind)
        for group in groups:
            head = f"{title}: {group}" if group else title
            found = [entry for entry in entries if (entry.kind, entry.group) == (kind, group)]
            lines = [_line(entry, column, width, paint) for entry in found]
            sections.append("\n".join([paint("title", head), *lines]))
    return "\n\n".join(sections)


def _line(entry: Entry, column: int, width: int | None, paint: Paint) -> str:
    summary = entry.summary if width is None else shorten(entry.summary, width - column - 4, placeholder=" ...")
    return f"  {paint('code', entry.name)}{' ' * (column - len(entry.name))}  {summary}"


def as_json(entry: Entry) -> dict[str, object]:
    """An entry as plain data."""
    return {
        "name": entry.name,
        "kind": entry.kind,
        "group": entry.group,
        "signature": entry.signature,
        "summary": entry.summary,
        "doc": "\n\n".join(text for text, _ in paragraphs(entry.doc)),
        "options": [{"name": o.name, "default": o.default or None, "takes": o.takes} for o in entry.options],
        "facts": [{"title": title, "text": text.replace("`", "")} for title, text in entry.facts],
        "example": entry.example,
    }
