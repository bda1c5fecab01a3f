"""All commands as one click group. Each imports what it needs when it runs, so that `dslc --help` is fast."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

import click

# command -> (module, what it does), in the order of `dslc --help`.
_COMMANDS: Mapping[str, tuple[str, str]] = {
    "check": ("programs", "Check syntax, names, sizes, types and joins."),
    "fmt": ("formatting", "Put programs into the one layout."),
    "info": ("documentation", "Show inputs, outputs, layers, parameters, FLOPs and memory."),
    "compile": ("programs", "Print or write a stage of the compiler."),
    "train": ("training", "Train, and write a run folder."),
    "eval": ("using", "Show loss and metrics of a run."),
    "predict": ("using", "Compute a run's outputs for new inputs."),
    "export": ("using", "Write ONNX, compared with NumPy before the file is put in place."),
    "test": ("testing", "Run the tests in the files on every installed engine."),
    "explain": ("programs", "Say what a diagnostic's code means."),
    "doc": ("documentation", "Explain layers, functions, losses, optimizers and data sources."),
    "doctor": ("system", "Show what is installed and which engines and devices work."),
}


class _Commands(click.Group):
    """Imports a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"dslc.cli.{_COMMANDS[cmd_name][0]}")
        return getattr(module, f"{cmd_name}_command")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and (close := _close_commands(args[0])):
            raise click.UsageError(f"No such command '{args[0]}'. Did you mean '{close[0]}'?", ctx)
        return super().resolve_command(ctx, args)


def _close_commands(name: str) -> list[str]:
    from difflib import get_close_matches

    return get_close_matches(name, _COMMANDS, 1)


@click.command("dslc", cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="dslc")
def commands() -> None:
    """Neural networks in `.dl` files: checked, trained in NumPy, exported to ONNX with proof."""
