"""Labels of layers with parameters: a statement may hold one without, and only alone.

Input: a statement that was elaborated. Output: a report that proposes labels, or nothing.
"""

from __future__ import annotations

from dslc.check.scope import Context, Statement
from dslc.diagnostics import Edit, Help, Label, Note
from dslc.source import Span


def check_labels(e: Context, statement: Statement, *, alone: bool = False) -> None:
    """Report layers with parameters that have no name of their own: at most one may, and only alone in its statement."""
    unlabelled = [made for made in statement.layers if not made.labelled]
    if not unlabelled or (len(statement.layers) == 1 and (statement.name or alone)):
        return
    edits = tuple(
        Edit(Span(made.span.source, made.span.start, made.span.start), f"{_proposal(made.kind, number)}: ")
        for number, made in enumerate(unlabelled, start=1)
        if _is_stage(made.span)
    )
    first, *rest = unlabelled
    mend = (
        Help("give each a label:", edits) if len(edits) == len(unlabelled) else Help("name it first: `layer fc1 = ...`")
    )
    many = len(statement.layers) > 1
    e.report(
        "DL1012",
        "several layers with parameters in one statement need labels"
        if many
        else "this layer's parameters need a name",
        first.span,
        "which name should its parameters have?",
        *(Label(made.span, "and this one's?") for made in rest),
        footers=[
            mend,
            Note("parameters are named by labels: `fc1.weight`; nothing is numbered by its place in the file"),
        ],
    )


def _is_stage(span: Span) -> bool:
    return span.source.text[: span.start].rstrip().endswith(("|>", "{"))


def _proposal(kind: str, number: int) -> str:
    return f"{kind.partition('(')[0].lower()}{number}"
