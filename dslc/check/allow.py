"""Lints that a program allows: ``# allow: unused-value`` at the end of a statement's line, or on the line above it.

Input: a file's syntax tree and everything that was found. Output: the sink without the warnings that are allowed, and with a
warning for each name that is no lint. Only comments are looked at, and only where one begins so.
"""

from __future__ import annotations

import re

from dslc.check.near import near, proposed
from dslc.check.walk import walk
from dslc.diagnostics import CODES, Diagnostic, Help, Note, Sink
from dslc.record import record
from dslc.source import Source, Span
from dslc.syntax import tree

LINTS = tuple(entry.lint for entry in CODES.values() if entry.lint)
_MARK = "allow:"
_STRING_OR_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"|#[^\n]*')
_ALLOW = re.compile(rf"#\s*{_MARK}\s*")
_NAME = re.compile(r"[^\s,]+")


@record
class _Allowed:
    """A lint that one line allows: the line of the comment, or the one that follows a comment standing alone."""

    name: str
    line: int


def apply_allowed(file: tree.File, sink: Sink) -> None:
    """Take out of a sink the warnings that the file's comments allow."""
    if _MARK not in file.source.text:
        return
    allowed = _allowed(file.source, sink)
    if allowed:
        starts = _first_lines(file)
        sink.found[:] = [found for found in sink.found if not _is_allowed(found, file.source, allowed, starts)]


def _is_allowed(found: Diagnostic, source: Source, allowed: set[_Allowed], starts: dict[int, int]) -> bool:
    lint = CODES[found.code].lint
    if not lint or not found.labels or found.labels[0].span.source is not source:
        return False
    span = found.labels[0].span
    return any(_Allowed(lint, line) in allowed for line in (span.line, starts.get(span.line, span.line)))


def _first_lines(file: tree.File) -> dict[int, int]:
    """For every line, the line on which the innermost statement on it begins."""
    found: dict[int, int] = {}
    for node in walk(file):  # what is around comes before what is inside
        if isinstance(node, tree.Stmt | tree.Decl):
            first, last = node.span.line, file.source.position(node.span.end)[0]
            found.update(dict.fromkeys(range(first, last + 1), first))
    return found


def _allowed(source: Source, sink: Sink) -> set[_Allowed]:
    """What the comments of a source allow; names that are no lint are reported."""
    found: set[_Allowed] = set()
    line = 0
    for comment in _STRING_OR_COMMENT.finditer(source.text):
        start = _ALLOW.match(comment[0])
        if start is None:
            continue
        own = source.position(comment.start())[0]
        if own >= line:  # else it stands among the comments above that line
            line = _line_meant(source, own)
        for name in _NAME.finditer(source.text, comment.start() + start.end(), comment.end()):
            if name[0] in LINTS:
                found.add(_Allowed(name[0], line))
            else:
                _report_unknown(Span(source, name.start(), name.end()), sink)
    return found


def _line_meant(source: Source, line: int) -> int:
    """A comment's own line where something stands before it, else the next line that is no comment."""
    last = len(source.line_starts())
    while line < last and source.line_text(line).lstrip().startswith("#"):
        line += 1
    return line


def _report_unknown(span: Span, sink: Sink) -> None:
    code = CODES.get(span.text.upper())
    close = (code.lint,) if code is not None and code.lint else near(span.text, LINTS)
    footers: list[Note | Help] = []
    if close:
        footers += proposed(close, span)
    elif code is not None:
        footers.append(Note("errors cannot be allowed; lints can"))
    else:
        footers.append(Note("`dslc explain CODE` says the name of a warning's lint"))
    sink.report("DL4030", f"there is no lint `{span.text}`", span, "allows nothing", footers=footers)
