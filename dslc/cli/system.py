"""The command about the machine: `doctor`."""

from __future__ import annotations

import sys

import click

from dslc.cli.options import common
from dslc.cli.output import FAULT, reporting


@click.command("doctor")
@common
def doctor_command(quiet: bool, error_format: str) -> None:
    """Show what is installed and which engines and devices really work: a session is opened on each."""
    from dslc.driver.doctor import examine

    with reporting(quiet, error_format) as output:
        findings = examine()
        width = max(len(finding.subject) for finding in findings)
        for finding in findings:
            mark = "ok" if finding.works else "no"
            output.result(f"{mark}  {finding.subject:{width}}  {finding.text}")
            if finding.help:
                output.result(f"    {'':{width}}  = help: {finding.help}")
    if any(finding.required and not finding.works for finding in findings):
        sys.exit(FAULT)
