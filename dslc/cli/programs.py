"""Commands about programs: `check`, `compile`, `explain`."""

from __future__ import annotations

from pathlib import Path

import click

from dslc.cli.checking import check, split_name
from dslc.cli.options import common, imports
from dslc.cli.output import reporting
from dslc.diagnostics import CODES, Diagnostic, DslcError, Note


@click.command("check")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--set", "settings", multiple=True, metavar="PATH=VALUE", help="Override a setting or hyper-parameter.")
@click.option("--data", "opens_data", is_flag=True, help="Open the data too: columns, element types, class ids, NaN.")
@imports
@common
def check_command(
    files: tuple[str, ...],
    settings: tuple[str, ...],
    opens_data: bool,
    allowed: tuple[Path, ...],
    quiet: bool,
    error_format: str,
) -> None:
    """Check syntax, names, sizes, types and joins of programs. Nothing is run; only `--data` opens the data.

    FILE may be `file.dl:NAME`: the whole file is checked, and must declare NAME.
    """
    check(files, settings, opens_data, allowed, quiet, error_format)


@click.command("compile")
@click.argument("file")
@click.option(
    "-o",
    "--output",
    "target",
    type=click.Path(path_type=Path),
    help="Write here: .onnx, .py, .txt, a picture (.svg, .dot, .mmd), .json, or the stage that `--emit` names.",
)
@click.option(
    "--emit",
    type=click.Choice(["tree", "typed", "graph", "optimized", "training", "plan", "python"]),
    help="Print a stage. `training` is the training step's graph; `plan` and `python` are of the training step where there is one.",
)
@click.option("--set", "settings", multiple=True, metavar="PATH=VALUE", help="Override a setting or hyper-parameter.")
@imports
@common
def compile_command(
    file: str,
    target: Path | None,
    emit: str | None,
    settings: tuple[str, ...],
    allowed: tuple[Path, ...],
    quiet: bool,
    error_format: str,
) -> None:
    """Print a stage of the compiler, or write it to a file."""
    if target is None and emit is None:
        raise click.UsageError("give `-o FILE`, `--emit STAGE`, or both")
    from dslc.driver.frontend import check_program, read_source
    from dslc.driver.stages import emit_stage, write_stage

    with reporting(quiet, error_format) as output:
        path, name = split_name(file)
        checked = check_program(read_source(path), settings, allowed=allowed, about=name)
        output.diagnostics(checked.warnings)
        if target is not None:
            output.note(write_stage(checked, name, emit, target))
        elif emit is not None:
            output.result(emit_stage(checked, name, emit).rstrip("\n"))


@click.command("explain")
@click.argument("code", required=False, metavar="[CODE|FILE]")
@click.option("--set", "settings", multiple=True, metavar="PATH=VALUE", help="Override a setting (FILE only).")
@imports
@common
def explain_command(
    code: str | None, settings: tuple[str, ...], allowed: tuple[Path, ...], quiet: bool, error_format: str
) -> None:
    """Say what a diagnostic's CODE (such as DL2001) means; without one, list them all.

    Of a FILE, show the formulas of its model forward and backward; `file.dl:NAME` names a model or a train block.
    """
    from dslc.check.near import near

    with reporting(quiet, error_format) as output:
        if code is None:
            for entry in sorted(CODES.values(), key=lambda each: each.code):
                output.result(f"{entry.code}  {entry.title}")
            return
        path, name = split_name(code)
        if path.suffix == ".dl" or path.exists():
            from dslc.driver.explaining import explain_program
            from dslc.driver.frontend import check_program, read_source

            checked = check_program(read_source(path), settings, allowed=allowed, about=name)
            output.diagnostics(checked.warnings)
            output.result(explain_program(checked, name))
            return
        wanted = f"DL{code}" if code.isdecimal() else code.upper()
        entry = CODES.get(wanted)
        if entry is None:
            close = near(wanted, list(CODES))
            notes = (Note(f"codes like it: {', '.join(close)}" if close else "`dslc explain` lists all codes"),)
            raise DslcError([Diagnostic("DL0052", f"there is no code `{code}`", (), notes)])
        output.result(f"{entry.severity.value}[{entry.code}]: {entry.title}\n\n{entry.explain.strip()}")
        if entry.lint:
            where = "at the end of the statement's line, or on the line above it"
            output.result(f"\n`# allow: {entry.lint}` {where}, silences this.")
