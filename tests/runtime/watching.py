"""Looks on while a job trains, and at what it left behind."""

from __future__ import annotations

from dslc_runtime.observer import Silent
from dslc_runtime.run_folder import RunFolder


class Watch(Silent):
    """Remembers what it was told, and does something after an epoch."""

    def __init__(self, after: int = 0, act: object = None) -> None:
        self.told: list[object] = []
        self._after, self._act = after, act

    def on_start(self, first_epoch: int, epochs: int, steps: int) -> None:
        self.told.append(("start", first_epoch, epochs, steps))

    def on_epoch(self, row: dict) -> None:
        self.told.append(row["epoch"])
        if row["epoch"] == self._after and callable(self._act):
            self._act()

    def on_end(self, interrupted: bool) -> None:
        self.told.append(("end", interrupted))


def files_of(run: RunFolder) -> tuple[bytes, bytes]:
    return run.model.read_bytes(), run.last.read_bytes()
