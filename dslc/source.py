"""Source text and positions in it. Lines are computed only when something is printed."""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path

from dslc.record import field, record


@record(eq=False)
class Source:
    """One text with a name to print; `path` is None for text that was never a file.

    Sources are compared by identity: two files with equal text are two sources.
    """

    name: str
    text: str
    path: Path | None = None
    _starts: list[int] = field(factory=list[int])

    def line_starts(self) -> list[int]:
        """Offsets at which lines start; only ``\\n`` ends a line here."""
        if not self._starts:
            self._starts.append(0)
            at = self.text.find("\n")
            while at != -1:
                self._starts.append(at + 1)
                at = self.text.find("\n", at + 1)
        return self._starts

    def position(self, offset: int) -> tuple[int, int]:
        """The line and the column of an offset, both counted from 1."""
        starts = self.line_starts()
        line = bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1

    def line_text(self, line: int) -> str:
        """The text of a line (counted from 1) without its line end."""
        starts = self.line_starts()
        end = starts[line] - 1 if line < len(starts) else len(self.text)
        return self.text[starts[line - 1] : end].rstrip("\r")


@record
class Span:
    """A half-open range of offsets into a source."""

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        """The text the span covers."""
        return self.source.text[self.start : self.end]

    @property
    def line(self) -> int:
        """The line the span starts on, counted from 1."""
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        """The column the span starts at, counted from 1."""
        return self.source.position(self.start)[1]

    def within(self, outer: Span) -> bool:
        """Whether the span lies in another of the same source."""
        return self.source is outer.source and outer.start <= self.start and self.end <= outer.end

    def to(self, other: Span) -> Span:
        """The span from the start of this one to the end of `other`."""
        return Span(self.source, self.start, other.end)
