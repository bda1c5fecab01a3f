"""What a training tells whoever watches it. Nothing here prints."""

from __future__ import annotations

from typing import Protocol

from dslc_runtime.history import Row


class Observer(Protocol):
    """Called by the loop; an exception stops the training like Ctrl-C would, with the last finished epoch kept."""

    def on_start(self, first_epoch: int, epochs: int, steps: int) -> None:
        """Epochs `first_epoch` to `epochs`, counted from 1, of `steps` steps each are about to run."""
        ...

    def on_step(self, epoch: int, step: int, loss: float) -> None:
        """So many steps of the epoch are done, with this mean loss so far. At most about ten times a second."""
        ...

    def on_epoch(self, row: Row) -> None:
        """An epoch is finished; `row` is what the history holds of it."""
        ...

    def on_end(self, interrupted: bool) -> None:
        """Nothing more will run."""
        ...


class Silent:
    """Watches and says nothing."""

    def on_start(self, first_epoch: int, epochs: int, steps: int) -> None: ...

    def on_step(self, epoch: int, step: int, loss: float) -> None: ...

    def on_epoch(self, row: Row) -> None: ...

    def on_end(self, interrupted: bool) -> None: ...
