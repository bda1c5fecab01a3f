"""The command `fmt`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from dslc.cli.options import common
from dslc.cli.output import FAULT, Output, reporting
from dslc.diagnostics import DslcError

STDIN = "-"


@click.command("fmt")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--check", "only_check", is_flag=True, help="Write nothing; name the files that would change, and exit 1."
)
@common
def fmt_command(files: tuple[str, ...], only_check: bool, quiet: bool, error_format: str) -> None:
    """Put programs into the one layout. Comments and blank lines are kept, and so is what they mean.

    A FILE of `-` is read from the standard input and printed. A file with mistakes in its form is reported and left as it is.
    """
    failed = False
    with reporting(quiet, error_format) as output:
        for file in files:
            try:
                done = _format_stdin(only_check, output) if file == STDIN else _format(file, only_check, output)
            except DslcError as error:
                output.diagnostics(error.diagnostics)
                done = False
            failed |= not done
    if failed:
        sys.exit(FAULT)


def _format(file: str, only_check: bool, output: Output) -> bool:
    from dslc.driver.formatting import format_file, is_formatted

    path = Path(file)
    if not only_check:
        output.note(f"{file}: {'formatted' if format_file(path) else 'unchanged'}")
        return True
    return _checked(file, is_formatted(path), output)


def _format_stdin(only_check: bool, output: Output) -> bool:
    from dslc.driver.frontend import decode_source
    from dslc.syntax.format import format_source

    source = decode_source(sys.stdin.buffer.read(), "<stdin>")
    text = format_source(source)
    if not only_check:
        click.echo(text, nl=False)
        return True
    return _checked(source.name, text == source.text, output)


def _checked(file: str, formatted: bool, output: Output) -> bool:
    """Name a file that would change."""
    if not formatted:
        output.result(file)
    return formatted
