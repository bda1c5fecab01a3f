"""Text -> checked program: the half of the way that every command goes and that imports nothing heavy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dslc.check import CheckedFile, check_file
from dslc.check.near import did_you_mean, near, quoted
from dslc.check.overrides import apply_overrides, set_data_path
from dslc.diagnostics import Diagnostic, DslcError, Help, Note, Sink
from dslc.record import record
from dslc.source import Source
from dslc.syntax.parse import parse

MAX_BYTES = 10_000_000


@record
class Checked:
    """A program without errors.

    Attributes:
        source: its text, with all overrides in it.
        file: what the checker knows of it.
        warnings: what it found that is no error.
    """

    source: Source
    file: CheckedFile
    warnings: tuple[Diagnostic, ...]

    @property
    def folder(self) -> Path:
        """Where the program's relative paths start."""
        return self.source.path.parent if self.source.path is not None else Path()


def read_source(path: Path) -> Source:
    """The text of a `.dl` file.

    Raises:
        DslcError: the file cannot be read (DL5001) or is not UTF-8 text of reasonable size (DL5002).
    """
    try:
        size = path.stat().st_size
        raw = path.read_bytes() if size <= MAX_BYTES else b""
    except OSError as error:
        helps = () if path.exists() else _near_files(path)
        reason = (error.strerror or type(error).__name__).lower()
        raise DslcError([Diagnostic("DL0050", f"cannot read `{path}`: {reason}", (), helps)]) from error
    if size > MAX_BYTES:
        text = f"`{path}` has {size:_} bytes; a program has at most {MAX_BYTES:_}"
        raise DslcError([Diagnostic("DL0051", text)])
    return decode_source(raw, str(path), path)


def decode_source(raw: bytes, name: str, path: Path | None = None) -> Source:
    """The bytes of a program as a source, with line ends of one kind.

    Raises:
        DslcError: they are not UTF-8 text (DL0051).
    """
    try:
        return Source(name, raw.decode("utf-8-sig").replace("\r\n", "\n"), path)
    except UnicodeDecodeError as error:
        text = f"`{name}` is not UTF-8 text: byte {error.start} cannot be read"
        raise DslcError([Diagnostic("DL0051", text, (), (Help("save the file as UTF-8"),))]) from error


def require_declared(checked: Checked, name: str | None) -> None:
    """Check that a program declares a model, block, data or train block of a name; None asks for nothing.

    Raises:
        DslcError: it does not (DL0053).
    """
    scope = checked.file.scope
    names = [*scope.definitions, *scope.datas, *scope.trains]
    if name is None or name in names:
        return
    close = near(name, names)
    footers = (Help(did_you_mean(close)),) if close else ()
    declared = Note(f"it declares {quoted(names, 'and')}" if names else "it declares nothing")
    raise DslcError(
        [
            Diagnostic(
                "DL0053", f"nothing in this program is named `{name}`", (), (*footers, declared), checked.source.name
            )
        ]
    )


def _near_files(path: Path) -> tuple[Help, ...]:
    if path.suffix != ".dl" and path.with_suffix(".dl").exists():
        return (Help(f"did you mean `{path.with_suffix('.dl')}`?"),)
    return ()


def check_program(source: Source, settings: Sequence[str] = (), data: Path | None = None) -> Checked:
    """Parse and check a program, with `--set` overrides and another data path put into its text first.

    Raises:
        DslcError: there are errors; its diagnostics hold the warnings too.
    """
    sink = Sink()
    file = parse(source, sink)
    if (settings or data is not None) and not sink.failed:
        changed = apply_overrides(file, settings, sink)
        file = parse(changed, sink)
        if data is not None:
            file = parse(set_data_path(file, data, sink), sink)
    checked = check_file(file, sink)
    sink.raise_errors()
    return Checked(file.source, checked, tuple(sink))
