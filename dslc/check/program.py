"""A whole program checked: a text, or a file with those that it imports -> `CheckedFile` and everything that was found.

Imported files are checked first, like any other but without their tests; of what is found there only errors are told, each
in its own file.
Every model is elaborated with its default hyper-parameters in both modes. Blocks are checked where they are used; of those
that nothing uses, the names alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dslc.check.allow import apply_allowed
from dslc.check.data import check_data
from dslc.check.elaborate import context, elaborate_scope, typed_model
from dslc.check.files import file_scope
from dslc.check.importing import unused as unused_imports
from dslc.check.lints import lint_file
from dslc.check.optional import check_defaults
from dslc.check.scope import Made
from dslc.check.tests import check_test
from dslc.check.train import check_train
from dslc.check.typed import TypedData, TypedModel, TypedTest, TypedTrain
from dslc.check.units import Load, Unit, load_unit, no_files
from dslc.check.unread import unread_names
from dslc.check.unused import check_names
from dslc.check.values import FileScope
from dslc.diagnostics import Sink
from dslc.record import record
from dslc.source import Source
from dslc.syntax import tree


@record
class CheckedFile:
    """A file and what it declares, typed: all of it where nothing was at fault, else what was right.

    Attributes:
        models: those that need no hyper-parameters, in inference mode.
        datas, trains: its own and those it imports by name; a data block of an imported file as `sets.digits` too.
        scopes: the declarations of every file of the program, by source.
    """

    scope: FileScope
    models: dict[str, TypedModel]
    datas: dict[str, TypedData]
    trains: dict[str, TypedTrain]
    tests: tuple[TypedTest, ...]
    scopes: Mapping[Source, FileScope]


def check_source(source: Source, load: Load = no_files) -> tuple[CheckedFile, Sink]:
    """Parse and check a text, and what it imports through `load`."""
    sink = Sink()
    return check_unit(load_unit(source, load, sink), sink), sink


def check_unit(unit: Unit, sink: Sink) -> CheckedFile:
    """Check everything a file declares, and the files that it imports."""
    known: dict[Source, CheckedFile] = {}
    scope = _scope(unit, known, sink)
    return _check_file(scope, scope.tests, known, sink)


def _scope(unit: Unit, known: dict[Source, CheckedFile], sink: Sink) -> FileScope:
    """The declarations of a file, after what it imports was checked; `known` are the imported files checked so far."""
    for imported in unit.imports.values():
        if imported.source not in known:
            own = Sink()
            scope = _scope(imported, known, own)
            known[imported.source] = _check_file(scope, (), known, own)
            scope.sound = imported.sound and not own.failed
            for diagnostic in own:
                if diagnostic.is_error:
                    sink.add(diagnostic)
    homes = {path: known[imported.source].scope for path, imported in unit.imports.items()}
    return file_scope(unit.file, sink, homes=homes)


def _check_file(
    scope: FileScope, tests: Sequence[tree.TestDecl], known: Mapping[Source, CheckedFile], sink: Sink
) -> CheckedFile:
    """Everything the file of a scope declares."""
    models: dict[str, TypedModel] = {}
    for definition in scope.definitions.values():
        check_defaults(definition, sink)
        made: dict[str, list[Made]] = {}
        if definition.kind == "model" and all(hyper.default is not None for hyper in definition.hypers):
            made = _check_model(scope, definition.name.text, models, sink)
        if not sink.failed:
            unread_names(scope, definition, made, sink)
    datas = _imported_datas(scope, known)
    datas |= {name: check_data(scope, decl, sink) for name, decl in scope.datas.items()}
    own = {name: check_train(scope, decl, datas, sink) for name, decl in scope.trains.items()}
    trains = _imported_trains(scope, known) | own
    checked_tests = [check_test(scope, decl, trains, sink) for decl in tests]
    lint_file(scope, models, own, sink)
    if not sink.failed:
        unused_imports(scope, sink)
    for name, definition in scope.definitions.items():
        if name not in scope.elaborated:
            check_names(context(sink, False), scope, definition)
    apply_allowed(scope.file, sink)
    return CheckedFile(
        scope,
        models,
        {name: data for name, data in datas.items() if data is not None},
        {name: train for name, train in trains.items() if train is not None},
        tuple(test for test in checked_tests if test is not None),
        {scope.source: scope, **{source: checked.scope for source, checked in known.items()}},
    )


def _imported_datas(scope: FileScope, known: Mapping[Source, CheckedFile]) -> dict[str, TypedData | None]:
    """Data blocks of other files by the names they have here; None for a name that was lost."""
    found: dict[str, TypedData | None] = dict.fromkeys(scope.lost)
    for name, imported in scope.imported.items():
        if isinstance(imported.decl, tree.DataDecl):
            found[name] = known[imported.home.source].datas[name]
    for module, imported in scope.modules.items():
        datas = known[imported.home.source].datas
        found |= {f"{module}.{name}": datas[name] for name in imported.home.datas}
    return found


def _imported_trains(scope: FileScope, known: Mapping[Source, CheckedFile]) -> dict[str, TypedTrain | None]:
    """Train blocks of other files by name; None for a name that was lost."""
    found: dict[str, TypedTrain | None] = dict.fromkeys(scope.lost)
    for name, imported in scope.imported.items():
        if isinstance(imported.decl, tree.TrainDecl):
            found[name] = known[imported.home.source].trains[name]
    return found


def _check_model(scope: FileScope, name: str, models: dict[str, TypedModel], sink: Sink) -> dict[str, list[Made]]:
    """Elaborate a model in both modes; the layers its statements made, for the lints."""
    made: dict[str, list[Made]] = {}
    own = Sink()
    found = elaborate_scope(scope, name, {}, False, own)
    if found is not None:
        e, instance, inner = found
        made = inner.made
        if e.mode_read:
            elaborate_scope(scope, name, {}, True, own)
        if not own.failed:
            models[name] = typed_model(e, instance)
    for diagnostic in own:
        sink.add(diagnostic)
    return made
