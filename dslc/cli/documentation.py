"""The command that explains names: `doc`."""

from __future__ import annotations

import json
import shutil
import sys

import click

from dslc.cli.output import common, reporting, wants_color
from dslc.cli.programs import split_name
from dslc.diagnostics import Sink
from dslc.doc import Entry, catalogue, declared, find, find_declared
from dslc.doc.text import as_json, entry_text, listing, plain
from dslc.driver.frontend import read_source
from dslc.syntax.parse import parse

_WIDEST = 100
_COLORS = {"name": "cyan", "code": "cyan"}


@click.command("doc")
@click.argument("name", required=False)
@click.option("--json", "json_wanted", is_flag=True, help="Print JSON.")
@common
def doc_command(name: str | None, json_wanted: bool, quiet: bool, error_format: str) -> None:
    """Show what NAME is: a layer, function, loss, metric, initialiser, optimizer or data source; FILE:NAME a block of a program.

    Without a name, list all.
    """
    terminal = sys.stdout.isatty()
    width = min(_WIDEST, shutil.get_terminal_size().columns) if terminal else None
    paint = _paint if wants_color(terminal) else plain
    with reporting(quiet, error_format) as output:
        entries = catalogue() if name is None else _in_program(name) or find(name)
        if json_wanted:
            output.result(json.dumps([as_json(entry) for entry in entries], indent=2))
        elif name is None:
            output.result(listing(entries, width, paint))
        else:
            output.result("\n\n\n".join(entry_text(entry, width or _WIDEST, paint) for entry in entries))


def _in_program(name: str) -> tuple[Entry, ...]:
    """The entries of `FILE` or `FILE:NAME`, or nothing where no file is meant."""
    path, wanted = split_name(name)
    if path.suffix != ".dl":
        return ()
    sink = Sink()
    file = parse(read_source(path), sink)
    sink.raise_errors()
    return declared(file) if wanted is None else find_declared(file, wanted)


def _paint(role: str, text: str) -> str:
    return click.style(text, fg=_COLORS.get(role), bold=role in ("name", "title"), dim=role == "faint")
