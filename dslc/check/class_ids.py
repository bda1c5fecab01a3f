"""Class ids of data against the logits they are compared with: what a run must check, and what inline data show already.

Input: the body of an objective, and the data block. Output: limits by field, and reports of ids beyond them.
"""

from __future__ import annotations

from dslc.check.fields import scalars
from dslc.check.typed import Body, Objective, TypedData
from dslc.diagnostics import Label, Note, Sink
from dslc.source import Span
from dslc.syntax import tree


def class_limits(body: Body) -> dict[str, int]:
    """How many classes the ids of a field may name, by field: the class axis of the logits it is compared with."""
    limits: dict[str, int] = {}
    for value in body.values:
        if value.op not in ("cross_entropy", "nll") or len(value.inputs) < 2:
            continue
        scores, ids = value.inputs[:2]
        axis = value.attrs.get("axis", -1)
        classes = scores.type.shape[axis if isinstance(axis, int) else -1]
        if ids.op == "input" and not ids.type.dtype.is_float and isinstance(classes, int):
            name = ids.attrs.str("name")
            limits[name] = min(classes, limits.get(name, classes))
    return limits


def check_classes(objective: Objective, data: TypedData, sink: Sink) -> None:
    """Report inline class ids that lie beyond the logits; those of files are looked at when they are opened."""
    for name, classes in class_limits(objective.body).items():
        field = data.fields[name]
        match field.expr:
            case tree.Index(value=tree.Name(id="source"), items=(tree.String(value=column),)):
                pass
            case _:
                continue
        for source in data.sources.values():
            ids = scalars(source.columns[column]) if source.kind == "inline" and column in source.columns else ()
            wrong = [i for i in ids if isinstance(i, int | float) and not 0 <= i < classes]
            if wrong:
                _report_class(name, wrong[0], classes, objective, source.span, field.span, sink)
                break


def _report_class(
    name: str, wrong: float, classes: int, objective: Objective, source: Span, field: Span, sink: Sink
) -> None:
    sink.report(
        "DL3041",
        f"field `{name}` holds the class id {wrong:g}, but there are logits for {classes} classes",
        source,
        f"holds {wrong:g}",
        Label(field, "the class ids"),
        Label(objective.loss.span, f"compared with logits of {classes} classes here"),
        footers=[Note(f"class ids count from 0: {classes} classes have the ids 0 to {classes - 1}")],
    )
