"""The files that a program may import: a path in the program -> its text, or a diagnostic at the import.

A program reads `.dl` files in its own folder and below it, and in folders that were allowed by name. Symbolic links are
followed before that is decided. What the texts mean is the checker's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from os.path import normpath
from pathlib import Path, PurePath

from dslc.check.near import near, proposed, quoted
from dslc.check.units import no_files
from dslc.diagnostics import Diagnostic, DslcError, Help, Label, Note
from dslc.driver.reading import read_source
from dslc.source import Source
from dslc.syntax import tree


class ImportedFiles:
    """The loader of one program; each file is read once."""

    def __init__(self, root: Source, allowed: Sequence[Path] = ()) -> None:
        self._known: dict[Path, Source] = {}
        self._folders: list[Path] = []
        if root.path is not None:
            self._known[root.path.resolve()] = root
            self._folders = [folder.resolve() for folder in (root.path.parent, *allowed)]

    def __call__(self, path: tree.String) -> Source | Diagnostic:
        """The file a path in a program means: the same source for the same file."""
        importer = path.span.source
        if importer.path is None:
            return no_files(path)
        file = importer.path.parent / path.value
        try:
            resolved = file.resolve()
        except (OSError, RuntimeError, ValueError):  # a circle of links, or a name with a null character
            return _refuse(path, "its path cannot be followed")
        if resolved in self._known:
            return self._known[resolved]
        if not any(resolved.is_relative_to(folder) for folder in self._folders):
            return self._outside(path, resolved)
        problem = _problem(path, resolved)
        if problem is not None:
            return problem
        try:
            source = read_source(resolved, str(_name(path)))
        except DslcError as error:
            return _refuse(path, error.diagnostics[0].message, *error.diagnostics[0].footers)
        self._known[resolved] = source
        return source

    def _outside(self, path: tree.String, resolved: Path) -> Diagnostic:
        message = f"`{path.value}` lies outside the folder of the program"
        folder = resolved.parent
        importer = path.span.source
        if importer.path is not None and Path(normpath(importer.path.absolute().parent / path.value)) == resolved:
            folder = _name(path).parent  # no link leads there, so it can be said as the program's own path was
        notes = (
            Help(f"if you trust the file, allow its folder: `--allow-import {folder}`"),
            Note("a program imports from its own folder and those below it"),
        )
        return Diagnostic("DL1083", message, (Label(path.span, "another folder"),), notes)


def _name(path: tree.String) -> PurePath:
    """An imported file as messages name it: seen from where the name of its importer is seen."""
    return PurePath(normpath(PurePath(path.span.source.name).parent / path.value))


def _refuse(path: tree.String, why: str, *footers: Note | Help) -> Diagnostic:
    return Diagnostic("DL1082", f"cannot import `{path.value}`", (Label(path.span, why),), footers)


def _problem(path: tree.String, file: Path) -> Diagnostic | None:
    """Why a file cannot be a program, as far as its name and kind tell."""
    try:
        if file.is_dir():
            inside = sorted(found.name for found in file.glob("*.dl"))[:3]
            helps = [Help(f"name a file in it: {quoted(f'{path.value}/{name}' for name in inside)}")] if inside else []
            return _refuse(path, "this is a folder", *helps)
        if not file.exists():
            return _refuse(path, "there is no such file", *_near(path, file))
        if not file.is_file():
            return _refuse(path, "this is not a regular file")
    except OSError as error:
        return _refuse(path, (error.strerror or type(error).__name__).lower())
    if file.suffix != ".dl":
        return _refuse(path, "programs end in `.dl`")
    return None


def _near(path: tree.String, file: Path) -> list[Note | Help]:
    """Programs in the folder whose names are like the one that was written."""
    if not file.parent.is_dir():
        return [Note(f"there is no folder `{PurePath(path.value).parent}` either")]
    there = sorted(found.name for found in file.parent.glob("*.dl"))
    stems = {PurePath(name).stem: name for name in there}
    close = [stems[stem] for stem in near(file.stem, stems)]
    if file.suffix != ".dl" and f"{file.name}.dl" in there:
        close = [f"{file.name}.dl"]
    if not close:
        return [Note(f"the folder has {quoted(there[:8], 'and')}" if there else "the folder has no programs")]
    before = path.value[: len(path.value) - len(PurePath(path.value).name)]
    return proposed([f"{before}{name}" for name in close], path.span, '"{}"')
