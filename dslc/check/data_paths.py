"""The files that a program's data are read from: where their paths are written, and other paths put there."""

from __future__ import annotations

from pathlib import Path

from dslc.check.starts import is_weights
from dslc.check.units import Unit, edited
from dslc.check.walk import walk
from dslc.diagnostics import Diagnostic, Edit, Note, Sink
from dslc.syntax import tree


def set_data_path(unit: Unit, path: Path, folder: bool, sink: Sink) -> Unit:
    """The program with every data source reading another file (`--data`). Reports that there is none.

    Args:
        folder: whether the path is a folder, in which each file is looked for by its own name.
    """
    places = [place for each in unit.all() for decl in each.file.decls for place in data_paths(decl)]
    if not places:
        notes = (Note("its rows are written in the program, or it has no data block"),)
        text = "`--data` replaces the files that data are read from, and this program reads none"
        sink.add(Diagnostic("DL0056", text, (), notes, unit.source.name))
    return edited(unit, [path_edit(place, path / Path(place.value).name if folder else path) for place in places])


def absolute_paths(decl: tree.Decl, base: Path) -> list[Edit]:
    """The edits that make the paths of data and weights absolute, relative ones taken from the folder `base`."""
    return [path_edit(place, base / place.value) for place in (*data_paths(decl), *weights_paths(decl))]


def path_edit(place: tree.String, path: Path) -> Edit:
    """Another path, made absolute, in the place of one."""
    return Edit(place.span, _string(str(path.resolve())))


def data_paths(decl: tree.Decl) -> list[tree.String]:
    """The path of every data source of a declaration that reads a file."""
    if not isinstance(decl, tree.DataDecl):
        return []
    return [
        path
        for statement in decl.body
        if isinstance(statement, tree.AssignStmt) and statement.targets[0].text == "source"
        for path in _path_strings(statement.value)
    ]


def weights_paths(decl: tree.Decl) -> list[tree.String]:
    """The path of every file or run that a model of a declaration starts from."""
    if not isinstance(decl, tree.TrainDecl | tree.TestDecl):
        return []
    uses = [statement.value for statement in decl.body if isinstance(statement, tree.UseStmt)]
    calls = [node for value in uses for node in walk(value) if isinstance(node, tree.Call)]
    starts = [arg.value for call in calls for arg in call.args if is_weights(arg)]
    return [
        arg.value
        for start in starts
        if isinstance(start, tree.Call)
        for arg in start.args
        if (arg.name is None or arg.name.text == "path") and isinstance(arg.value, tree.String)
    ]


def _path_strings(value: tree.Expr) -> list[tree.String]:
    """The paths of each source that reads files: its first argument, or all those of `idx`."""
    if isinstance(value, tree.Record):
        return [path for entry in value.entries for path in _path_strings(entry.value)]
    if not isinstance(value, tree.Call):
        return []
    every = isinstance(value.callee, tree.Name) and value.callee.id == "idx"
    return [arg.value for arg in value.args[: None if every else 1] if isinstance(arg.value, tree.String)]


def _string(text: str) -> str:
    """Text as a string of the language."""
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return '"' + "".join(escapes.get(character, character) for character in text) + '"'
