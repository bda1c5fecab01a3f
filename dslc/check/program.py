"""A whole file checked: text or syntax tree -> `CheckedFile` and everything that was found.

Every model is elaborated with its default hyper-parameters in both modes. Blocks are checked where they are used; of those
that nothing uses, the names alone.
"""

from __future__ import annotations

from dslc.check.allow import apply_allowed
from dslc.check.data import check_data
from dslc.check.elaborate import context, elaborate_scope, typed_model
from dslc.check.files import file_scope
from dslc.check.lints import lint_file
from dslc.check.scope import Made
from dslc.check.tests import check_test
from dslc.check.train import check_train
from dslc.check.typed import TypedData, TypedModel, TypedTest, TypedTrain
from dslc.check.unread import unread_names
from dslc.check.unused import check_names
from dslc.check.values import FileScope
from dslc.diagnostics import Sink
from dslc.record import record
from dslc.source import Source
from dslc.syntax import tree
from dslc.syntax.parse import parse


@record
class CheckedFile:
    """A file and what it declares, typed: all of it where nothing was at fault, else what was right.

    `models` holds those that need no hyper-parameters, in inference mode.
    """

    scope: FileScope
    models: dict[str, TypedModel]
    datas: dict[str, TypedData]
    trains: dict[str, TypedTrain]
    tests: tuple[TypedTest, ...]


def check_source(source: Source) -> tuple[CheckedFile, Sink]:
    """Parse and check a text."""
    sink = Sink()
    file = parse(source, sink)
    return check_file(file, sink), sink


def check_file(file: tree.File, sink: Sink) -> CheckedFile:
    """Check everything a file declares."""
    scope = file_scope(file, sink)
    models: dict[str, TypedModel] = {}
    for definition in scope.definitions.values():
        made: dict[str, list[Made]] = {}
        if definition.kind == "model" and all(hyper.default is not None for hyper in definition.hypers):
            made = _check_model(scope, definition.name.text, models, sink)
        if not sink.failed:
            unread_names(scope, definition, made, sink)
    datas = {name: check_data(scope, decl, sink) for name, decl in scope.datas.items()}
    trains = {name: check_train(scope, decl, datas, sink) for name, decl in scope.trains.items()}
    tests = [check_test(scope, decl, trains, sink) for decl in scope.tests]
    lint_file(scope, models, trains, sink)
    for name, definition in scope.definitions.items():
        if name not in scope.elaborated:
            check_names(context(sink, False), scope, definition)
    apply_allowed(file, sink)
    return CheckedFile(
        scope,
        models,
        {name: data for name, data in datas.items() if data is not None},
        {name: train for name, train in trains.items() if train is not None},
        tuple(test for test in tests if test is not None),
    )


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
