"""What to tell about a token that does not fit: the mistakes people make, each recognised by one rule."""

from __future__ import annotations

from dslc.diagnostics import Diagnostic, Label
from dslc.source import Source, Span
from dslc.syntax.lalr import Unexpected


def explain(problem: Unexpected, source: Source) -> Diagnostic:
    """The diagnostic for an unexpected token."""
    token = problem.tokens[problem.at]
    if problem.too_deep is not None:
        return Diagnostic("DL0030", "this expression is nested too deep", (Label(problem.too_deep),))
    label = Label(Span(source, token.start, token.end), "expected " + ", ".join(sorted(problem.expected)))
    return Diagnostic("DL0001", f"unexpected `{token.text}`", (label,))
