"""Proposed edits -> the lines as they would read."""

from __future__ import annotations

from collections.abc import Sequence

from dslc.diagnostics.escape import escape
from dslc.diagnostics.model import Edit
from dslc.source import Span

CUT = "..."
_BEFORE = 24  # characters kept before the edit where a long line is cut


def apply_edits(text: str, edits: Sequence[Edit]) -> str:
    """A source's text with edits made; of edits that overlap the first one counts."""
    parts: list[str] = []
    at = 0
    for edit in sorted(edits, key=lambda e: (e.span.start, e.span.end)):
        if edit.span.start < at:
            continue
        parts += [text[at : edit.span.start], edit.text]
        at = edit.span.end
    return "".join(parts) + text[at:]


def mended_lines(edits: Sequence[Edit], limit: int) -> list[str]:
    """The edited lines as they would read, without the indentation they share; `...` where lines between are left out.

    Lines longer than `limit` characters are cut around the edit.
    """
    groups: list[list[Edit]] = []
    for edit in sorted(edits, key=lambda e: (e.span.source.name, e.span.start)):
        before = groups[-1][-1].span if groups else edit.span
        near = before.source is edit.span.source and edit.span.line <= before.source.position(before.end)[0] + 1
        if groups and near:
            groups[-1].append(edit)
        else:
            groups.append([edit])
    blocks = [lines for group in groups if (lines := _block(group, limit))]
    lines = [line for block in blocks for line in (CUT, *block)][1:]
    shared = min((len(line) - len(line.lstrip()) for line in lines if not line.startswith(CUT)), default=0)
    return [escape(line if line.startswith(CUT) else line[shared:]) for line in lines]


def _block(edits: list[Edit], limit: int) -> list[str]:
    source = edits[0].span.source
    starts = source.line_starts()
    start = starts[edits[0].span.line - 1]
    last = source.position(max(edit.span.end for edit in edits))[0]
    end = starts[last] if last < len(starts) else len(source.text)
    moved = [Edit(Span(source, e.span.start - start, e.span.end - start), e.text) for e in edits]
    mended = apply_edits(source.text[start:end], moved)
    at = moved[0].span.start
    return [_shortened(line, at, limit).expandtabs(4).rstrip() for line in mended.split("\n") if line.strip()]


def _shortened(line: str, at: int, limit: int) -> str:
    if len(line) <= limit:
        return line
    start = max(0, min(at, len(line)) - _BEFORE)
    return f"{CUT if start else ''}{line[start : start + limit]}{CUT if start + limit < len(line) else ''}"
