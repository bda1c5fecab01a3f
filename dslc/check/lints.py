"""Lints: programs that are legal and probably not meant. Warnings only; they look at the tree and at typed values.

Input: definitions, and the objectives of train blocks. Output: diagnostics in the sink.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from dslc.check.library import LAYERS
from dslc.check.reach import keys_with_gradient
from dslc.check.scope import Made
from dslc.check.typed import TypedStep
from dslc.check.values import FileScope
from dslc.check.walk import names
from dslc.diagnostics import Help, Label, Note, Sink
from dslc.source import Span
from dslc.syntax import tree


def unused_names(file: FileScope, definition: tree.Definition, made: Mapping[str, Sequence[Made]], sink: Sink) -> None:
    """Values, parameters, layers, inputs and hyper-parameters of a body that nothing mentions.

    Args:
        made: the layers with parameters that each assigned name's statement made, where they are known.
    """
    mentioned = _mentioned(definition) | file.mentioned
    for hyper in definition.hypers:
        if _silent(hyper.name, mentioned):
            _report_name(sink, "hyper-parameter", hyper.name)
    outputs = {stmt.name.text for stmt in _statements(definition.body) if isinstance(stmt, tree.OutputStmt)}
    kept = mentioned | outputs
    for stmt in _statements(definition.body):
        if isinstance(stmt, tree.AssignStmt):
            unread = [target for target in stmt.targets if _silent(target, kept)]
            if len(unread) == len(stmt.targets):
                _report_value(sink, stmt, unread[0], made.get(unread[0].text, ()))
        elif isinstance(stmt, tree.ParamStmt) and _silent(stmt.name, mentioned):
            _report(
                sink, "DL4002", f"parameter `{stmt.name.text}` is never used", stmt.name, stmt.span, "gets no gradient"
            )
        elif isinstance(stmt, tree.LayerStmt) and _silent(stmt.name, mentioned):
            _report(
                sink, "DL4003", f"layer `{stmt.name.text}` is never used", stmt.name, stmt.span, "applied to nothing"
            )
        elif isinstance(stmt, tree.InputStmt) and _silent(stmt.name, mentioned):
            _report_name(sink, "input", stmt.name)
        elif isinstance(stmt, tree.LetStmt) and _silent(stmt.name, mentioned):
            _report_name(sink, "value", stmt.name)


def shadowed_layers(file: FileScope, sink: Sink) -> None:
    """Blocks that take the name of a standard layer."""
    for name, definition in file.definitions.items():
        if name in LAYERS:
            text = f"the {definition.kind} `{name}` hides the standard layer of this name"
            note = Note(f"in this file `{name}` means this {definition.kind}")
            help_ = Help("choose another name, if the standard layer is not to be replaced")
            sink.report("DL4020", text, definition.name.span, "also a standard layer", footers=[note, help_])


def _silent(ident: tree.Ident, mentioned: frozenset[str] | set[str]) -> bool:
    return ident.text not in mentioned and not ident.text.startswith("_")


def _statements(body: Sequence[tree.Stmt]) -> Iterator[tree.Stmt]:
    for stmt in body:
        yield stmt
        if isinstance(stmt, tree.IfStmt):
            yield from _statements(stmt.then)
            yield from _statements(stmt.orelse)


def _mentioned(definition: tree.Definition) -> frozenset[str]:
    """Every name that something in the definition reads, in types and in messages of `require` too."""
    found = {name.id for stmt in definition.body for name in names(stmt)}
    found |= {name.id for hyper in definition.hypers if hyper.default is not None for name in names(hyper.default)}
    for stmt in _statements(definition.body):
        if isinstance(stmt, tree.RequireStmt) and stmt.message is not None:
            found |= set(re.findall(r"\{(\w+)\}", stmt.message.value))
    return frozenset(found)


def _report_value(sink: Sink, stmt: tree.AssignStmt, target: tree.Ident, made: Sequence[Made]) -> None:
    more: list[Label] = []
    for layer in made:
        text = f"its {layer.count:_} parameters get no gradient and are left out of the ONNX file"
        more.append(Label(layer.span, text))
    sink.report(
        "DL4001",
        f"`{target.text}` is computed but no output or loss uses it",
        target.span,
        "unused",
        *more,
        footers=[_delete(target, stmt.span)],
    )


def _delete(name: tree.Ident, span: Span) -> Help:
    last = span.source.position(max(span.start, span.end - 1))[0]
    where = f"line {span.line}" if last == span.line else f"lines {span.line} to {last}"
    return Help(f"delete {where}, or rename it `_{name.text}` to keep it")


def _report(sink: Sink, code: str, message: str, name: tree.Ident, span: Span, label: str) -> None:
    sink.report(code, message, name.span, label, footers=[_delete(name, span)])


def _report_name(sink: Sink, what: str, name: tree.Ident) -> None:
    sink.report(
        "DL4004",
        f"{what} `{name.text}` is never used",
        name.span,
        "changes nothing",
        footers=[Help(f"delete it, or rename it `_{name.text}` to keep it")],
    )


# ---------------------------------------------------------------------------------------------- objectives


def step(found: TypedStep, sink: Sink) -> None:
    """What looks wrong in a step's loss: parameters that cannot learn."""
    body, loss = found.training.body, found.training.loss
    learning = keys_with_gradient(loss)
    stuck = [body.params[key] for key in found.updates if key not in learning]
    if stuck:
        more = len(stuck) - 1
        rest = f" and {more} more parameter{'s' * (more > 1)} get" if more else " gets"
        message = f"`{stuck[0].key}`{rest} no gradient from this loss"
        place = [Label(stuck[0].span, "stays as it starts")] if stuck[0].span.source is loss.span.source else []
        note = Note("the loss does not depend on it, or only through `stop_gradient` or a step")
        sink.report("DL4005", message, loss.span, "does not reach it", *place, footers=[note])
