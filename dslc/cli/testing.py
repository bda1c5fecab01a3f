"""The command that runs the tests in programs."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from dslc.cli.checking import checked_file
from dslc.cli.options import common, imports
from dslc.cli.output import FAULT, reporting
from dslc.diagnostics import DslcError


@click.command("test")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--update", is_flag=True, help="Rewrite goldens with what NumPy computes, and show what changed.")
@click.option(
    "-k", "pattern", default="*", metavar="PATTERN", help="Only tests whose name holds this text or matches it."
)
@click.option("--set", "settings", multiple=True, metavar="PATH=VALUE", help="Override a setting or hyper-parameter.")
@imports
@common
def test_command(
    files: tuple[str, ...],
    update: bool,
    pattern: str,
    settings: tuple[str, ...],
    allowed: tuple[Path, ...],
    quiet: bool,
    error_format: str,
) -> None:
    """Run the tests in programs on every installed engine.

    FILE may be `file.dl:NAME`: only the tests that use the model NAME, or train the train block NAME.
    """
    from dslc.driver.testing import TestResult, failures_of, run_tests, summary

    results: list[TestResult] = []
    broken = False
    with reporting(quiet, error_format) as output:
        for file in files:
            try:
                checked, name = checked_file(file, settings, allowed, output)
                for result in run_tests(checked, pattern, update, about=name):
                    results.append(result)
                    mark = "passed" if result.passed else "FAILED"
                    skipped = f", {result.skipped} skipped" if result.skipped else ""
                    output.note(f"{mark}  {file}: {result.name} ({result.engine}{skipped})")
                    for line in result.updated:
                        output.result(f"golden {line}")
            except DslcError as error:
                output.diagnostics(error.diagnostics)
                broken = True
        output.diagnostics(failures_of(results))
        output.result(summary(results))
        if not results and not broken:
            output.note("no test has such a name" if pattern != "*" else "there are no tests")
    nothing_chosen = not results and pattern != "*"
    if broken or nothing_chosen or any(not result.passed for result in results):
        sys.exit(FAULT)
