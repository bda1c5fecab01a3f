"""A syntax tree as indented text, for `--emit tree`: a line per node with its place, names and literals inline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from dslc.source import Span
from dslc.syntax import tree

_HIDDEN = ("span", "op_span", "items_span", "head", "doc")


def tree_text(file: tree.File) -> str:
    """The declarations of a file, one node a line: ``line:column Node field=literal``, children below."""
    return "\n".join(line for decl in file.decls for line in _lines(decl, "", 0))


def _lines(node: object, role: str, depth: int) -> Iterator[str]:
    names = [name for name in cast("tuple[str, ...]", type(node).__match_args__) if name not in _HIDDEN]  # type: ignore[attr-defined]
    fields: dict[str, object] = {name: getattr(node, name) for name in names}
    inline = {name: text for name, value in fields.items() if (text := _literal(value)) is not None}
    span = getattr(node, "span", None)
    place = f"{span.line}:{span.column} " if isinstance(span, Span) else ""
    words = "".join(f" {name}={text}" for name, text in inline.items())
    yield f"{'  ' * depth}{role}{place}{type(node).__name__}{words}"
    for name in names:
        if name in inline:
            continue
        value = fields[name]
        if not isinstance(value, tuple):
            yield from _lines(value, f"{name}: ", depth + 1)
            continue
        for number, child in enumerate(cast("tuple[object, ...]", value)):
            yield from _lines(child, f"{name}[{number}]: ", depth + 1)


def _literal(value: object) -> str | None:
    """A value that has no children, as text."""
    if isinstance(value, tree.Ident):
        return value.text
    if value is None or isinstance(value, bool | int | float | str):
        return repr(value)
    if not isinstance(value, tuple):
        return None
    parts = [_literal(item) for item in cast("tuple[object, ...]", value)]
    return None if None in parts else f"({', '.join(part for part in parts if part is not None)})"
