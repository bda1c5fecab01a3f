"""A layer's declaration -> its entry: head, inputs, outputs, parameters and doc comment, as they are written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dslc.doc.entry import Choice, Entry
from dslc.syntax import tree

_EXAMPLE = "Example: "


def of_definition(definition: tree.Definition, kind: str = "") -> Entry:
    """The entry of a model, block or cell. A line `Example: ...` of its doc comment becomes the example.

    Args:
        kind: what it is listed as, if not as what it is declared.
    """
    prose = [line for line in definition.doc.splitlines() if not line.startswith(_EXAMPLE)]
    examples = [line.removeprefix(_EXAMPLE) for line in definition.doc.splitlines() if line.startswith(_EXAMPLE)]
    return Entry(
        definition.name.text,
        kind or definition.kind,
        "",
        f"{definition.name.text}({', '.join(_line(hyper) for hyper in definition.hypers)})",
        "\n".join(prose) or f"A {definition.kind} without a doc comment.",
        tuple(_choice(hyper) for hyper in definition.hypers),
        tuple(_facts(definition)),
        "\n".join(examples),
    )


def _choice(hyper: tree.Hyper) -> Choice:
    default = "" if hyper.default is None else " ".join(hyper.default.span.text.split())
    return Choice(hyper.name.text, default, " ".join(hyper.type.span.text.split()))


def _line(node: tree.Hyper | tree.Stmt) -> str:
    return " ".join(node.span.text.split())


_SHOWN = (tree.InputStmt, tree.OutputStmt, tree.ParamStmt, tree.BufferStmt, tree.StateStmt)
_TITLES = {
    tree.InputStmt: "input",
    tree.OutputStmt: "output",
    tree.ParamStmt: "param",
    tree.BufferStmt: "buffer",
    tree.StateStmt: "state",
}


def _facts(definition: tree.Definition) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for stmt in _statements(definition.body):
        if not isinstance(stmt, _SHOWN):
            continue
        key = stmt.key.text if isinstance(stmt, tree.ParamStmt | tree.BufferStmt) and stmt.key is not None else ""
        name = key or stmt.name.text
        text = f"`{name}: {' '.join(stmt.type.span.text.split())}{_initial(stmt)}`"
        if text not in seen:
            seen.add(text)
            yield _TITLES[type(stmt)], text


def _initial(stmt: tree.Stmt) -> str:
    init = stmt.init if isinstance(stmt, tree.ParamStmt | tree.BufferStmt | tree.StateStmt) else None
    init = stmt.default if isinstance(stmt, tree.InputStmt) else init
    return "" if init is None else f" = {' '.join(init.span.text.split())}"


def _statements(body: Sequence[tree.Stmt]) -> Iterator[tree.Stmt]:
    """All statements, those inside an `if` in the order they are written."""
    for stmt in body:
        yield stmt
        if isinstance(stmt, tree.IfStmt):
            yield from _statements((*stmt.then, *stmt.orelse))
