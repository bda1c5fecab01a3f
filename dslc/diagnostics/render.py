"""Diagnostics -> text for people (`render`) and plain data for programs (`to_json`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from dslc.diagnostics.codes import CODES, Severity
from dslc.diagnostics.escape import escape
from dslc.diagnostics.excerpt import excerpt
from dslc.diagnostics.mend import mended_lines
from dslc.diagnostics.model import Diagnostic, Edit, Help, Label, Note
from dslc.source import Source, Span

_WIDTH = 140  # columns of source text where the terminal's width is not known
_COLORS = {Severity.ERROR: "1;31", Severity.WARNING: "1;33"}
_BLUE, _BOLD, _CYAN = "1;34", "1", "1;36"

Color = Callable[[str, str], str]  # (text, what a terminal calls the colour) -> text


def render(diagnostics: Iterable[Diagnostic], *, color: bool, width: int | None = None) -> str:
    """The messages one after the other, then a line that counts them; "" where there are none.

    Args:
        diagnostics: what to print, in this order.
        color: whether to colour the text for a terminal.
        width: the terminal's width in columns; source lines that do not fit are cut around their labels.
    """
    found = list(diagnostics)
    if not found:
        return ""
    painter = _colored if color else _plain
    blocks = [_Printer(diagnostic, painter, width).text() for diagnostic in found]
    return "\n".join([*blocks, f"{_summary(found)}\n"])


def _colored(text: str, style: str) -> str:
    return f"\x1b[{style}m{text}\x1b[0m" if text else ""


def _plain(text: str, _: str) -> str:
    return text


def _summary(found: list[Diagnostic]) -> str:
    errors = sum(d.is_error for d in found)
    counts = ((errors, "error"), (len(found) - errors, "warning"))
    return ", ".join(f"{n} {word}{'' if n == 1 else 's'}" for n, word in counts if n)


class _Printer:
    """Prints one diagnostic."""

    def __init__(self, diagnostic: Diagnostic, color: Color, width: int | None) -> None:
        self._diagnostic = diagnostic
        self._color = color
        self._style = _COLORS[diagnostic.severity]
        lines = [label.span.line for label in diagnostic.labels]
        self._gutter = max((len(str(line)) for line in lines), default=1)
        self._limit = max(40, width - self._gutter - 3) if width is not None else _WIDTH

    def text(self) -> str:
        d = self._diagnostic
        title = self._color(f"{d.severity.value}[{d.code}]", self._style)
        lines = [f"{title}{self._color(f': {escape(d.message)}', _BOLD)}"]
        for number, (source, labels) in enumerate(self._by_source().items()):
            lines += self._excerpt(source, labels, first=number == 0)
        if not d.labels and d.where:
            lines.append(f"{' ' * self._gutter}{self._color('-->', _BLUE)} {escape(d.where)}")
        if d.labels and d.footers:
            lines.append(self._bar())
        for footer in d.footers:
            lines += self._footer(footer)
        return "\n".join(lines) + "\n"

    def _by_source(self) -> dict[Source, list[Label]]:
        """The labels by source, that of the primary label first."""
        groups: dict[Source, list[Label]] = {}
        for label in self._diagnostic.labels:
            groups.setdefault(label.span.source, []).append(label)
        return groups

    def _bar(self, number: int | None = None, text: str = "") -> str:
        head = str(number) if number is not None else ""
        bar = self._color(f"{head:>{self._gutter}} |", _BLUE)
        return f"{bar} {text}" if text else bar

    def _excerpt(self, source: Source, labels: list[Label], *, first: bool) -> list[str]:
        arrow = self._color("-->" if first else ":::", _BLUE)
        place = labels[0].span
        lines = [] if first else [self._bar()]
        lines.append(f"{' ' * self._gutter}{arrow} {escape(source.name)}:{place.line}:{place.column}")
        lines.append(self._bar())
        before = 0
        for line in excerpt(labels, self._diagnostic.labels[0], self._limit, self._paint):
            if before and line.number > before + 1:
                lines.append(self._color("...", _BLUE))
            lines.append(self._bar(line.number, line.text))
            lines += [self._bar(None, row) for row in line.rows]
            before = line.number
        return lines

    def _paint(self, text: str, primary: bool) -> str:
        return self._color(text, self._style if primary else _BLUE)

    def _footer(self, footer: Note | Help) -> list[str]:
        word = "note" if isinstance(footer, Note) else "help"
        first, *rest = footer.text.split("\n")
        margin = " " * self._gutter
        sign = self._color("=", _BLUE)
        lines = [f"{margin} {sign} {self._color(word, _BOLD if word == 'note' else _CYAN)}: {escape(first)}"]
        lines += [f"{margin}         {escape(line)}" for line in rest]
        if isinstance(footer, Help):
            code = [*mended_lines(footer.edits, self._limit), *map(escape, footer.code)]
            lines += [f"{margin}             {line}" for line in code]
        return lines


# ---------------------------------------------------------------------------------------------- plain data


def to_json(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """The messages as plain data: lines and columns count from 1 in characters, offsets from 0, ends are exclusive.

    Each has `code`, `severity`, `message`, `file` and `span` of the primary label (None without one), `labels`, `notes`,
    `helps` and `lint`, the name by which a comment allows it (None for errors). A help's `edits` can be made by a tool;
    where it is `applicable`, nothing else has to be changed.
    """
    return [_diagnostic(diagnostic) for diagnostic in diagnostics]


def _diagnostic(d: Diagnostic) -> dict[str, Any]:
    primary = d.labels[0].span if d.labels else None
    return {
        "code": d.code,
        "severity": d.severity.value,
        "message": d.message,
        "lint": CODES[d.code].lint or None,
        "file": primary.source.name if primary is not None else d.where or None,
        "span": _span(primary) if primary is not None else None,
        "labels": [
            {"file": label.span.source.name, "span": _span(label.span), "text": label.text, "primary": number == 0}
            for number, label in enumerate(d.labels)
        ],
        "notes": [footer.text for footer in d.footers if isinstance(footer, Note)],
        "helps": [
            {
                "text": footer.text,
                "edits": [_edit(edit) for edit in footer.edits],
                "code": list(footer.code),
                "applicable": bool(footer.edits) and footer.applicable,
            }
            for footer in d.footers
            if isinstance(footer, Help)
        ],
    }


def _edit(edit: Edit) -> dict[str, Any]:
    return {"file": edit.span.source.name, "span": _span(edit.span), "text": edit.text}


def _span(span: Span) -> dict[str, dict[str, int]]:
    return {"start": _place(span.source, span.start), "end": _place(span.source, span.end)}


def _place(source: Source, offset: int) -> dict[str, int]:
    line, column = source.position(offset)
    return {"line": line, "column": column, "offset": offset}
