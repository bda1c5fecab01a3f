"""What a diagnostic is. Printing is `render`; the closed table of codes is `codes`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from dslc.diagnostics.codes import CODES, Severity
from dslc.record import field, record
from dslc.source import Span


@record
class Label:
    """Text beside a place in the source. The first label of a diagnostic is its primary one."""

    span: Span
    text: str = ""


@record
class Edit:
    """Replace the text of a span; an empty span inserts."""

    span: Span
    text: str


@record
class Note:
    """A fact that explains the error, such as where a size came from."""

    text: str


@record
class Help:
    """A proposed mend. With `edits`, the mended lines are shown and a tool can apply them; `code` shows lines as they are."""

    text: str
    edits: tuple[Edit, ...] = ()
    code: tuple[str, ...] = ()


@record
class Diagnostic:
    """One message: a code of the table, one line of text, places, and notes and helps in the order to print them.

    `labels` may be empty for a message about no text (a missing file); then `where` may name what it is about.
    """

    code: str
    message: str
    labels: tuple[Label, ...] = ()
    footers: tuple[Note | Help, ...] = ()
    where: str = ""

    @property
    def severity(self) -> Severity:
        return CODES[self.code].severity

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR


class DslcError(Exception):
    """The program, its data or a request is at fault.

    Attributes:
        diagnostics: every message found, at least one of them an error.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(f"{d.severity.value}[{d.code}]: {d.message}" for d in self.diagnostics))


class InternalError(Exception):
    """A defect of ours: a stage failed on a program that `check` had accepted."""

    def __init__(self, stage: str, node: str, message: str, span: Span | None = None) -> None:
        at = f" (from {span.source.name}:{span.line}:{span.column})" if span is not None else ""
        super().__init__(
            f"internal error in {stage}, at {node}{at}: {message}. This is a defect of dslc; please report it"
        )


@record(frozen=False)
class Sink:
    """Collects diagnostics, so that one run reports every independent mistake. Equal ones are kept once."""

    found: list[Diagnostic] = field(factory=list[Diagnostic])

    def add(self, diagnostic: Diagnostic) -> None:
        if diagnostic not in self.found:
            self.found.append(diagnostic)

    def report(
        self, code: str, message: str, span: Span, label: str = "", *more: Label, footers: Sequence[Note | Help] = ()
    ) -> None:
        """Add a diagnostic whose primary label is `label` at `span`."""
        self.add(Diagnostic(code, message, (Label(span, label), *more), tuple(footers)))

    @property
    def failed(self) -> bool:
        """Whether any error was found."""
        return any(d.is_error for d in self.found)

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self.found)

    def raise_errors(self) -> None:
        """Raise everything found if any of it is an error.

        Raises:
            DslcError: there is at least one error.
        """
        if self.failed:
            raise DslcError(self.found)
