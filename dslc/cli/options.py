"""The options that several commands have."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import click

F = TypeVar("F", bound=Callable[..., object])

_LEAST = 100  # bytes: a model of one number does not train in fewer


def memory(_context: click.Context, _parameter: click.Parameter, value: str | None) -> int | None:
    """An amount of memory, in bytes or with a unit (`200M`, `200MB`, `200MiB`, in capitals or not) -> bytes."""
    if value is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?) *(?:([kMG])(i?))?B?", value, re.IGNORECASE)
    if found is None:
        raise click.BadParameter(f"`{value}` is no amount of memory; write one as in 200MB, 1.5GB or 256MiB")
    power = " kmg".index((found[2] or " ").lower())
    amount = int(Decimal(found[1]) * (1024 if found[3] else 1000) ** power)
    if amount < _LEAST:
        raise click.BadParameter(
            f"`{value}` means {amount} bytes, in which nothing trains; write an amount as in 200MB, 1.5GB or 256MiB"
        )
    return amount


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
