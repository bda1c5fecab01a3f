"""Keeping the last good state of a training: a copy in memory after every epoch, on disk at most once a second and at the end.

Tiny models finish thousands of epochs a second, and every atomic write waits for the disk; so an epoch is first committed
in memory. Whatever stops the training, the committed epoch is what goes to disk and what the state is put back to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from time import monotonic
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from dslc_runtime import checkpoint
from dslc_runtime.errors import RuntimeFault
from dslc_runtime.mapped import own_copy
from dslc_runtime.plateau import Level
from dslc_runtime.run_folder import TRAINING, WEIGHTS, RunFolder
from dslc_runtime.state import State

Array: TypeAlias = npt.NDArray[Any]

INTERVAL = 1.0  # seconds between writes


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a training stands after an epoch.

    Attributes:
        epoch, step: finished epochs and updates.
        seed, batch, data: what resuming needs to be the same; `data` is the data's fingerprint.
        best_epoch: the epoch whose weights are in `model.safetensors`.
        best, waited: the best score so far, and for how many epochs there has been no better one; see `early_stop`.
        levels: where the learning rates stand that a plateau cuts, by the name of their update.
    """

    epoch: int
    step: int
    seed: int
    batch: int | None
    data: str
    best_epoch: int = 0
    best: float | None = None
    waited: int = 0
    levels: Mapping[str, Level] = field(default_factory=dict[str, Level])


class Keeper:
    """Commits epochs of one state."""

    __slots__ = ("_best", "_committed", "_dirty", "_folder", "_state", "_trained", "_written", "progress")

    def __init__(
        self, state: State, folder: RunFolder | None, progress: Progress, best: Mapping[str, Array] | None = None
    ):
        """Nothing is committed yet, unless a training is resumed: then `state`, `progress` and `best` are its last epoch's."""
        self._state = state
        self._folder = folder
        self.progress = progress
        self._committed = state.copy(own_copy)  # written after every epoch, and no worker's affair
        self._best = {key: np.array(best[key] if best else value) for key, value in state.params.items()}
        weights = state.weights
        self._trained = tuple((self._best[key], weights[key]) for key in state.written)
        self._dirty = False
        self._written = 0.0

    @property
    def best(self) -> dict[str, Array]:
        """The weights of the best epoch by key; the first values if none is finished."""
        return self._best

    def commit(self, progress: Progress) -> None:
        """The state is that of a finished epoch. Keep it; write it if the last write is a while ago."""
        self._dirty = False  # half a copy must never be written
        self._committed.copy_from(self._state)
        if progress.best_epoch == progress.epoch:
            for kept, live in self._trained:
                np.copyto(kept, live)
        self.progress = progress
        self._dirty = True
        if monotonic() - self._written >= INTERVAL:
            self.flush()

    def flush(self) -> None:
        """Write the committed epoch, if it is not on disk yet.

        Raises:
            RuntimeFault: DL5023; the files that were there are untouched.
        """
        if not self._dirty or self._folder is None:
            return
        progress = asdict(self.progress)
        # The weights first: a resumed training redoes what `last` does not know, and writes these again.
        weights = {"epoch": self.progress.best_epoch, "seed": self.progress.seed}
        checkpoint.save(self._folder.model, WEIGHTS, self._best, weights)
        checkpoint.save(self._folder.last, TRAINING, self._committed.tensors(), progress)
        self._dirty = False
        self._written = monotonic()

    def restore(self) -> None:
        """Put the state back to the committed epoch."""
        self._state.copy_from(self._committed)


def resume_from(folder: RunFolder, state: State) -> tuple[Progress, dict[str, Array]]:
    """Read a run's last epoch into `state`; its progress and best weights.

    Raises:
        RuntimeFault: DL5020 to DL5022, or DL5024 if there is nothing to resume.
    """
    if not folder.last.exists():
        raise _nothing_to_resume(folder)
    saved = checkpoint.load(folder.last)
    checkpoint.require_fit(folder.last, saved.tensors, state.tensors(), "training")
    progress = _progress(folder, saved)
    best = checkpoint.load(folder.model).tensors
    checkpoint.require_fit(folder.model, best, state.params)
    state.assign(saved.tensors)
    return progress, dict(best)


def _nothing_to_resume(folder: RunFolder) -> RuntimeFault:
    if not folder.model.exists():
        reason, notes, mend = "no epoch was finished", [], "train without `--resume`"
    else:  # the disk was full after the weights, or the file was deleted
        reason = f"`{folder.last.name}` is not there"
        notes = [f"`{folder.model.name}` is: `eval`, `predict` and `export` can use these weights"]
        mend = "train again into another folder, or into this one with `--force` instead of `--resume`"
    return RuntimeFault("DL5024", f"there is nothing to resume: {reason}", str(folder.path), notes, mend)


def _progress(folder: RunFolder, saved: checkpoint.Checkpoint) -> Progress:
    match saved.facts:
        case {
            "epoch": int(epoch),
            "step": int(step),
            "seed": int(seed),
            "data": str(data),
            "best_epoch": int(best_epoch),
        }:
            batch, best, waited = (saved.facts.get(name) for name in ("batch", "best", "waited"))
        case _:
            raise _unclear(folder)
    levels = _levels(saved.facts.get("levels", {}))
    if not isinstance(batch, int | None) or not isinstance(best, float | int | None) or not isinstance(waited, int):
        raise _unclear(folder)
    if levels is None:
        raise _unclear(folder)
    return Progress(epoch, step, seed, batch, data, best_epoch, best, waited, levels)


def _unclear(folder: RunFolder) -> RuntimeFault:
    return RuntimeFault("DL5020", f"`{folder.last.name}` does not say where the training stands", str(folder.last))


def _levels(facts: object) -> dict[str, Level] | None:
    """Levels as a checkpoint has them; None where they are malformed."""
    if not isinstance(facts, dict):
        return None
    found: dict[str, Level] = {}
    for name, level in cast("dict[str, object]", facts).items():
        match level:
            case {
                "cuts": int(cuts),
                "best": float() | int() | None as best,
                "waited": int(waited),
                "cooling": int(cooling),
            }:
                found[name] = Level(cuts, best, waited, cooling)
            case _:
                return None
    return found
