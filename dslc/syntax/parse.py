"""Source text -> syntax tree. Mistakes go to the sink, several in one run; what is well-formed is still returned."""

from __future__ import annotations

from itertools import pairwise

from dslc.diagnostics import Diagnostic, Label, Sink
from dslc.source import Source, Span
from dslc.syntax import lalr, limits
from dslc.syntax.layout import settle
from dslc.syntax.lexer import scan
from dslc.syntax.mistakes import explain
from dslc.syntax.sound import sound_part
from dslc.syntax.token import Token
from dslc.syntax.tree import File

# What is told of a line that cannot begin where it does; once is enough for lines that follow one another in the file.
_STRAY = frozenset({"DL0020", "DL0022"})


def parse(source: Source, sink: Sink) -> File:
    """The tree of a source. It never raises for what the text holds.

    Declarations with a mistake in them, and those that mention one of these, are left out: whatever `check` would say
    about them could follow from the mistake.
    """
    return parse_tokens(source, sink)[0]


def parse_tokens(source: Source, sink: Sink) -> tuple[File, list[Token]]:
    """The tree of a source, and the tokens it was made from."""
    if (too_long := _too_long(source)) is not None:
        sink.add(too_long)
        return File(source, ()), []
    own = Sink()
    tokens = settle(scan(source, own), source, own)
    reporter = _Reporter(source, own)
    file = lalr.run(tokens, source, reporter)
    found = sorted(own, key=lambda d: d.labels[0].span.start)
    for diagnostic in found:
        sink.add(diagnostic)
    if reporter.stopped or tokens[-1].start < len(source.text):
        return File(source, ()), tokens
    return sound_part(file, tokens, [d.labels[0].span.start for d in found]), tokens


def _too_long(source: Source) -> Diagnostic | None:
    """What is told of a text that is longer than any program; nothing of it is read."""
    if len(source.text) > limits.FILE_CHARACTERS:
        what, most = f"the file has {len(source.text):_} characters", limits.FILE_CHARACTERS
        return Diagnostic("DL0031", what, (Label(Span(source, 0, 0), f"at most {most:_}"),))
    starts = [*source.line_starts(), len(source.text) + 1]
    for start, end in pairwise(starts):
        if end - start > limits.LINE_CHARACTERS:
            what = f"a line of {end - start - 1:_} characters"
            return Diagnostic(
                "DL0031", what, (Label(Span(source, start, start), f"at most {limits.LINE_CHARACTERS:_}"),)
            )
    return None


class _Reporter:
    """Turns what the machine stumbled over into diagnostics, unless a mistake found there before explains it."""

    def __init__(self, source: Source, sink: Sink) -> None:
        self._source = source
        self._sink = sink
        self.stopped = False
        self._stray = -1  # the first token of the last statement that could not begin where it did

    def __call__(self, problem: lalr.Unexpected) -> bool:
        if not self._is_explained(problem):
            self._tell(explain(problem, self._source), problem)
        self.stopped = len(self._sink.found) >= limits.ERRORS
        if not self.stopped:
            return True
        at = problem.tokens[problem.at].start
        what = f"more than {limits.ERRORS} mistakes; the rest of the file was not read"
        self._sink.report("DL0034", what, Span(self._source, at, at))
        return False

    def _tell(self, diagnostic: Diagnostic, problem: lalr.Unexpected) -> None:
        follows = (
            diagnostic.code in _STRAY and self._stray >= 0 and _adjacent(problem.tokens, self._stray, problem.first)
        )
        self._stray = problem.first
        if not follows:
            self._sink.add(diagnostic)

    def _is_explained(self, problem: lalr.Unexpected) -> bool:
        """Whether a mistake was found in this statement already, or on the line of the unexpected token."""
        token = problem.tokens[problem.at]
        line = self._source.position(token.start)[0]
        start = min(problem.tokens[problem.first].start, self._source.line_starts()[line - 1])
        end = max(token.end, start + len(self._source.line_text(line)))
        return any(start <= label.span.start <= end for found in self._sink for label in found.labels[:1])


def _adjacent(tokens: list[Token], before: int, after: int) -> bool:
    """Whether both tokens begin lines of the file outside all blocks, with no declaration between them."""
    return tokens[after].depth == 0 and sum(t.kind == "_NL" and t.depth == 0 for t in tokens[before:after]) == 1
