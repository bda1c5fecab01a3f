"""The options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

F = TypeVar("F", bound=Callable[..., object])


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
