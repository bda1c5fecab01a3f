"""What a file's imports bring in: the names of a `FileScope` that other files declare. Reports names that do not exist.

Input: the syntax tree's import statements, and the scopes of the files they name, checked before. A file with errors, or one
that could not be had, has been reported: its names count as failed, and whatever uses them stays silent.
"""

from __future__ import annotations

from collections.abc import Mapping

from dslc.check.near import near, proposed, quoted
from dslc.check.values import FileScope, Imported
from dslc.check.walk import walk
from dslc.diagnostics import Help, Label, Note, Sink
from dslc.source import Span
from dslc.syntax import tree

#: What other files can name.
Declaration = tree.Definition | tree.DataDecl | tree.TrainDecl


def bring_in(scope: FileScope, decl: tree.FromImport | tree.Import, homes: Mapping[str, FileScope], sink: Sink) -> None:
    """Put what an import statement names into a scope.

    Args:
        homes: the scopes of imported files by the path as it is written; those that could not be had are missing.
    """
    home = homes.get(decl.path.value)
    idents = decl.names if isinstance(decl, tree.FromImport) else (decl.name,)
    for ident in idents:
        first = scope.imported_at(ident.text)
        if first is not None:
            twice(sink, ident, first, "imported")
        elif home is None or not home.sound:
            scope.lost[ident.text] = ident
        elif isinstance(decl, tree.Import):
            scope.modules[ident.text] = Imported(home, None, ident)
        else:
            _name(scope, decl, ident, home, sink)


def _name(scope: FileScope, decl: tree.FromImport, ident: tree.Ident, home: FileScope, sink: Sink) -> None:
    found = home.declared(ident.text)
    if found is None:
        scope.lost[ident.text] = ident
        _report_missing(decl, ident, home, sink)
        return
    scope.imported[ident.text] = Imported(home, found, ident)


def _report_missing(decl: tree.FromImport, ident: tree.Ident, home: FileScope, sink: Sink) -> None:
    name, file = ident.text, home.source.name
    known = [*home.definitions, *home.datas, *home.trains]
    close = near(name, known)
    footers: list[Note | Help] = []
    more: list[Label] = []
    brought = home.imported_at(name)
    if name in home.dims:
        footers.append(Help(f"dimensions of one name are the same size: write `dim {name}` in this file too"))
    elif brought is not None:
        more.append(Label(brought, f"{file} imports it itself"))
        footers.append(Help("import it from the file that declares it"))
    elif close:
        footers += proposed(close, ident.span)
    if not footers:
        footers.append(Note(f"{file} declares {quoted(known, 'and')}" if known else f"{file} declares nothing"))
    message = f"`{decl.path.value}` declares nothing named `{name}` that can be imported"
    sink.report("DL1084", message, ident.span, "not found", *more, footers=footers)


def twice(sink: Sink, ident: tree.Ident, first: Span, what: str) -> None:
    """Report a name that is imported and given again."""
    message = f"the name `{ident.text}` is given twice"
    sink.report("DL1006", message, ident.span, f"{what} again", Label(first, "first given here"))


def unused(scope: FileScope, sink: Sink) -> None:
    """Warn of imports that nothing in the file mentions. A train block is there to be trained, so it needs no mention."""
    mentioned = {
        found.id
        for decl in scope.file.decls
        if not isinstance(decl, tree.FromImport | tree.Import)
        for found in walk(decl)
        if isinstance(found, tree.Name)
    }
    for name, found in {**scope.imported, **scope.modules}.items():
        if name in mentioned or isinstance(found.decl, tree.TrainDecl):
            continue
        text = f"`{name}` is imported and never used"
        footers = [Help("leave it out of the import, or delete the line")]
        sink.report("DL4080", text, found.ident.span, "nothing mentions it", footers=footers)
