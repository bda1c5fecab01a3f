"""Walks over the syntax tree: which names an expression mentions and which names statements define. Resolves nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

from dslc.syntax import tree

_NODES = frozenset(kind for kind in vars(tree).values() if isinstance(kind, type) and kind.__module__ == tree.__name__)


def walk(node: Any) -> Iterator[Any]:
    """A node and all nodes below it, in source order; a loop, however deep the tree."""
    stack = [node]
    while stack:
        node = stack.pop()
        yield node
        below: list[Any] = []
        for name in node.__slots__:
            child = getattr(node, name)
            if isinstance(child, tuple):
                items = cast("tuple[Any, ...]", child)
                below += [item for item in items if type(item) in _NODES]
            elif type(child) in _NODES:
                below.append(child)
        stack += reversed(below)


def names(node: tree.Expr | tree.Stmt | tree.TypeExpr) -> list[tree.Name]:
    """The names an expression or a statement reads, in source order."""
    return [found for found in walk(node) if isinstance(found, tree.Name)]


def attributes(nodes: Iterable[object]) -> frozenset[str]:
    """Every name read from something (`net.NAME`), wherever it stands."""
    return frozenset(found.name.text for node in nodes for found in walk(node) if isinstance(found, tree.Attribute))


def defined(statement: tree.Stmt) -> tuple[tree.Ident, ...]:
    """The names a statement defines; of an `if`, those that every branch defines."""
    if isinstance(statement, tree.AssignStmt):
        return statement.targets
    if isinstance(
        statement, tree.ParamStmt | tree.BufferStmt | tree.StateStmt | tree.LayerStmt | tree.LetStmt | tree.InputStmt
    ):
        return (statement.name,)
    if isinstance(statement, tree.OutputStmt):
        return (statement.name,) if statement.value is not None else ()
    if isinstance(statement, tree.IfStmt):
        otherwise = {ident.text for inner in statement.orelse for ident in defined(inner)}
        return tuple(ident for inner in statement.then for ident in defined(inner) if ident.text in otherwise)
    return ()


def definers(body: Iterable[tree.Stmt]) -> dict[str, tree.Stmt]:
    """Statements by the names they define; the first of each name."""
    found: dict[str, tree.Stmt] = {}
    for statement in body:
        for ident in defined(statement):
            found.setdefault(ident.text, statement)
    return found
