"""The options of all commands, looked up by name."""

from __future__ import annotations

import click

from dslc.check.near import quoted
from dslc.cli.commands import commands


def owners(name: str) -> str:
    """Which commands have an option of a name, in a sentence; or ""."""
    option = f"--{name.lstrip('-').replace('_', '-')}"
    context = click.Context(commands)
    known = ((each, commands.get_command(context, each)) for each in commands.list_commands(context))
    found = [
        f"dslc {each}"
        for each, command in known
        if command is not None and any(option in parameter.opts for parameter in command.params)
    ]
    if not found:
        return ""
    return f"`{option}` is an option of {quoted(found, 'and')}: see `{found[0]} --help`"
