"""Lints: programs that are legal and probably not meant. Warnings only, of a whole file that was checked.

Names that nothing reads are `unread`'s, numbers of the wrong range `value_lints`'.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dslc.check.library import LAYERS
from dslc.check.reach import keys_read, keys_with_gradient
from dslc.check.typed import Body, TypedModel, TypedStep, TypedTrain
from dslc.check.unread import unread_fields, unread_in_block, unread_settings
from dslc.check.value_lints import lint_values
from dslc.check.values import FileScope
from dslc.diagnostics import Help, Label, Note, Sink


def lint_file(
    file: FileScope, models: Mapping[str, TypedModel], trains: Mapping[str, TypedTrain | None], sink: Sink
) -> None:
    """Everything that looks wrong in a file beyond the names of its definitions.

    Args:
        models, trains: what was elaborated; None for a train block with mistakes.
    """
    typed = [train for train in trains.values() if train is not None]
    for train in typed:
        for step in train.steps:
            _stuck_parameters(step, _keys_of_outputs(train), sink)
    _shadowed_layers(file, sink)
    lint_values(file.file.source, (value for body in _bodies(models, typed) for value in body.values), sink)
    if sink.failed:
        return
    for decl in (*file.trains.values(), *file.tests):
        unread_in_block(decl, sink)
    for train in file.trains.values():
        unread_settings(train, sink)
    for data in {train.data.name: train.data for train in typed}.values():
        if data.span.source is file.source:
            unread_fields(file, data, typed, sink)


def _bodies(models: Mapping[str, TypedModel], trains: list[TypedTrain]) -> Iterator[Body]:
    """Every body that was elaborated."""
    for model in models.values():
        yield model.body
    for train in trains:
        for step in train.steps:
            yield step.training.body


def _shadowed_layers(file: FileScope, sink: Sink) -> None:
    """Blocks that take the name of a standard layer."""
    for name, definition in file.definitions.items():
        if name in LAYERS:
            text = f"the {definition.kind} `{name}` hides the standard layer of this name"
            note = Note(f"in this file `{name}` means this {definition.kind}")
            help_ = Help("choose another name, if the standard layer is not to be replaced")
            sink.report("DL4020", text, definition.name.span, "also a standard layer", footers=[note, help_])


def _keys_of_outputs(train: TypedTrain) -> set[str]:
    """The parameters that an output of a model needs; the others belong to values that nothing uses."""
    keys: set[str] = set()
    for use, model in train.uses.items():
        prefix = train.prefix(use)
        keys |= {prefix + key for value in model.outputs.values() for key in keys_read(value)}
    return keys


def _stuck_parameters(found: TypedStep, needed: set[str], sink: Sink) -> None:
    """Parameters that a step should train and that get no gradient from its loss."""
    body, loss = found.training.body, found.training.loss
    learning = keys_with_gradient(loss)
    stuck = [body.params[key] for key in found.updates if key not in learning and key in needed]
    if stuck:
        more = len(stuck) - 1
        rest = f" and {more} more parameter{'s' * (more > 1)} get" if more else " gets"
        message = f"`{stuck[0].key}`{rest} no gradient from this loss"
        place = [Label(stuck[0].span, "stays as it starts")] if stuck[0].span.source is loss.span.source else []
        note = Note("the loss does not depend on it, or only through `stop_gradient`, a step or a count")
        sink.report("DL4005", message, loss.span, "does not reach it", *place, footers=[note])
