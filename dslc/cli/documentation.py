"""Commands that tell what things are: `info` of a model, `doc` of a name."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import click

from dslc.check.units import load_unit
from dslc.cli.checking import split_name
from dslc.cli.options import common, imports
from dslc.cli.output import reporting, wants_color
from dslc.diagnostics import Sink
from dslc.doc import Entry, catalogue, declared, find, find_declared
from dslc.doc.text import as_json, entry_text, listing, overview, plain
from dslc.driver.frontend import check_program, read_source
from dslc.driver.importing import ImportedFiles

_WIDEST = 100
_COLORS = {"name": "cyan", "code": "cyan"}
_BOLD = ("name", "title")


def _sizes(_: click.Context, __: click.Parameter, value: str | None) -> dict[str, int]:
    """`B=32,T=10` as numbers by name."""
    found: dict[str, int] = {}
    for part in (value or "").split(",") if value else ():
        name, number = (piece.strip() for piece in part.partition("=")[::2])
        if not (name.isidentifier() and number.isdecimal() and int(number) > 0):
            raise click.BadParameter(f"`{part.strip()}` is not of the form NAME=NUMBER, as in B=32,T=10")
        found[name] = int(number)
    return found


@click.command("info")
@click.argument("file")
@click.option("--set", "settings", multiple=True, metavar="PATH=VALUE", help="Override a setting or hyper-parameter.")
@click.option("--batch", type=click.IntRange(1), metavar="N", help="Tell costs and memory for this many samples.")
@click.option("--sizes", callback=_sizes, metavar="B=N,...", help="Tell costs and memory for these run-time sizes.")
@click.option("--json", "json_wanted", is_flag=True, help="Print JSON.")
@imports
@common
def info_command(
    file: str,
    settings: tuple[str, ...],
    batch: int | None,
    sizes: dict[str, int],
    json_wanted: bool,
    allowed: tuple[Path, ...],
    quiet: bool,
    error_format: str,
) -> None:
    """Show a model's inputs, outputs, layers, parameters, FLOPs and memory.

    FILE:NAME names one of several models, or a train block, to see its models as it uses them.
    """
    from dslc.driver.info import describe
    from dslc.driver.info_text import facts_json, facts_text

    with reporting(quiet, error_format) as output:
        path, name = split_name(file)
        checked = check_program(read_source(path), settings, allowed=allowed, about=name)
        output.diagnostics(checked.warnings)
        found = describe(checked, name, batch, sizes)
        if json_wanted:
            data = [facts_json(facts) for facts in found]
            output.result(json.dumps(data if len(data) > 1 else data[0], indent=2))
        else:
            output.result("\n\n\n".join(facts_text(facts, _width()) for facts in found))


@click.command("doc")
@click.argument("name", required=False)
@click.option("--json", "json_wanted", is_flag=True, help="Print JSON.")
@common
def doc_command(name: str | None, json_wanted: bool, quiet: bool, error_format: str) -> None:
    """Show what NAME is: a layer, function, loss, metric, initialiser, optimizer, data source or setting.

    FILE:NAME shows a block of a program. Without a name, list all.
    """
    columns = _width()
    width = None if columns is None else min(_WIDEST, columns)
    paint = _paint if wants_color(columns is not None) else plain
    with reporting(quiet, error_format) as output:
        declarations = _in_program(name or "")
        entries = catalogue() if name is None else declarations or find(name, _on_the_command_line)
        if json_wanted:
            output.result(json.dumps([as_json(entry) for entry in entries], indent=2))
        elif name is None:
            output.result(listing(entries, width, paint))
        else:
            head = [overview(name, entries, paint)] if len(entries) > 1 and not declarations else []
            output.result("\n\n\n".join([*head, *(entry_text(entry, width or _WIDEST, paint) for entry in entries)]))


def _width() -> int | None:
    """The columns of the terminal; None where the result goes elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _in_program(name: str) -> tuple[Entry, ...]:
    """The entries of `FILE` or `FILE:NAME`, or nothing where no file is meant."""
    path, wanted = split_name(name)
    if path.suffix != ".dl":
        return ()
    sink = Sink()
    source = read_source(path)
    unit = load_unit(source, ImportedFiles(source), sink)
    if not unit.sound:
        sink.raise_errors()
    return declared(unit.file) if wanted is None else find_declared(unit, wanted)


def _on_the_command_line(name: str) -> str:
    """Which commands have an option of a name; or ""."""
    from dslc.cli.option_names import owners  # it imports every command

    return owners(name)


def _paint(role: str, text: str) -> str:
    # None rather than False: a False would switch off what stands before it.
    return click.style(text, fg=_COLORS.get(role), bold=role in _BOLD or None, dim=role == "faint" or None)
