"""Source text -> syntax tree. Mistakes go to the sink, several in one run; what is well-formed is still returned."""

from __future__ import annotations

from dslc.diagnostics import Sink
from dslc.source import Source, Span
from dslc.syntax import lalr, limits
from dslc.syntax.layout import settle
from dslc.syntax.lexer import scan
from dslc.syntax.mistakes import explain
from dslc.syntax.tree import File


def parse(source: Source, sink: Sink) -> File:
    """The tree of a source. It never raises for what the text holds; statements with mistakes are left out."""
    if len(source.text) > limits.FILE_CHARACTERS:
        what = f"the file has {len(source.text):_} characters"
        sink.report("DL0031", what, Span(source, 0, 0), f"at most {limits.FILE_CHARACTERS:_}")
        return File(source, ())
    own = Sink()
    tokens = settle(scan(source, own), source, own)
    tree = lalr.run(tokens, source, _Reporter(source, own))
    for diagnostic in sorted(own, key=lambda d: d.labels[0].span.start):
        sink.add(diagnostic)
    return tree


class _Reporter:
    """Turns what the machine stumbled over into diagnostics, unless a mistake found there before explains it."""

    def __init__(self, source: Source, sink: Sink) -> None:
        self._source = source
        self._sink = sink

    def __call__(self, problem: lalr.Unexpected) -> bool:
        if not self._is_explained(problem):
            self._sink.add(explain(problem, self._source))
        if len(self._sink.found) < limits.ERRORS:
            return True
        at = problem.tokens[problem.at].start
        self._sink.report(
            "DL0034",
            f"more than {limits.ERRORS} mistakes; the rest of the file was not read",
            Span(self._source, at, at),
        )
        return False

    def _is_explained(self, problem: lalr.Unexpected) -> bool:
        """Whether a mistake was found in this statement already, or on the line of the unexpected token."""
        token = problem.tokens[problem.at]
        line = self._source.position(token.start)[0]
        start = min(problem.tokens[problem.first].start, self._source.line_starts()[line - 1])
        end = max(token.end, start + len(self._source.line_text(line)))
        return any(start <= label.span.start <= end for found in self._sink for label in found.labels[:1])
