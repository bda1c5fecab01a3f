"""Names that nothing reads: values, parameters, layers, inputs, hyper-parameters, fields, and what blocks name.

Input: syntax trees, and what is known of the layers and fields of them. Output: warnings in the sink.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from dslc.check.scope import Made
from dslc.check.settings import STEP
from dslc.check.typed import TypedData, TypedTrain
from dslc.check.values import FileScope
from dslc.check.walk import names, walk
from dslc.diagnostics import Help, Label, Sink
from dslc.source import Span
from dslc.syntax import tree


def unread_names(file: FileScope, definition: tree.Definition, made: Mapping[str, Sequence[Made]], sink: Sink) -> None:
    """Values, parameters, layers, inputs and hyper-parameters of a body that nothing mentions.

    Args:
        made: the layers with parameters that each assigned name's statement made, where they are known.
    """
    mentioned = _mentioned(definition) | file.mentioned
    for hyper in definition.hypers:
        if _silent(hyper.name, mentioned):
            _report_name(sink, "hyper-parameter", hyper.name)
    outputs = {stmt.name.text for stmt in _statements(definition.body) if isinstance(stmt, tree.OutputStmt)}
    kept = _read_in_the_end(definition) | file.mentioned | outputs
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


def unread_in_block(decl: tree.TrainDecl | tree.TestDecl, sink: Sink) -> None:
    """The names that a train or test block gives, and does not read."""
    nodes = list(walk(decl))
    if any(isinstance(node, tree.ExpectErrorStmt) for node in nodes):
        return
    read = {node.id for node in nodes if isinstance(node, tree.Name)}
    updated = {ident.text for node in nodes if isinstance(node, tree.UpdateStmt) for ident in node.names}
    for node in nodes:
        if isinstance(node, tree.LetStmt) and _silent(node.name, read):
            _report_name(sink, "value", node.name)
        elif isinstance(node, tree.SampleStmt) and _silent(node.name, read):
            _report_name(sink, "sample", node.name)
        elif isinstance(node, tree.UseStmt) and _silent(node.name, read | updated):
            _report_name(sink, "model", node.name)


def unread_settings(decl: tree.TrainDecl, sink: Sink) -> None:
    """Settings beside steps that each have their own."""
    steps = [stmt for stmt in decl.body if isinstance(stmt, tree.StepStmt)]
    for stmt in decl.body:
        if not steps or not isinstance(stmt, tree.AssignStmt) or stmt.targets[0].text not in STEP:
            continue
        (target,) = stmt.targets
        own = [_setting(step, target.text) for step in steps]
        first = own[0]
        if first is not None and all(own):
            text = f"no step uses this `{target.text}`: each has its own"
            mend = Help("take it out, or make it a step of its own") if target.text == "loss" else Help("take it out")
            sink.report(
                "DL4006", text, target.span, "never used", Label(first.span, "used here instead"), footers=[mend]
            )


def _setting(step: tree.StepStmt, name: str) -> tree.Ident | None:
    """The name of a step's own setting."""
    targets = (stmt.targets[0] for stmt in step.body if isinstance(stmt, tree.AssignStmt))
    return next((target for target in targets if target.text == name), None)


def unread_fields(file: FileScope, data: TypedData, trains: Sequence[TypedTrain], sink: Sink) -> None:
    """The fields of a data block that no training reads."""
    read = {name for train in trains if train.data is data for name in train.fields} | {data.stratify}
    for stmt in file.datas[data.name].body:
        if isinstance(stmt, tree.FieldStmt) and _silent(stmt.name, read):
            _report_name(sink, "field", stmt.name)


def _read_in_the_end(definition: tree.Definition) -> frozenset[str]:
    """The names that something other than an unused value reads."""
    reads: dict[str, set[str]] = {}
    live: list[str] = []
    for stmt in _statements(definition.body):
        read = {name.id for name in names(stmt.cond if isinstance(stmt, tree.IfStmt) else stmt)}
        if isinstance(stmt, tree.AssignStmt) and not any(target.text.startswith("_") for target in stmt.targets):
            for target in stmt.targets:
                reads.setdefault(target.text, set()).update(read)
        else:
            live += read
    live += [s.name.text for s in _statements(definition.body) if isinstance(s, tree.OutputStmt)]
    found: set[str] = set()
    while live:
        name = live.pop()
        if name not in found:
            found.add(name)
            live += reads.get(name, ())
    return frozenset(found)


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
