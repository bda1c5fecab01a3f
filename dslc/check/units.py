"""A file with the files it imports: a syntax tree and a loader -> `Unit`. Reports files that cannot be had, and circles.

Nothing is read here: the loader, which knows about folders, gives sources. What the files declare is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias

from dslc.check.edits import splice
from dslc.diagnostics import Diagnostic, Edit, Label, Note, Sink
from dslc.record import field, record
from dslc.source import Source
from dslc.syntax import tree
from dslc.syntax.parse import parse

#: How many files may import one another in a row.
MAX_CHAIN = 32

#: The path of an import -> the file it means, the same object for the same file, or why there is none.
Load: TypeAlias = Callable[[tree.String], Source | Diagnostic]


@record(eq=False)
class Unit:
    """A file and the files it imports, by the path as it is written; those that could not be had are missing.

    `sound` says whether the text had no mistakes, so that a name it does not declare does not exist.
    """

    file: tree.File
    imports: Mapping[str, Unit] = field(factory=dict[str, "Unit"])
    sound: bool = True

    @property
    def source(self) -> Source:
        return self.file.source

    def all(self) -> Iterator[Unit]:
        """Every file of the program once, this one first."""
        seen: set[int] = set()
        waiting: list[Unit] = [self]
        while waiting:
            unit = waiting.pop()
            if id(unit) not in seen:
                seen.add(id(unit))
                yield unit
                waiting += reversed(list(unit.imports.values()))


def no_files(path: tree.String) -> Diagnostic:
    """The loader of a program that is no file itself."""
    text = "a program that is not a file cannot import one"
    notes = (Note("a path is relative to the file it stands in; save the program, or read it with `dslc.load`"),)
    return Diagnostic("DL1080", text, (Label(path.span, "relative to no folder"),), notes)


def load_unit(source: Source, load: Load, sink: Sink) -> Unit:
    """Parse a file, and all that it imports. Mistakes in imported files are reported where they are."""
    return _unit(source, load, sink, (), {})


def _unit(source: Source, load: Load, sink: Sink, chain: Sequence[tree.String], known: dict[Source, Unit]) -> Unit:
    """The unit of a source that the imports of `chain`, outermost first, lead to."""
    own = Sink()
    file = parse(source, own)
    for diagnostic in own:
        if diagnostic.is_error or not chain:
            sink.add(diagnostic)
    found: dict[str, Unit] = {}
    for path in imported_paths(file):
        imported = _imported(path, load, sink, (*chain, path), known)
        if imported is not None:
            found[path.value] = imported
    return Unit(file, found, not own.failed)


def imported_paths(file: tree.File) -> list[tree.String]:
    """The paths a file imports from, each where it is written first."""
    paths: dict[str, tree.String] = {}
    for decl in file.decls:
        if isinstance(decl, tree.FromImport | tree.Import):
            paths.setdefault(decl.path.value, decl.path)
    return list(paths.values())


def _imported(
    path: tree.String, load: Load, sink: Sink, chain: Sequence[tree.String], known: dict[Source, Unit]
) -> Unit | None:
    loaded = load(path)
    if isinstance(loaded, Diagnostic):
        sink.add(loaded)
        return None
    before = next((at for at, step in enumerate(chain) if step.span.source is loaded), None)
    if before is not None:
        _report_circle(chain[before:], sink)
        return None
    if len(chain) > MAX_CHAIN:
        text = f"more than {MAX_CHAIN} files import one another in a row"
        sink.report("DL1085", text, path.span, f"number {len(chain)}")
        return None
    if loaded not in known:
        known[loaded] = _unit(loaded, load, sink, chain, known)
    return known[loaded]


def _report_circle(steps: Sequence[tree.String], sink: Sink) -> None:
    """Files that import each other; each step is an import, the last one leads back to the file of the first."""
    first, last = steps[0], steps[-1]
    if len(steps) == 1:
        sink.report("DL1081", f"`{first.span.source.name}` imports itself", first.span, "this file")
        return
    names = [step.span.source.name for step in steps]
    way = " -> ".join([*names, names[0]])
    labels = [Label(step.span, f"imports {after.span.source.name}") for step, after in pairwise(steps)]
    notes = [Note(way), Note("move what both need into a third file")]
    text = f"{len(steps)} files import each other in a circle"
    sink.report("DL1081", text, last.span, f"imports {names[0]}, which leads back here", *labels, footers=notes)


def edited(unit: Unit, edits: Iterable[Edit]) -> Unit:
    """The program with edits made in the files they belong to. What comes out is a program as good as before."""
    changes: dict[Source, list[Edit]] = {}
    for edit in edits:
        changes.setdefault(edit.span.source, []).append(edit)
    return _edited(unit, changes, {})


def _edited(unit: Unit, changes: Mapping[Source, list[Edit]], known: dict[int, Unit]) -> Unit:
    if id(unit) not in known:
        imports = {path: _edited(imported, changes, known) for path, imported in unit.imports.items()}
        file = unit.file
        if file.source in changes:
            file = parse(splice(file.source, changes[file.source]), Sink())
        known[id(unit)] = Unit(file, imports, unit.sound)
    return known[id(unit)]


Declaration: TypeAlias = tree.Definition | tree.DataDecl | tree.TrainDecl


@record
class Visible:
    """A declaration that a file may name: by which name (`nets.MLP` of a whole file), and the file that declares it."""

    name: str
    decl: Declaration
    home: Unit


def visible(unit: Unit) -> list[Visible]:
    """What a file declares, and then what it imports; train blocks are imported by name only."""
    found = [Visible(decl.name.text, decl, unit) for decl in _declarations(unit)]
    for decl in unit.file.decls:
        if not isinstance(decl, tree.FromImport | tree.Import) or decl.path.value not in unit.imports:
            continue
        home = unit.imports[decl.path.value]
        for other in _declarations(home):
            if isinstance(decl, tree.Import):
                if not isinstance(other, tree.TrainDecl):
                    found.append(Visible(f"{decl.name.text}.{other.name.text}", other, home))
            elif other.name.text in {ident.text for ident in decl.names}:
                found.append(Visible(other.name.text, other, home))
    return found


def _declarations(unit: Unit) -> list[Declaration]:
    return [decl for decl in unit.file.decls if isinstance(decl, tree.Definition | tree.DataDecl | tree.TrainDecl)]
