"""What `dslc check` does, without click: it is run on every save."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from dslc.cli.output import FAULT, Output, reporting
from dslc.diagnostics import DslcError
from dslc.driver.frontend import Checked, check_program, read_source, require_declared


def split_name(file: str) -> tuple[Path, str | None]:
    """`file.dl:Name` as a path and a name; the name is None where none is given."""
    path, colon, name = file.rpartition(":")
    if colon and name.isidentifier() and not Path(file).exists():
        return Path(path), name
    return Path(file), None


def checked_file(
    file: str, settings: Sequence[str], allowed: Sequence[Path], output: Output
) -> tuple[Checked, str | None]:
    """The program of `file.dl` or `file.dl:Name`, with its warnings shown, and the name.

    Raises:
        DslcError: there are errors, or it declares nothing of that name.
    """
    path, name = split_name(file)
    checked = check_program(read_source(path), settings, allowed=allowed, about=name)
    require_declared(checked, name)
    output.diagnostics(checked.warnings)
    return checked, name


def _unopened(checked: Checked) -> str:
    """That the data of a program was not looked at, where it lies in files; or ""."""
    sources = (source for data in checked.file.datas.values() for source in data.sources.values())
    return " (its data was not opened: --data)" if any(source.kind != "inline" for source in sources) else ""


def check(
    files: Sequence[str],
    settings: Sequence[str] = (),
    opens_data: bool = False,
    allowed: Sequence[Path] = (),
    quiet: bool = False,
    error_format: str = "human",
) -> None:
    """Check programs, and exit with status 1 if one has errors; the arguments are the command's options."""
    failed = False
    with reporting(quiet, error_format) as output:
        for file in files:
            try:
                checked, _ = checked_file(file, settings, allowed, output)
                if opens_data:
                    from dslc.driver.data import verify_data

                    for line in verify_data(checked):
                        output.note(f"{file}: {line}")
            except DslcError as error:
                output.diagnostics(error.diagnostics)
                failed = True
            else:
                output.note(f"{file}: no errors{'' if opens_data else _unopened(checked)}")
    if failed:
        sys.exit(FAULT)
