"""The training loop: a compiled step, its data and its state -> a trained state, a history and a run folder.

It knows no layers, losses or optimizers; a step is ``fill the inputs, run``. What it guarantees:

- the order of the data is a function of (seed, epoch), every random tensor one of (seed, stream, step): resuming after an
  epoch gives the bytes that running through would have given;
- whatever stops it (Ctrl-C, a loss that is not finite, a full disk), the last finished epoch is kept, in `state` and on disk.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import perf_counter
from types import FrameType
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from dslc_runtime.data.parts import Part, Rows
from dslc_runtime.engine import Feed, Program, feed
from dslc_runtime.errors import RuntimeFault
from dslc_runtime.evaluate import evaluate, program_run
from dslc_runtime.history import History, Row, read_history
from dslc_runtime.keeper import Keeper, Progress, resume_from
from dslc_runtime.observer import Observer, Silent
from dslc_runtime.program import NonFiniteError
from dslc_runtime.random import permutation
from dslc_runtime.run_folder import RunFolder
from dslc_runtime.state import State
from dslc_runtime.threads import limited

Array: TypeAlias = npt.NDArray[Any]

_REPORT_SECONDS = 0.1
TIDY_STEPS = 64  # between two clearings of tiny moments; a function of the step, so that resuming changes nothing


def _no_diagnosis(inputs: Mapping[str, Array], step: int) -> str:
    del inputs, step
    return ""


@dataclass(frozen=True, slots=True)
class Job:
    """A training that is compiled and has its data, but has not run.

    Attributes:
        training: one step; outputs `loss` and metrics, updates the arenas; its scalars are among `lr` and `step`.
        inference: `loss` and the same metrics in inference mode, from the parameters by key.
        state: the memory both run on.
        train, val: the data.
        batch: rows per step, None for all of them (then their order is left alone).
        rate: the learning rate of a step, counted from 1.
        diagnose: (what the failing step was given, step) -> the first value in the network that is not finite, in words, or
            "". Given are the inputs by name and the random tensors by stream.
        threads: BLAS threads to use; None leaves the setting as it is.
        data: the data's fingerprint.
        best_by: the quantity of a row of the history ("val.loss") whose lowest value marks the best epoch; "" keeps the last.
    """

    training: Program
    inference: Program
    state: State
    train: Part
    val: Part | None
    batch: int | None
    epochs: int
    seed: int
    rate: Callable[[int], float]
    diagnose: Callable[[Mapping[str, Array], int], str] = _no_diagnosis
    threads: int | None = None
    data: str = ""
    best_by: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a training.

    Attributes:
        history: one row per finished epoch: epoch, step, loss, metrics, `val.*`, seconds, lr.
        progress: the last finished epoch and the best one.
        best: the weights of the best epoch by key; `state` of the job holds the last epoch's.
        interrupted: whether Ctrl-C ended it early.
    """

    history: list[Row]
    progress: Progress
    best: Mapping[str, Array]
    interrupted: bool


def train(job: Job, out: RunFolder | None = None, observer: Observer | None = None, resume: bool = False) -> Result:
    """Run a job to its end, to Ctrl-C, or to a fault. `job.state` is written in place.

    Args:
        out: the folder to save to; None keeps everything in memory.
        resume: go on after the last epoch saved in `out`.

    Raises:
        RuntimeFault: DL5030 the loss or DL5031 a parameter is not finite, DL5023 the folder cannot be written, DL5008
            there are no rows, and what resuming finds (DL5020 to DL5025). The last finished epoch is kept.
    """
    if len(job.train) == 0:
        raise RuntimeFault("DL5008", "there is nothing to train on: the data have no rows")
    keeper, history = _begin(job, out, resume)
    watcher = observer if observer is not None else Silent()
    interrupted = False
    try:
        with limited(job.threads), np.errstate(all="ignore"), _interruptible() as stop:
            _epochs(_Session(job, keeper, history, watcher, stop))
    except KeyboardInterrupt:
        interrupted = True
    finally:
        keeper.restore()
        history.close()
        keeper.flush()
    watcher.on_end(interrupted)
    return Result(history.rows, keeper.progress, keeper.best, interrupted)


def _begin(job: Job, out: RunFolder | None, resume: bool) -> tuple[Keeper, History]:
    start = Progress(0, 0, job.seed, job.batch, job.data)
    if out is None or not resume:
        return Keeper(job.state, out, start), History(out.history if out else None)
    progress, best = resume_from(out, job.state)
    notes = [
        f"{name} was {before} and is {now}"
        for name, before, now in (
            ("the seed", progress.seed, job.seed),
            ("the batch size", progress.batch, job.batch),
            ("the data's fingerprint", progress.data, job.data),
        )
        if before != now
    ]
    if notes:
        raise RuntimeFault("DL5025", "the run was trained with other settings", str(out.path), notes)
    rows = [row for row in read_history(out.history) if row["epoch"] <= progress.epoch]
    return Keeper(job.state, out, progress, best), History(out.history, rows)


@dataclass(slots=True)
class _Stop:
    """Set by Ctrl-C; the loop looks at it between steps, so that no step or commit is cut in half."""

    asked: bool = False


@contextmanager
def _interruptible() -> Generator[_Stop]:
    """The first Ctrl-C asks the loop to stop, the second one interrupts at once. Outside the main thread, nothing changes."""
    stop = _Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = signal.getsignal(signal.SIGINT)

    def ask(number: int, frame: FrameType | None) -> None:
        del number, frame
        stop.asked = True
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, ask)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


@dataclass(slots=True)
class _Session:
    """A job under way."""

    job: Job
    keeper: Keeper
    history: History
    watcher: Observer
    stop: _Stop
    feeds: dict[int, Feed] = field(default_factory=dict[int, Feed])
    step: int = 0

    def feed(self, batch: int) -> Feed:
        """The training step bound for a batch size."""
        if batch not in self.feeds:
            job = self.job
            self.feeds[batch] = feed(job.training, job.state.for_training, job.train.fields, batch, job.seed)
        return self.feeds[batch]


def _epochs(session: _Session) -> None:
    job, progress = session.job, session.keeper.progress
    session.step = progress.step
    n = len(job.train)
    batch = min(job.batch or n, n)
    score = program_run(job.inference, job.state.params, job.seed)
    session.watcher.on_start(progress.epoch + 1, job.epochs, -(-n // batch))
    for epoch in range(progress.epoch + 1, job.epochs + 1):
        started = perf_counter()
        means = _epoch(session, epoch, batch)
        bad = job.state.non_finite()
        if bad:
            raise _bad_parameter(bad, epoch)
        row: Row = {"epoch": epoch, "step": session.step, **means}
        if job.val is not None:
            scores = evaluate(score, job.val, batch)
            row |= {f"val.{name}": value for name, value in scores.items()}
        row |= {"lr": job.rate(session.step), "seconds": round(perf_counter() - started, 6)}
        session.history.append(row)
        session.keeper.commit(_advance(session.keeper.progress, epoch, session.step, row.get(job.best_by)))
        session.watcher.on_epoch(row)
        if session.stop.asked:
            raise KeyboardInterrupt


def _advance(before: Progress, epoch: int, step: int, score: float | None) -> Progress:
    """Progress after an epoch: it is the best one if there is nothing to compare, or its score is lower."""
    if score is None:
        return replace(before, epoch=epoch, step=step, best_epoch=epoch)
    if before.best is None or score < before.best:
        best = score if np.isfinite(score) else None
        return replace(before, epoch=epoch, step=step, best_epoch=epoch, best=best)
    return replace(before, epoch=epoch, step=step)


def _epoch(session: _Session, epoch: int, batch: int) -> dict[str, float]:
    """Run every batch once; the means of loss and metrics over the rows."""
    job, n = session.job, len(session.job.train)
    rows = _order(job, epoch, batch)
    whole = n - n % batch
    sums: dict[str, float] = {}
    _steps(session, epoch, rows[:whole], batch, sums)
    if whole < n:
        _steps(session, epoch, rows[whole:], n - whole, sums)
    return {name: total / n for name, total in sums.items()}


def _order(job: Job, epoch: int, batch: int) -> Rows:
    n, rows = len(job.train), job.train.rows
    if batch == n:
        return np.arange(n) if rows is None else rows
    order = permutation(n, job.seed, "shuffle", step=epoch)
    return order if rows is None else rows[order]


def _steps(session: _Session, epoch: int, rows: Rows, batch: int, sums: dict[str, float]) -> None:
    """Run the batches of `rows`, all of one size, and add their loss and metrics to `sums`, weighted by that size."""
    job, stop, watcher = session.job, session.stop, session.watcher
    ready = session.feed(batch)
    fill, run = ready.fill, ready.bound.step
    numbers: dict[str, Callable[[int], float]] = {"lr": job.rate, "step": float}
    scalars = [numbers[name] for name in ready.bound.scalars]
    outputs = tuple(ready.bound.outputs.items())
    totals = [0.0] * len(outputs)
    places = tuple((i, value) for i, (_, value) in enumerate(outputs))
    loss_at = next(i for i, (name, _) in enumerate(outputs) if name == "loss")
    step = session.step
    report_at = perf_counter() + _REPORT_SECONDS
    for start in range(0, len(rows), batch):
        if stop.asked:
            raise KeyboardInterrupt
        step += 1
        fill(rows[start : start + batch], step)
        try:
            run(*[number(step) for number in scalars])
        except NonFiniteError as error:
            raise _bad_loss(session, ready, epoch, step) from error
        for i, value in places:
            totals[i] += float(value)
        if step % TIDY_STEPS == 0:
            job.state.drop_tiny()
        if perf_counter() >= report_at:
            done = start // batch + 1
            watcher.on_step(epoch, done, totals[loss_at] / done)
            report_at = perf_counter() + _REPORT_SECONDS
    session.step = step
    for (name, _), total in zip(outputs, totals, strict=True):
        sums[name] = sums.get(name, 0.0) + total * batch


def _bad_loss(session: _Session, ready: Feed, epoch: int, step: int) -> RuntimeFault:
    draws = {spec.stream: drawn for spec, drawn in ready.bound.draws}
    culprit = session.job.diagnose({**ready.bound.inputs, **draws}, step)
    notes = [f"the first value that is not finite is {culprit}"] if culprit else []
    return RuntimeFault(
        "DL5030",
        f"the loss is not finite at step {step} (epoch {epoch})",
        notes=[*notes, _kept(epoch)],
        help="lower the learning rate, or look for a log, a division or an exp that can overflow",
    )


def _bad_parameter(key: str, epoch: int) -> RuntimeFault:
    return RuntimeFault(
        "DL5031", f"`{key}` is not finite after epoch {epoch}", notes=[_kept(epoch)], help="lower the learning rate"
    )


def _kept(epoch: int) -> str:
    return f"the weights of epoch {epoch - 1} are kept" if epoch > 1 else "no epoch was finished, so nothing is saved"
