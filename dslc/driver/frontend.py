"""Text -> checked program: the half of the way that every command goes and that imports nothing heavy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dslc.check import CheckedFile, check_unit
from dslc.check.data_paths import set_data_path
from dslc.check.near import near, proposed, quoted
from dslc.check.overrides import apply_overrides
from dslc.check.units import Unit, load_unit
from dslc.diagnostics import Diagnostic, DslcError, Note, Sink
from dslc.driver.importing import ImportedFiles
from dslc.driver.reading import decode_source, read_source
from dslc.record import record
from dslc.source import Source

__all__ = ["Checked", "check_program", "decode_source", "folder_of", "read_source", "recheck", "require_declared"]


@record
class Checked:
    """A program without errors.

    Attributes:
        unit: its text and those of the files it imports, with all overrides in them.
        file: what the checker knows of it.
        warnings: what it found that is no error.
    """

    unit: Unit
    file: CheckedFile
    warnings: tuple[Diagnostic, ...]

    @property
    def source(self) -> Source:
        """The program's own text."""
        return self.unit.source

    @property
    def folder(self) -> Path:
        """Where the program's relative paths start."""
        return folder_of(self.source)


def folder_of(source: Source) -> Path:
    """Where the relative paths in a text start."""
    return source.path.parent if source.path is not None else Path()


def require_declared(checked: Checked, name: str | None) -> None:
    """Check that a program declares a model, block, data or train block of a name; None asks for nothing.

    Raises:
        DslcError: it does not (DL0053).
    """
    scope = checked.file.scope
    names = [*scope.definitions, *scope.datas, *scope.trains, *scope.imported]
    if name is None or name in names:
        return
    footers = proposed(near(name, names))
    declared = Note(f"it declares {quoted(names, 'and')}" if names else "it declares nothing")
    raise DslcError(
        [
            Diagnostic(
                "DL0053", f"nothing in this program is named `{name}`", (), (*footers, declared), checked.source.name
            )
        ]
    )


def check_program(
    source: Source,
    settings: Sequence[str] = (),
    data: Path | None = None,
    allowed: Sequence[Path] = (),
    about: str | None = None,
) -> Checked:
    """Parse and check a program, with `--set` overrides and another data path put into its text first.

    Args:
        allowed: folders that it may import from besides its own.
        about: the block that settings mean where several have what they name.

    Raises:
        DslcError: there are errors; its diagnostics hold the warnings too.
    """
    sink = Sink()
    return _checked(load_unit(source, ImportedFiles(source, allowed), sink), settings, data, sink, about)


def recheck(checked: Checked, settings: Sequence[str], about: str | None = None) -> Checked:
    """The program with more `--set` overrides; `about` is as for `check_program`.

    Raises:
        DslcError: a setting does not fit.
    """
    return _checked(checked.unit, settings, None, Sink(), about)


def _checked(unit: Unit, settings: Sequence[str], data: Path | None, sink: Sink, about: str | None) -> Checked:
    if not sink.failed:
        unit = apply_overrides(unit, settings, sink, about)
        if data is not None:
            unit = set_data_path(unit, data, data.is_dir(), sink)
    checked = check_unit(unit, sink)
    sink.raise_errors()
    return Checked(unit, checked, tuple(sink))
