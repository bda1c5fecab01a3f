"""The command that trains."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from dslc.cli.checking import split_name
from dslc.cli.options import common, imports, memory
from dslc.cli.output import INTERRUPTED, SIGNALLED, Output, reporting, tell


@click.command("train")
@click.argument("file")
@click.option("--set", "settings", multiple=True, metavar="PATH=VALUE", help="Override a setting or hyper-parameter.")
@click.option("--data", type=click.Path(path_type=Path), help="Read the data from this file or folder instead.")
@click.option("--out", type=click.Path(path_type=Path), help="The run folder; a new one under `runs/` by default.")
@click.option("--resume", is_flag=True, help="Go on after the last epoch saved in `--out`.")
@click.option("--force", is_flag=True, help="Replace the run that is in `--out`.")
@click.option("--epochs", type=click.IntRange(min=1), help="Instead of the program's number of epochs.")
@click.option("--seed", type=click.IntRange(min=0), help="Instead of the program's seed.")
@click.option("--threads", type=click.IntRange(min=1), help="Cores to use; chosen by the work of a step by default.")
@click.option(
    "--remat", is_flag=True, help="Compute cheap results again for the backward pass: less memory, same numbers."
)
@click.option(
    "--memory",
    "budget",
    callback=memory,
    metavar="SIZE",
    help="Take no more than this, such as 200MB; with `--remat` if it is needed.",
)
@click.option("--profile", "profiled", is_flag=True, help="Time every line of a step, and say what takes the time.")
@imports
@common
def train_command(
    file: str,
    settings: tuple[str, ...],
    data: Path | None,
    out: Path | None,
    resume: bool,
    force: bool,
    epochs: int | None,
    seed: int | None,
    threads: int | None,
    remat: bool,
    budget: int | None,
    profiled: bool,
    allowed: tuple[Path, ...],
    quiet: bool,
    error_format: str,
) -> None:
    """Train, and write a run folder: weights, history, report, and the program as it ran."""
    if resume and out is None:
        raise click.UsageError("`--resume` needs `--out`, the folder of the run to go on with")
    if resume and force:
        raise click.UsageError("give either `--resume` or `--force`")
    from dslc.backends.watch import Watch
    from dslc.cli.progress import TerminalProgress
    from dslc.driver.budget import within
    from dslc.driver.data import Opened
    from dslc.driver.faults import as_diagnostics
    from dslc.driver.frontend import check_program, read_source, recheck
    from dslc.driver.profiling import PROFILE, profile, table, watched, write_profile
    from dslc.driver.training import Prepared, choose_train, fit, prepare
    from dslc_runtime.observer import Silent

    with reporting(quiet, error_format) as output, as_diagnostics():
        path, name = split_name(file)
        checked = check_program(read_source(path), settings, data, allowed, about=name)
        name = choose_train(checked, name).name
        short = {"epochs": epochs, "seed": seed}
        more = [f"train.{name}.{key}={value}" for key, value in short.items() if value is not None]
        if more:
            checked = recheck(checked, more)
        output.diagnostics(checked.warnings)
        folder = out if out is not None else new_folder(Path("runs"), name)
        observer = Silent() if quiet else TerminalProgress()
        watches: list[Watch] = []

        def ready(prepared: Prepared, opened: Opened) -> Prepared:
            if budget is not None:
                prepared = within(prepared, opened, budget)
            if prepared.remat and not remat:
                output.note("cheap results are computed again for the backward pass, to fit in memory (`--remat`)")
            if profiled:
                prepared, found = watched(prepared)
                watches.extend(found)
            return prepared

        trained = fit(
            checked,
            prepare(choose_train(checked, name), start=not resume, remat=remat),
            out=folder,
            resume=resume,
            force=force,
            settings=settings,
            threads=threads,
            share=not profiled and budget is None,
            observer=observer,
            ready=ready,
            note=output.note,
        )
        asked, had = trained.prepared.typed.epochs, trained.result.progress.epoch
        if had > asked:
            output.note(f"nothing was trained: the run has {had} epochs already, and {asked} are asked for")
        if profiled:
            found = profile(trained, watches)
            write_profile(found, folder)
            output.note(f"{table(found)}\n\nall of it: {folder / PROFILE}")
        _report(output, folder, trained.result.history, trained.result.progress.best_epoch, asked)
        stop = trained.prepared.typed.early_stop
        if trained.result.stopped and stop is not None:
            output.note(
                f"stopped early, after epoch {had}: `{stop.on}` has not become better for {stop.patience}"
                f" epoch{'s' * (stop.patience > 1)}"
            )
        if trained.result.interrupted:
            done = len(trained.result.history)
            ended = trained.result.terminated
            said, status = ("stopped", SIGNALLED + ended) if ended is not None else ("interrupted", INTERRUPTED)
            tell(said + (f"; `--resume --out {folder}` goes on after epoch {done}" if done else ""))
            sys.exit(status)


def new_folder(parent: Path, name: str) -> Path:
    """`runs/name`, or `runs/name-2` and so on where that is taken: nothing is ever overwritten unasked."""
    folder, number = parent / name, 2
    while folder.exists():
        folder, number = parent / f"{name}-{number}", number + 1
    return folder


def _report(output: Output, folder: Path, history: list[dict[str, object]], best: int, asked: int) -> None:
    if not history:
        output.note("no epoch was finished; nothing is kept")
        return
    row = next((row for row in history if row["epoch"] == best), history[-1])
    hidden = ("epoch", "step", "seconds", "lr")
    figures = "  ".join(
        f"{k} {v:.4g}" for k, v in row.items() if k.rpartition(".")[2] not in hidden and isinstance(v, float)
    )
    output.outcome(f"epoch {row['epoch']} of {max(asked, len(history))} is kept: {figures}")
    output.outcome(f"run: {folder}")
