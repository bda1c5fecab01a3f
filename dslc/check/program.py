"""A whole file checked: text or syntax tree -> `CheckedFile` and everything that was found.

Every model is elaborated with its default hyper-parameters in both modes. Blocks are checked where they are used.
"""

from __future__ import annotations

from dataclasses import dataclass

from dslc.check.elaborate import elaborate_scope, typed_model
from dslc.check.files import file_scope
from dslc.check.typed import TypedModel
from dslc.check.values import FileScope
from dslc.diagnostics import Sink
from dslc.source import Source
from dslc.syntax import tree
from dslc.syntax.parse import parse


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file and what it declares, typed. `models` holds the inference mode of those that stand alone and are right."""

    scope: FileScope
    models: dict[str, TypedModel]


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
    return CheckedFile(scope, models)


def _check_model(scope: FileScope, name: str, models: dict[str, TypedModel], sink: Sink) -> None:
    own = Sink()
    for training in (True, False):
        found = elaborate_scope(scope, name, {}, training, own)
        if found is not None and not training and not own.failed:
            e, instance, _ = found
            models[name] = typed_model(e, instance)
    for diagnostic in own:
        sink.add(diagnostic)
