"""The command line: arguments in, driver called, text out; nothing else."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its status.

    A check without options goes the short way: click would take a third of its time.

    Args:
        arguments: those of the process by default.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    # Modules and programs are kept, so looking for garbage every few hundred objects only costs time.
    gc.set_threshold(50_000)
    try:
        if given[:1] == ["check"] and len(given) > 1 and not any(argument.startswith("-") for argument in given):
            from dslc.cli.checking import check

            check(given[1:])
        else:
            from dslc.cli.commands import commands

            commands(given, prog_name="dslc")
    except KeyboardInterrupt:  # while a command was still importing; later ones end in `reporting`
        sys.stderr.write("interrupted\n")
        sys.exit(130)
