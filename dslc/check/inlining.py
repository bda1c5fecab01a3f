"""A program of several files as one text that means the same: what a run keeps as its `config.dl`.

Input: a program without errors, and the folder each text's paths start in. Output: the text of the first file with the
declarations it imports behind it, as far as they are needed, and with the paths of its data made absolute. A declaration
whose name is taken gets another; keys of parameters and random numbers do not depend on these names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from dslc.check.data_paths import absolute_paths
from dslc.check.units import Declaration, Unit, Visible, visible
from dslc.check.walk import walk
from dslc.diagnostics import Edit
from dslc.record import record
from dslc.source import Source, Span
from dslc.syntax import tree


def inlined(unit: Unit, folder: Callable[[Source], Path]) -> str:
    """The text of a program that stands alone.

    Args:
        folder: where the relative paths of a text start.
    """
    own = [_Part(decl, unit, _references(decl, unit)) for decl in unit.file.decls if not _is_import(decl)]
    brought = _needed(unit, own)
    names = _names(own, brought)
    edits = [Edit(_line(decl.span), "") for decl in unit.file.decls if _is_import(decl)]
    edits += [edit for part in own for edit in _edits(part, names, folder)]
    text = _spliced(Span(unit.source, 0, len(unit.source.text)), edits)
    if not brought:
        return text
    dims = _dimensions(unit, brought)
    head = [f"dim {', '.join(dims)}\n"] if dims else []
    return "\n".join([*head, text.strip("\n") + "\n", *(_text(part, names, folder) for part in brought)])


@record
class _Reference:
    """A place that names a declaration: ``MLP`` or ``nets.MLP``."""

    span: Span
    target: Visible


@record(eq=False)
class _Part:
    """A declaration that the text will hold."""

    decl: tree.Decl
    home: Unit
    references: Sequence[_Reference]


def _line(span: Span) -> Span:
    """A span with the line end after it, if only that is left of its line."""
    text, end = span.source.text, span.end
    stop = text.find("\n", end)
    rest = text[end : stop if stop >= 0 else len(text)]
    return span if rest.strip() else Span(span.source, span.start, end + len(rest) + (stop >= 0))


def _is_import(decl: tree.Decl) -> bool:
    return isinstance(decl, tree.FromImport | tree.Import)


# ---------------------------------------------------------------------------------------------- what is needed


def _references(decl: tree.Decl, home: Unit) -> list[_Reference]:
    """The places in a declaration that name another one of its file, or one that the file imports."""
    known = {item.name: item for item in visible(home)}
    dims = _dims(home)
    found: list[_Reference] = []
    for part, bound in _scopes(decl):
        sizes = {id(name) for node in walk(part) if isinstance(node, tree.TypeExpr) for name in walk(node)}
        called = {id(node.callee) for node in walk(part) if isinstance(node, tree.Call)}
        data = _data_named(part)
        for node in walk(part):
            name = _path(node)
            if name not in known or id(node) in sizes:
                continue
            # A name of its own hides a declaration, a dimension hides one that is not called; `data =` names data alone.
            first = name.partition(".")[0]
            if id(node) in data or not (first in bound or (first in dims and id(node) not in called)):
                found.append(_Reference((node.name if isinstance(node, tree.TrainRef) else node).span, known[name]))
    return found


def _path(node: object) -> str:
    """The name that a node of the tree reads, `nets.MLP` included; "" where it reads none."""
    if isinstance(node, tree.Attribute) and isinstance(node.value, tree.Name):
        return f"{node.value.id}.{node.name.text}"
    if isinstance(node, tree.TrainRef):
        return node.name.text
    return node.id if isinstance(node, tree.Name) else ""


def _scopes(decl: tree.Decl) -> list[tuple[Any, set[str]]]:
    """The parts of a declaration, each with the names that mean something of its own there."""
    if not isinstance(decl, tree.Definition):
        return [(decl, _bound(decl))]
    parts: list[tuple[Any, set[str]]] = []
    before: set[str] = set()
    for hyper in decl.hypers:
        if hyper.default is not None:
            parts.append((hyper.default, set(before)))
        before.add(hyper.name.text)
    bound = _bound(decl)
    return [*parts, *((stmt, bound) for stmt in decl.body)]


def _data_named(part: object) -> set[int]:
    """The name in ``data = digits`` of a train block, which never means anything else."""
    body = part.body if isinstance(part, tree.TrainDecl) else ()
    return {id(stmt.value) for stmt in body if isinstance(stmt, tree.AssignStmt) and stmt.targets[0].text == "data"}


def _bound(decl: tree.Decl) -> set[str]:
    """Names that a declaration gives to things of its own, behind which a declaration of the same name is not seen."""
    found: set[str] = set()
    for node in walk(decl):
        if isinstance(node, tree.DimStmt):
            found |= {ident.text for ident in node.names}
        elif isinstance(node, tree.AssignStmt) and isinstance(decl, tree.Definition):  # elsewhere it is a setting
            found |= {ident.text for ident in node.targets}
        elif isinstance(node, tree.Repeat) and node.var is not None:
            found.add(node.var.text)
        elif isinstance(node, _NAMING):
            found.add(node.name.text)
    return found


_NAMING = (
    tree.Hyper, tree.InputStmt, tree.OutputStmt, tree.ParamStmt, tree.BufferStmt, tree.StateStmt, tree.LayerStmt,
    tree.LetStmt, tree.UseStmt, tree.SampleStmt, tree.GivenStmt,
)  # fmt: skip


def _needed(unit: Unit, own: Sequence[_Part]) -> list[_Part]:
    """The declarations of other files that a program reaches, in the order they are met."""
    start = [item for item in visible(unit) if item.home is not unit and isinstance(item.decl, tree.TrainDecl)]
    waiting = [*start, *(reference.target for part in own for reference in part.references)]
    found: dict[int, _Part] = {}
    while waiting:
        item = waiting.pop(0)
        if item.home is unit or id(item.decl) in found:
            continue
        part = _Part(item.decl, item.home, _references(item.decl, item.home))
        found[id(item.decl)] = part
        waiting += [reference.target for reference in part.references]
    return list(found.values())


def _dimensions(unit: Unit, brought: Sequence[_Part]) -> list[str]:
    """Dimensions of other files that their declarations mention and the file does not have itself."""
    own = set(_dims(unit))
    mentioned = {
        node.id: None
        for part in brought
        for node in walk(part.decl)
        if isinstance(node, tree.Name) and node.id in _dims(part.home)
    }
    return [name for name in mentioned if name not in own]


def _dims(unit: Unit) -> list[str]:
    return [ident.text for decl in unit.file.decls if isinstance(decl, tree.DimStmt) for ident in decl.names]


# ---------------------------------------------------------------------------------------------- names and texts


def _names(own: Sequence[_Part], brought: Sequence[_Part]) -> dict[int, str]:
    """The name of every declaration in the text: its own unless that means something else somewhere in it."""
    parts = [*own, *brought]
    named = {reference.span for part in parts for reference in part.references}
    taken = {
        node.id for part in parts for node in walk(part.decl) if isinstance(node, tree.Name) and node.span not in named
    }
    taken |= {name for part in parts for name in _bound(part.decl)}
    kept = [part for part in own if isinstance(part.decl, Declaration) and not _hides(part.decl, brought, named)]
    found = {id(part.decl): _name(part.decl) for part in kept}
    taken |= set(found.values())
    for part in (*own, *brought):
        if isinstance(part.decl, Declaration) and id(part.decl) not in found:
            found[id(part.decl)] = _free(_name(part.decl), part.home.source, taken)
            taken.add(found[id(part.decl)])
    return found


def _hides(decl: tree.Decl, brought: Sequence[_Part], named: set[Span]) -> bool:
    """Whether a block has the name of a standard layer that a declaration of another file uses."""
    return isinstance(decl, tree.Definition) and any(
        isinstance(node, tree.Name) and node.id == decl.name.text and node.span not in named
        for part in brought
        for node in walk(part.decl)
        if decl.name.text not in _bound(part.decl) | set(_dims(part.home))
    )


def _name(decl: tree.Decl) -> str:
    assert isinstance(decl, tree.Definition | tree.DataDecl | tree.TrainDecl)
    return decl.name.text


def _free(name: str, source: Source, taken: set[str]) -> str:
    """The name, or one made of it and its file's that nothing else has."""
    if name not in taken:
        return name
    longer = re.sub(r"\W", "_", f"{name}_{Path(source.name).stem}")
    number = 1
    while (wanted := longer if number == 1 else f"{longer}_{number}") in taken:
        number += 1
    return wanted


def _edits(part: _Part, names: dict[int, str], folder: Callable[[Source], Path]) -> Iterator[Edit]:
    """What changes in the text of a declaration: names of others, its own, and paths."""
    for reference in part.references:
        name = names[id(reference.target.decl)]
        if reference.span.text != name:
            yield Edit(reference.span, name)
    if isinstance(part.decl, Declaration) and names[id(part.decl)] != part.decl.name.text:
        yield Edit(part.decl.name.span, names[id(part.decl)])
    yield from absolute_paths(part.decl, folder(part.decl.span.source))


def _text(part: _Part, names: dict[int, str], folder: Callable[[Source], Path]) -> str:
    """The text of a declaration of another file, with its doc comment."""
    assert isinstance(part.decl, tree.Definition | tree.DataDecl | tree.TrainDecl)
    doc = "".join(f"## {line}".rstrip() + "\n" for line in part.decl.doc.splitlines())
    return f"{doc}{_spliced(part.decl.span, _edits(part, names, folder))}\n"


def _spliced(span: Span, edits: Iterable[Edit]) -> str:
    """The text of a span with edits inside it applied."""
    text, at = span.source.text, span.start
    pieces: list[str] = []
    for edit in sorted(edits, key=lambda edit: edit.span.start):
        pieces += [text[at : edit.span.start], edit.text]
        at = edit.span.end
    return "".join([*pieces, text[at : span.end]])
