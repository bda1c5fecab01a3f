"""Progress of a training: a bar on a terminal, a line per epoch elsewhere, nothing when quiet."""

from __future__ import annotations

import math
import sys
from typing import IO, Any, cast

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from dslc.cli.output import Patient, wants_color

MAX_LINES = 20  # of epochs; longer trainings show every n-th one


class TerminalProgress:
    """Implements `dslc_runtime.observer.Observer` on stderr."""

    def __init__(self) -> None:
        terminal = sys.stderr.isatty()
        stderr = cast("IO[str]", Patient(sys.stderr))
        self._console = Console(file=stderr, no_color=not wants_color(terminal), highlight=False, soft_wrap=True)
        self._progress: Progress | None = None
        self._task = TaskID(0)
        self._every = 1
        self._epochs = 0
        self._steps = 0
        if terminal:
            self._progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=30),
                MofNCompleteColumn(),
                TextColumn("{task.fields[loss]}"),
                TimeRemainingColumn(),
                console=self._console,
                transient=True,
            )

    def on_start(self, first_epoch: int, epochs: int, steps: int) -> None:
        self._every = max(1, math.ceil((epochs - first_epoch + 1) / MAX_LINES))
        self._epochs, self._steps = epochs, steps
        if self._progress is not None:
            self._task = self._progress.add_task("training", total=epochs * steps, loss="")
            self._progress.update(self._task, completed=(first_epoch - 1) * steps)
            self._progress.start()

    def on_step(self, epoch: int, step: int, loss: float) -> None:
        if self._progress is not None:
            done = (epoch - 1) * self._steps + step
            description = f"epoch {epoch}/{self._epochs}"
            self._progress.update(self._task, completed=done, description=description, loss=f"loss {loss:.4g}")

    def on_epoch(self, row: dict[str, Any]) -> None:
        epoch = int(row["epoch"])
        if epoch % self._every == 0 or epoch in (1, self._epochs):
            self._console.print(epoch_line(row, self._epochs), markup=False)

    def on_end(self, interrupted: bool) -> None:
        if self._progress is not None:
            self._progress.stop()


_NOT_SHOWN = ("epoch", "step", "lr", "seconds")  # `lr` of every step, `critic.lr`, too


def epoch_line(row: dict[str, Any], epochs: int) -> str:
    """One epoch in one line: its number, what was measured, and how long it took."""
    width = len(str(epochs))
    figures = [
        f"{name} {value:.4g}"
        for name, value in row.items()
        if name.rpartition(".")[2] not in _NOT_SHOWN and value is not None
    ]
    return f"epoch {row['epoch']:>{width}}/{epochs}  {'  '.join(figures)}  ({row['seconds']:.1f} s)"
