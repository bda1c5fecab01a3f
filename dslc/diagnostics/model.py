"""What a diagnostic is. Printing is `render`; the closed table of codes is `codes`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from dslc.diagnostics.codes import CODES, Severity
from dslc.diagnostics.escape import escape
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
    """A proposed mend. With `edits`, the mended lines are shown and a tool can apply them; `code` shows lines as they are.

    `applicable` is false where the edits alone do not mend: a value of the user's own has to be put in, or more places change.
    """

    text: str
    edits: tuple[Edit, ...] = ()
    code: tuple[str, ...] = ()
    applicable: bool = True


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

    As text, it is these with their places, notes and helps, without the lines of the program.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(line for found in self.diagnostics for line in _lines(found)))


def _lines(found: Diagnostic) -> Iterator[str]:
    yield f"{found.severity.value}[{found.code}]: {escape(found.message)}"
    if found.labels:
        place = found.labels[0].span
        yield f" --> {escape(place.source.name)}:{place.line}:{place.column}"
    elif found.where:
        yield f" --> {escape(found.where)}"
    for footer in found.footers:
        first, *rest = footer.text.split("\n")
        yield f"  = {'note' if isinstance(footer, Note) else 'help'}: {escape(first)}"
        yield from (f"          {escape(line)}" for line in rest)


class InternalError(Exception):
    """A defect of ours: a stage failed on a program that `check` had accepted."""

    def __init__(self, stage: str, node: str, message: str, span: Span | None = None) -> None:
        at = f" (from {span.source.name}:{span.line}:{span.column})" if span is not None else ""
        super().__init__(
            f"internal error in {stage}, at {node}{at}: {message}. This is a defect of dslc; please report it"
        )


#: Errors that one sink takes. More would not help, and looking for near names in each costs time.
MOST_ERRORS = 50


@record(eq=False, frozen=False)
class Sink:
    """Collects diagnostics, so that one run reports every independent mistake. Equal ones are kept once.

    Attributes:
        found: what was added, in order.
        failed: whether any of it is an error.
        full: whether there were more errors than it takes. It says so itself and drops what follows: work that can only
            find more mistakes may stop.
    """

    found: list[Diagnostic] = field(factory=list[Diagnostic])
    failed: bool = False
    full: bool = False
    _errors: int = 0
    _known: set[Diagnostic] = field(factory=set[Diagnostic])
    _places: set[tuple[str, Span]] = field(factory=set["tuple[str, Span]"])

    def add(self, diagnostic: Diagnostic) -> None:
        if self.full or diagnostic in self._known:
            return
        if diagnostic.is_error and self._errors == MOST_ERRORS:
            places = tuple(Label(label.span, "the next one") for label in diagnostic.labels[:1])
            diagnostic = Diagnostic("DL0070", f"more than {MOST_ERRORS} mistakes", places, where=diagnostic.where)
            self.full = True
        self.found.append(diagnostic)
        self._known.add(diagnostic)
        self._places |= {(diagnostic.code, label.span) for label in diagnostic.labels[:1]}
        self._errors += diagnostic.is_error
        self.failed |= diagnostic.is_error

    def has(self, code: str, place: Span) -> bool:
        """Whether there is a diagnostic of that code whose primary label is at a place."""
        return (code, place) in self._places

    def has_error(self, place: Span) -> bool:
        """Whether there is an error whose primary label is at a place."""
        return any(known.is_error and known.labels and known.labels[0].span == place for known in self.found)

    def report(
        self, code: str, message: str, span: Span, label: str = "", *more: Label, footers: Sequence[Note | Help] = ()
    ) -> None:
        """Add a diagnostic whose primary label is `label` at `span`."""
        self.add(Diagnostic(code, message, (Label(span, label), *more), tuple(footers)))

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self.found)

    def raise_errors(self) -> None:
        """Raise everything found if any of it is an error.

        Raises:
            DslcError: there is at least one error.
        """
        if self.failed:
            raise DslcError(self.found)
