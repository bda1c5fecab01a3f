"""The training loop: compiled updates, their data and state -> a trained state, a history and a run folder.

It knows no layers, losses or optimizers; an update is ``fill the inputs, run``, and every batch goes through all of them in
order. Where updates take the gradient of several batches, the last one of an epoch takes that of those that are left, so that an
epoch ends with nothing summed up. What it guarantees:

- the order of the data is a function of (seed, epoch), every random tensor one of (seed, stream, number of the batch): resuming
  after an epoch gives the bytes that running through would have given;
- whatever ends it (Ctrl-C, SIGTERM, SIGHUP, a loss that is not finite, a full disk), the last finished epoch is kept, in `state`
  and on disk.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from dslc_runtime.data.parts import Part, Rows
from dslc_runtime.early_stop import EarlyStop, advance, is_over
from dslc_runtime.engine import Program
from dslc_runtime.errors import RuntimeFault
from dslc_runtime.evaluate import evaluate, program_run
from dslc_runtime.figures import ALL_MEANS, Figures, Totals
from dslc_runtime.generated import NonFiniteError
from dslc_runtime.history import History, Row, read_history
from dslc_runtime.interrupts import Stop, interruptible
from dslc_runtime.keeper import Keeper, Progress, resume_from
from dslc_runtime.observer import Observer, Silent
from dslc_runtime.plateau import Level
from dslc_runtime.plateau import advance as advance_level
from dslc_runtime.random import permutation
from dslc_runtime.run_folder import RunFolder
from dslc_runtime.state import State
from dslc_runtime.threads import limited
from dslc_runtime.updates import BoundUpdates, Update

Array: TypeAlias = npt.NDArray[Any]

_REPORT_SECONDS = 0.1
TIDY_STEPS = 64  # between two clearings of tiny moments; a function of the step, so that resuming changes nothing


@dataclass(frozen=True, slots=True)
class Job:
    """A training that is compiled and has its data, but has not run.

    Attributes:
        updates: run in this order for every batch; each sees what those before it wrote.
        inference: what the same losses and metrics need in inference mode, from the parameters by key.
        state: the memory all of them run on.
        train, val: the data.
        batch: rows at a time, None for all of them (then their order is left alone).
        accumulate: how many batches make an update; then each update has an `apply`.
        threads: of linear algebra; None leaves the setting as it is.
        data: the data's fingerprint.
        figures: how losses and metrics come of what `inference` puts out.
        early_stop: when to end before the last epoch, and which epoch is the best; None keeps the last.
        in_steps: the threads of linear algebra in an epoch, where updates use the other cores in their own way.
    """

    updates: tuple[Update, ...]
    inference: Program
    state: State
    train: Part
    val: Part | None
    batch: int | None
    epochs: int
    seed: int
    threads: int | None = None
    data: str = ""
    early_stop: EarlyStop | None = None
    figures: Figures = ALL_MEANS
    accumulate: int = 1
    in_steps: int | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a training.

    Attributes:
        history: one row per finished epoch: epoch, step, loss, metrics, `val.*`, seconds, lr.
        progress: the last finished epoch and the best one.
        best: the weights of the best epoch by key; `state` of the job holds the last epoch's.
        interrupted: whether Ctrl-C or a signal ended it.
        terminated: the signal, where it was not Ctrl-C.
        stopped: whether `early_stop` ended it.
    """

    history: list[Row]
    progress: Progress
    best: Mapping[str, Array]
    interrupted: bool
    stopped: bool
    terminated: signal.Signals | None = None

    def raise_if_interrupted(self) -> None:
        """Hand on what interrupted the training, now that all is saved.

        Raises:
            KeyboardInterrupt: it was Ctrl-C. Another signal ends the process.
        """
        if self.terminated:
            signal.signal(self.terminated, signal.SIG_DFL)  # it asked because nobody else handled it
            signal.raise_signal(self.terminated)
        if self.interrupted:
            raise KeyboardInterrupt


def train(
    job: Job,
    out: RunFolder | None = None,
    observer: Observer | None = None,
    resume: bool = False,
    begin: Callable[[int], None] | None = None,
) -> Result:
    """Run a job to its end, to Ctrl-C or a signal, or to a fault. `job.state` is written in place.

    Args:
        out: the folder to save to; None keeps everything in memory.
        resume: go on after the last epoch saved in `out`.
        begin: is given the number of the first epoch right before it runs, if there is one to run: resuming has been allowed.

    Raises:
        RuntimeFault: DL5030 the loss or DL5031 a parameter is not finite, DL5023 the folder cannot be written, DL5008
            there are no rows, and what resuming finds (DL5020 to DL5025). The last finished epoch is kept.
    """
    if len(job.train) == 0:
        raise RuntimeFault("DL5008", "there is nothing to train on: the data have no rows")
    keeper, history = _begin(job, out, resume)
    watcher = observer if observer is not None else Silent()
    interrupted, stop = False, Stop()
    try:
        if begin is not None and keeper.progress.epoch < job.epochs and not is_over(keeper.progress, job.early_stop):
            begin(keeper.progress.epoch + 1)
        with limited(job.threads), np.errstate(all="ignore"), interruptible() as stop:
            _epochs(_Session(job, keeper, history, watcher, stop))
    except KeyboardInterrupt:
        interrupted = True
    except RuntimeFault as fault:
        done = keeper.progress.epoch
        if out is not None and done:
            fault.notes += (f"`dslc train {out.config} --resume --out {out.path}` goes on after epoch {done}",)
        raise
    finally:
        keeper.restore()
        history.close()
        keeper.flush()
    watcher.on_end(interrupted)
    over = is_over(keeper.progress, job.early_stop)
    terminated = stop.asked if interrupted and stop.asked is not signal.SIGINT else None
    return Result(history.rows, keeper.progress, keeper.best, interrupted, over, terminated)


def _begin(job: Job, out: RunFolder | None, resume: bool) -> tuple[Keeper, History]:
    start = Progress(0, 0, job.seed, job.batch, job.data)
    if out is None or not resume:
        return Keeper(job.state, out, start), History(out.history if out else None)
    progress, best = resume_from(out, job.state)
    differing = [
        (f"{name} was {before} and is {now}", mend)
        for name, before, now, mend in (
            ("the seed", progress.seed, job.seed, f"`--seed {progress.seed}`"),
            ("the batch size", progress.batch, job.batch, f"`--set batch={progress.batch or 'all'}`"),
            ("the data's fingerprint", progress.data, job.data, "its data"),
        )
        if before != now
    ]
    if differing:
        notes, mends = zip(*differing, strict=True)
        mend = f"go on as the run began: with {', '.join(mends)}"
        raise RuntimeFault("DL5025", "the run was trained with other settings", str(out.path), notes, mend)
    rows = [row for row in read_history(out.history) if row["epoch"] <= progress.epoch]
    return Keeper(job.state, out, progress, best), History(out.history, rows)


@dataclass(slots=True)
class _Session:
    """A job under way.

    Attributes:
        step, batches: finished updates, and batches that were run.
        pending, rows: the batches since the last update, and how many rows they had.
    """

    job: Job
    keeper: Keeper
    history: History
    watcher: Observer
    stop: Stop
    bindings: dict[int, BoundUpdates] = field(default_factory=dict[int, BoundUpdates])
    step: int = 0
    batches: int = 0
    pending: int = 0
    rows: int = 0

    def bound(self, batch: int) -> BoundUpdates:
        """All updates bound for a batch size."""
        if batch not in self.bindings:
            job, levels = self.job, self.keeper.progress.levels
            self.bindings[batch] = BoundUpdates.of(job.updates, job.state, job.train.fields, batch, job.seed, levels)
        return self.bindings[batch]

    def finish(self, epoch: int, row: Row) -> None:
        """Commit an epoch whose figures are known."""
        job, before = self.job, self.keeper.progress
        levels = {
            update.name: advance_level(before.levels.get(update.name, Level()), rule, self.step, float(row[rule.on]))
            for update in job.updates
            if (rule := update.plateau) is not None
        }
        if any(level.cuts != before.levels.get(name, Level()).cuts for name, level in levels.items()):
            self.bindings.clear()  # they hold the rates
        watched = row.get(job.early_stop.on) if job.early_stop is not None else None
        after = advance(before, epoch, self.step, job.early_stop, watched)
        self.keeper.commit(replace(after, levels=levels))


def _epochs(session: _Session) -> None:
    job, progress = session.job, session.keeper.progress
    session.step = progress.step
    n = len(job.train)
    batch = min(job.batch or n, n)
    session.batches = progress.epoch * -(-n // batch)
    score = program_run(job.inference, job.state.weights, job.seed)
    session.watcher.on_start(progress.epoch + 1, job.epochs, -(-n // batch))
    for epoch in range(progress.epoch + 1, job.epochs + 1):
        if is_over(session.keeper.progress, job.early_stop):
            return
        started = perf_counter()
        with limited(job.in_steps):
            means = _epoch(session, epoch, batch)
            bad = job.state.non_finite()
            if bad:
                raise _bad_parameter(bad, epoch)
            scores = evaluate(score, job.val, batch, job.figures) if job.val is not None else {}
        row: Row = {"epoch": epoch, "step": session.step, **means}
        row |= {f"val.{name}": value for name, value in scores.items()}
        levels = session.keeper.progress.levels
        row |= {u.called("lr"): u.rate_at(levels.get(u.name))(session.step) for u in job.updates}
        row["seconds"] = round(perf_counter() - started, 6)
        session.history.append(row)
        session.finish(epoch, row)
        session.watcher.on_epoch(row)
        if session.stop.asked:
            raise KeyboardInterrupt


def _epoch(session: _Session, epoch: int, batch: int) -> dict[str, float]:
    """Run every batch once; the means of loss and metrics over the rows."""
    job, n = session.job, len(session.job.train)
    rows = _order(job, epoch, batch)
    whole = n - n % batch
    totals = [Totals(update.figures) for update in job.updates]
    _steps(session, epoch, rows[:whole], batch, totals, ends=whole == n)
    if whole < n:
        _steps(session, epoch, rows[whole:], n - whole, totals, ends=True)
    return {
        update.called(name): value
        for update, total in zip(job.updates, totals, strict=True)
        for name, value in total.result(n).items()
    }


def _order(job: Job, epoch: int, batch: int) -> Rows:
    n, rows = len(job.train), job.train.rows
    if batch == n:
        return np.arange(n) if rows is None else rows
    order = permutation(n, job.seed, "shuffle", step=epoch)
    return order if rows is None else rows[order]


def _steps(session: _Session, epoch: int, rows: Rows, batch: int, totals: Sequence[Totals], ends: bool) -> None:
    """Run the batches of `rows`, all of one size, and add what they report to the totals of each update.

    Args:
        ends: whether these are the last ones of the epoch.
    """
    job, stop, watcher = session.job, session.stop, session.watcher
    bound = session.bound(batch)
    runs, places = bound.runs, bound.places
    sums = [0.0] * len(places)
    step, number, pending, gathered = session.step + 1, session.batches, session.pending, session.rows
    report_at = perf_counter() + _REPORT_SECONDS
    for start in range(0, len(rows), batch):
        if stop.asked:
            raise KeyboardInterrupt
        number, pending, gathered = number + 1, pending + 1, gathered + batch
        due = pending == job.accumulate or (ends and start + batch == len(rows))
        some = rows[start : start + batch]
        for fill, run, numbers, apply in runs:
            fill(some, number)
            try:
                run(*[of(step) for of in numbers])
            except NonFiniteError as error:
                raise _bad_loss(bound, run, epoch, step) from error
            if due and apply is not None:
                apply(step, gathered)
        for i, value in places:
            sums[i] += float(value)
        for at, name, value in bound.others:
            totals[at].keep(name, value)
        if due:
            if step % TIDY_STEPS == 0:
                job.state.drop_tiny()
            step, pending, gathered = step + 1, 0, 0
        if perf_counter() >= report_at:
            done = start // batch + 1
            watcher.on_step(epoch, done, sums[bound.loss] / done)
            report_at = perf_counter() + _REPORT_SECONDS
    session.step, session.batches, session.pending, session.rows = step - 1, number, pending, gathered
    for (at, name), total in zip(bound.names, sums, strict=True):
        totals[at].count(name, total * batch)


def _bad_loss(bound: BoundUpdates, run: Callable[..., None], epoch: int, step: int) -> RuntimeFault:
    update, ready = next((update, ready) for update, ready in bound.feeds if ready.bound.step is run)
    draws = {spec.stream: drawn for spec, drawn in ready.bound.draws}
    culprit = update.diagnose({**ready.bound.inputs, **draws}, step)
    notes = [f"the first value that is not finite is {culprit}"] if culprit else []
    loss = f"the loss of `{update.name}`" if update.name else "the loss"
    return RuntimeFault(
        "DL5030",
        f"{loss} is not finite at step {step} (epoch {epoch})",
        notes=[*notes, _kept(epoch)],
        help="lower the learning rate, or look for a log, a division or an exp that can overflow",
    )


def _bad_parameter(key: str, epoch: int) -> RuntimeFault:
    return RuntimeFault(
        "DL5031", f"`{key}` is not finite after epoch {epoch}", notes=[_kept(epoch)], help="lower the learning rate"
    )


def _kept(epoch: int) -> str:
    return f"the weights of epoch {epoch - 1} are kept" if epoch > 1 else "no epoch was finished, so nothing is saved"
