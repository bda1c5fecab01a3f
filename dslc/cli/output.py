"""What every command prints: results on stdout, diagnostics on stderr, and the exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import click

from dslc.diagnostics import Diagnostic, DslcError, InternalError
from dslc.diagnostics.render import render, to_json
from dslc.record import record

FAULT, USAGE, INTERRUPTED = 1, 2, 130

F = TypeVar("F", bound=Callable[..., object])


@record
class Output:
    """How this run prints: `quiet` keeps results and errors only, `as_json` prints diagnostics as JSON lines."""

    quiet: bool
    as_json: bool

    def result(self, text: str) -> None:
        """A result, on stdout."""
        click.echo(text)

    def note(self, text: str) -> None:
        """What happens meanwhile, on stderr."""
        if not self.quiet:
            click.echo(text, err=True)

    def diagnostics(self, found: Iterable[Diagnostic]) -> None:
        """Diagnostics in the chosen form, on stderr; warnings are left out when quiet."""
        shown = [d for d in found if d.is_error or not self.quiet]
        if not shown:
            return
        if self.as_json:
            import json

            for item in to_json(shown):
                click.echo(json.dumps(item), err=True)
        else:
            click.echo(render(shown, color=wants_color(sys.stderr.isatty())), err=True, nl=False)


def wants_color(terminal: bool) -> bool:
    """Colour on a terminal, unless `NO_COLOR` is set to anything."""
    return terminal and not os.environ.get("NO_COLOR")


def common(command: F) -> F:
    """The options every command has."""
    for option in (
        click.option("-q", "--quiet", is_flag=True, help="Print results and errors only."),
        click.option(
            "--error-format",
            type=click.Choice(["human", "json"]),
            default="human",
            show_default=True,
            help="How diagnostics are printed.",
        ),
    ):
        command = option(command)
    return command


def imports(command: F) -> F:
    """The option of commands that read a program."""
    folder = click.Path(path_type=Path)
    text = "A folder besides the program's own that it may import from."
    return click.option("--allow-import", "allowed", multiple=True, type=folder, metavar="DIR", help=text)(command)


@contextmanager
def reporting(quiet: bool, error_format: str) -> Generator[Output]:
    """Run a command's body: users' mistakes become diagnostics and exit status 1, Ctrl-C becomes 130."""
    output = Output(quiet, error_format == "json")
    try:
        yield output
    except DslcError as error:
        output.diagnostics(error.diagnostics)
        sys.exit(FAULT)
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # The reader of stdout went away (`dslc info ... | head`): stop quietly, and keep Python from flushing again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAULT)
    except click.ClickException:
        raise
    except Exception as error:
        if os.environ.get("DSLC_TRACEBACK"):
            raise
        text = str(error) if isinstance(error, InternalError) else f"internal error: {type(error).__name__}: {error}"
        click.echo(f"error: {text}", err=True)
        click.echo(
            "  = note: nothing that was saved before is lost; DSLC_TRACEBACK=1 shows where it happened", err=True
        )
        sys.exit(FAULT)
