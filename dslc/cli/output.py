"""What every command prints: results on stdout, diagnostics on stderr, and the exit status.

It does without click, which a plain `dslc check` does not wait for.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import TextIO

from dslc.diagnostics import Diagnostic, DslcError, InternalError
from dslc.diagnostics.render import render, to_json
from dslc.record import record

FAULT, INTERRUPTED, SIGNALLED = 1, 130, 128  # of a signal: its number is added


@record
class Output:
    """How this run prints: `quiet` keeps results and errors only, `as_json` prints diagnostics as JSON lines."""

    quiet: bool
    as_json: bool

    def result(self, text: str) -> None:
        """A result, on stdout."""
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()  # so that a reader who went away is noticed here

    def outcome(self, text: str) -> None:
        """What came of work that is saved by now, on stdout. It is no fault that nobody reads it any more."""
        Patient(sys.stdout).write(f"{text}\n")

    def note(self, text: str) -> None:
        """What happens meanwhile, on stderr."""
        if not self.quiet:
            tell(text)

    def diagnostics(self, found: Iterable[Diagnostic]) -> None:
        """Diagnostics in the chosen form, on stderr; warnings are left out when quiet."""
        shown = [d for d in found if d.is_error or not self.quiet]
        if not shown:
            return
        if self.as_json:
            import json

            for item in to_json(shown):
                tell(json.dumps(item))
        else:
            tell(render(shown, color=wants_color(sys.stderr.isatty())), end="")


class Patient:
    """A stream whose reader may go away (a closed pipe, a terminal that hung up): what is said then is lost, and work goes on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.encoding = stream.encoding

    def write(self, text: str) -> int:
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            _hush(self._stream)
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()


def _hush(stream: TextIO) -> None:
    """Let what is written from now on, and what Python would write again at its end, go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def tell(text: str, end: str = "\n") -> None:
    """Say something on stderr."""
    Patient(sys.stderr).write(text + end)


def _is_usage(error: Exception) -> bool:
    """Whether click will say what is wrong with the arguments."""
    click = sys.modules.get("click")
    return click is not None and isinstance(error, click.ClickException)


def wants_color(terminal: bool) -> bool:
    """Colour on a terminal, unless `NO_COLOR` is set to anything."""
    return terminal and not os.environ.get("NO_COLOR")


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
        tell("interrupted")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        _hush(sys.stdout)  # its reader went away (`dslc info ... | head`): stop quietly
        sys.exit(FAULT)
    except Exception as error:
        if _is_usage(error) or os.environ.get("DSLC_TRACEBACK"):
            raise
        text = str(error) if isinstance(error, InternalError) else f"internal error: {type(error).__name__}: {error}"
        tell(f"error: {text}")
        tell("  = note: nothing that was saved before is lost; DSLC_TRACEBACK=1 shows where it happened")
        sys.exit(FAULT)
