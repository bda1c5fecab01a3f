"""Lines of a source with their labels underlined: labels of one source -> rows of text. Numbers and gutters are `render`'s."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate

from dslc.diagnostics.escape import escape, shown, width
from dslc.diagnostics.model import Label
from dslc.record import record

CUT = "..."
_BEFORE = 24  # columns kept before the first label where a long line is cut

Paint = Callable[[str, bool], str]  # (text of a label, whether it is the primary one) -> text with colour


@record
class Line:
    """A source line with its number, its printed text, and the rows of underlines and labels below it."""

    number: int
    text: str
    rows: tuple[str, ...]


@record
class _Mark:
    """A label in columns of the printed line: `start` to `end`, at least one wide."""

    start: int
    end: int
    text: str
    primary: bool


def excerpt(labels: Sequence[Label], primary: Label | None, limit: int, paint: Paint) -> list[Line]:
    """The lines that labels of one source stand on, in order. Lines longer than `limit` columns are cut around the labels."""
    lines: dict[int, list[Label]] = {}
    for label in labels:
        lines.setdefault(label.span.line, []).append(label)
    return [_line(number, lines[number], primary, limit, paint) for number in sorted(lines)]


def _line(number: int, labels: list[Label], primary: Label | None, limit: int, paint: Paint) -> Line:
    source = labels[0].span.source
    text = source.line_text(number)
    lead = primary if primary in labels else labels[0]
    # Of a very long line only what could be shown is looked at.
    start = source.line_starts()[number - 1]
    skipped = max(0, lead.span.start - start - 2 * limit) if len(text) > 8 * limit else 0
    cells, columns = _cells(text[skipped : skipped + 8 * limit])

    def column(offset: int) -> int:
        return columns[min(max(offset - start - skipped, 0), len(cells))]

    marks = [
        _Mark(first, max(column(label.span.end), first + 1), escape(label.text), label is primary)
        for label in labels
        for first in (column(label.span.start),)
    ]
    printed = "".join(cells).rstrip()
    if columns[-1] > limit:
        printed, marks = _cut(cells, columns, marks, limit, more=(skipped > 0, skipped + len(cells) < len(text)))
    return Line(number, printed, tuple(_rows(marks, paint)))


def _cells(text: str) -> tuple[list[str], list[int]]:
    """Each character as it is printed, and the column it begins at; behind these the column at which the last one ends."""
    if text.isascii() and text.isprintable():
        return list(text), list(range(len(text) + 1))
    cells = [shown(character) for character in text]
    return cells, list(accumulate(map(width, cells), initial=0))


def _cut(
    cells: list[str], columns: list[int], marks: list[_Mark], limit: int, more: tuple[bool, bool]
) -> tuple[str, list[_Mark]]:
    """The part of a long line around its labels, the primary one before all, and the marks moved along."""
    lead = min(marks, key=lambda m: (not m.primary, m.start))
    start = min(mark.start for mark in marks)
    if lead.end - start > limit - _BEFORE:
        start = lead.start
    start = max(0, start - _BEFORE)
    end = start + limit
    inside = [i for i in range(len(cells)) if columns[i] >= start and columns[i + 1] <= end]
    before = CUT if start or more[0] else ""
    after = CUT if columns[-1] > end or more[1] else ""
    text = before + "".join(cells[i] for i in inside) + after
    offset = columns[inside[0]] - len(before) if inside else 0
    last = width(text)
    moved = [
        _Mark(first, max(min(m.end - offset, last), first + 1), m.text, m.primary)
        for m in marks
        for first in (min(max(m.start - offset, 0), last),)
    ]
    return text, moved


def _rows(marks: list[_Mark], paint: Paint) -> Iterable[str]:
    """The underlines with the last label's text beside them, then the other texts from right to left."""
    ordered = sorted(marks, key=lambda m: (m.start, m.primary))
    last = ordered[-1]
    reach = max(mark.end for mark in ordered)
    cells: list[str] = [" "] * reach
    for mark in sorted(ordered, key=lambda m: (m.start - m.end, m.primary)):  # short ones over long ones
        sign = paint("^" if mark.primary else "-", mark.primary)
        cells[mark.start : mark.end] = [sign] * (mark.end - mark.start)
    underlines = "".join(cells)
    yield f"{underlines} {paint(last.text, last.primary)}" if last.text else underlines
    texts = [mark for mark in ordered[:-1] if mark.text]
    while texts:
        mark = texts.pop()
        bars = [" "] * mark.start
        for other in texts:
            if other.start < mark.start:
                bars[other.start] = paint("|", other.primary)
        yield "".join(bars) + paint(mark.text, mark.primary)
