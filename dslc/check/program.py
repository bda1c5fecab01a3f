"""A whole file checked: text or syntax tree -> `CheckedFile` and everything that was found.

Every model is elaborated with its default hyper-parameters in both modes. Blocks are checked where they are used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from dslc.check.data import check_data
from dslc.check.elaborate import elaborate_scope, typed_model
from dslc.check.files import file_scope
from dslc.check.tests import check_test
from dslc.check.train import check_train
from dslc.check.typed import TypedData, TypedModel, TypedTest, TypedTrain
from dslc.check.values import FileScope
from dslc.diagnostics import Sink
from dslc.source import Source
from dslc.syntax import tree
from dslc.syntax.parse import parse

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file and what it declares, typed; what is not right is left out.

    Attributes:
        models: the inference mode of those whose hyper-parameters all have defaults.
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
    for name, definition in scope.definitions.items():
        if definition.kind == "model" and all(hyper.default is not None for hyper in definition.hypers):
            _check_model(scope, name, models, sink)
    datas = {name: check_data(scope, decl, sink) for name, decl in scope.datas.items()}
    trains = {name: check_train(scope, decl, datas, sink) for name, decl in scope.trains.items()}
    tests = [check_test(scope, decl, trains, sink) for decl in scope.tests]
    return CheckedFile(scope, models, _right(datas), _right(trains), tuple(test for test in tests if test is not None))


def _right(found: Mapping[str, _T | None]) -> dict[str, _T]:
    return {name: value for name, value in found.items() if value is not None}


def _check_model(scope: FileScope, name: str, models: dict[str, TypedModel], sink: Sink) -> None:
    own = Sink()
    for training in (True, False):
        found = elaborate_scope(scope, name, {}, training, own)
        if found is not None and not training and not own.failed:
            e, instance, _ = found
            models[name] = typed_model(e, instance)
    for diagnostic in own:
        sink.add(diagnostic)
