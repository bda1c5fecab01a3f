"""A train block -> a compiled job: programs of a step and of an evaluation, the state they share, and the run folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dslc.backends.interpret import evaluate as evaluate_graph
from dslc.backends.to_numpy import compile_numpy
from dslc.check.id_limits import id_limits
from dslc.check.inlining import inlined
from dslc.check.typed import TypedStep, TypedTrain
from dslc.diagnostics import Diagnostic, DslcError, Note
from dslc.driver.data import Opened, open_data
from dslc.driver.feeding import convert, feed_arrays
from dslc.driver.figures import figures_of, inference
from dslc.driver.frontend import Checked, check_program, folder_of, read_source
from dslc.driver.models import choose, initial_params
from dslc.driver.resuming import require_same_program
from dslc.passes import optimize
from dslc.training import GRADIENT, TrainingGraphs, gradient_graph, training_graphs
from dslc.version import __version__
from dslc_runtime.data.learned import digest
from dslc_runtime.early_stop import EarlyStop
from dslc_runtime.errors import RuntimeFault
from dslc_runtime.figures import Figures
from dslc_runtime.generated import NonFiniteError
from dslc_runtime.loop import TIDY_STEPS, Job, Result, Update
from dslc_runtime.loop import train as run_job
from dslc_runtime.observer import Observer
from dslc_runtime.plateau import Plateau
from dslc_runtime.program import Bound, Program
from dslc_runtime.report import write_report
from dslc_runtime.run_folder import RunFolder, create_run, machine, require_no_run, write_program
from dslc_runtime.schedules import Span, Stage, schedule, times
from dslc_runtime.state import State
from dslc_runtime.threads import default_threads, describe, limited

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A training that is compiled; no data is open.

    Attributes:
        typed: the train block.
        graphs: its steps before they were optimised, with the program's names in them.
        steps: the program of each step's update.
        inference: the program of what a batch contributes to all losses and metrics in inference mode.
        figures: how they come of it.
        state: parameters, buffers and slots at their first values; all programs run on it.
        gradients: the programs of losses with their gradients, by step, made when they are first asked for.
    """

    typed: TypedTrain
    graphs: TrainingGraphs
    steps: tuple[Program, ...]
    inference: Program
    figures: Figures
    state: State
    gradients: dict[int, Program] = field(default_factory=dict[int, Program])


@dataclass(frozen=True, slots=True)
class Trained:
    """A training that came to an end."""

    result: Result
    prepared: Prepared
    opened: Opened
    folder: RunFolder | None


def choose_train(checked: Checked, name: str | None) -> TypedTrain:
    """The one train block that is meant."""
    return checked.file.trains[choose("train block", list(checked.file.trains), name, checked.source.name)]


def prepare(typed: TypedTrain) -> Prepared:
    """Compile a train block and make its first state."""
    graphs = training_graphs(typed)
    state = State.of(initial_params(typed.params, typed.seed), graphs.groups, graphs.buffers)
    steps = tuple(compile_numpy(optimize(graph)) for graph in graphs.steps)
    graph, figures = inference(typed.inference)
    return Prepared(typed, graphs, steps, compile_numpy(graph), figures, state)


def train(
    checked: Checked,
    name: str | None = None,
    *,
    out: Path | None = None,
    resume: bool = False,
    force: bool = False,
    settings: Sequence[str] = (),
    threads: int | None = None,
    observer: Observer | None = None,
) -> Trained:
    """Compile a train block and train it; arguments as for `fit`."""
    prepared = prepare(choose_train(checked, name))
    return fit(
        checked,
        prepared,
        out=out,
        resume=resume,
        force=force,
        settings=settings,
        threads=threads,
        observer=observer,
    )


def fit(
    checked: Checked,
    prepared: Prepared,
    *,
    out: Path | None = None,
    resume: bool = False,
    force: bool = False,
    settings: Sequence[str] = (),
    threads: int | None = None,
    observer: Observer | None = None,
) -> Trained:
    """Train to the end, to Ctrl-C or to a fault, and write the run folder.

    Args:
        out: the run folder; None keeps everything in memory.
        resume: go on after the last epoch saved in `out`.
        force: replace the run that may be in `out`.
        settings: what `--set` changed: a run that is resumed takes it over, and must be equal in all else.
        threads: BLAS threads; None chooses by the work of a step, and so by the program alone.

    Raises:
        DslcError: the data does not fit the program.
        RuntimeFault: a file, the data or the numbers are at fault.
    """
    typed = prepared.typed
    if out is not None and not resume and not force:
        require_no_run(out)
    learned = None
    if out is not None and resume and RunFolder(out).config.exists():
        saved = check_program(read_source(RunFolder(out).config), settings)
        require_same_program(RunFolder(out), config_text(saved), config_text(checked))
        learned = RunFolder(out).read_learned()
    opened = open_data(checked, typed.data, typed.fields, id_limits(typed.inference.body), learned)
    used = threads if threads is not None else default_threads(_work(prepared, opened))
    folder = None
    about = facts(checked, prepared, opened, used)
    if out is not None:
        folder = RunFolder(out) if resume else create_run(out, config_text(checked), about, opened.learned)
    try:
        result = run_job(job(prepared, opened, used), folder, observer, resume)
    except RuntimeFault as fault:
        # Epochs before the numbers went wrong are kept, and were run by this program.
        if folder is not None and resume and fault.code in ("DL5030", "DL5031"):
            write_program(folder, config_text(checked), about)
        raise
    if folder is not None:
        if resume and result.progress.epoch <= typed.epochs:  # else all of it was trained before, by another program
            write_program(folder, config_text(checked), about)
        write_report(folder, typed.name, result.history, result.progress.best_epoch, about)
    return Trained(result, prepared, opened, folder)


def _work(prepared: Prepared, opened: Opened) -> float:
    """Multiply-adds of one step, about: each weight meets each row forward, and twice more backward."""
    rows = prepared.typed.batch or len(opened.part("train"))
    return 3.0 * rows * sum(group.layout.size for group in prepared.graphs.groups)


def choose_step(prepared: Prepared, name: str | None) -> int:
    """Which step of a train block is meant; a name is needed where there are several.

    Raises:
        DslcError: there is none of that name (DL0053), or there are several and none was named (DL0054).
    """
    typed = prepared.typed
    names = [step.name for step in typed.steps]
    return 0 if names == [""] and name is None else names.index(choose("step", names, name, typed.name))


def gradients(
    prepared: Prepared, batch: Mapping[str, npt.ArrayLike], number: int, step: str | None = None
) -> tuple[float, dict[str, Array]]:
    """The loss of a step on a batch and its gradient by key, in training mode, with the random tensors of step `number`."""
    chosen = choose_step(prepared, step)
    if chosen not in prepared.gradients:
        graph = gradient_graph(prepared.typed, prepared.typed.steps[chosen])
        prepared.gradients[chosen] = compile_numpy(optimize(graph))
    program = prepared.gradients[chosen]
    bound = _fed(prepared, program, batch, prepared.state.params)
    for draw in bound.drawing(prepared.typed.seed):
        draw(number)
    bound.run()
    found = {
        name.removeprefix(GRADIENT): value.copy() for name, value in bound.outputs.items() if name.startswith(GRADIENT)
    }
    return float(bound.outputs["loss"]), found


def one_step(
    prepared: Prepared, batch: Mapping[str, npt.ArrayLike], number: int, per_epoch: Callable[[], int]
) -> dict[str, float]:
    """One update of each step in turn; losses and metrics of the batch before it.

    Args:
        per_epoch: how many steps an epoch has, for learning rates that depend on it.

    Raises:
        DslcError: an array does not fit (DL5040), or a loss is not finite (DL5030); nothing was updated by any step.
    """
    before = prepared.state.copy() if len(prepared.steps) > 1 else None
    try:
        return _updated(prepared, batch, number, per_epoch)
    except DslcError:
        if before is not None:
            prepared.state.copy_from(before)
        raise


def _updated(
    prepared: Prepared, batch: Mapping[str, npt.ArrayLike], number: int, per_epoch: Callable[[], int]
) -> dict[str, float]:
    """As `one_step`, but steps before one whose loss is not finite have updated what they update."""
    found: dict[str, float] = {}
    for position, step in enumerate(prepared.typed.steps):
        bound = _fed(prepared, prepared.steps[position], batch, prepared.state.for_training)
        for draw in bound.drawing(prepared.typed.seed):
            draw(number)
        timed = any(
            length.unit == "epochs" for stage in step.optimizer.lr for length in (stage.length, stage.every) if length
        )
        scalars = {"lr": rate(step, per_epoch() if timed else 1)(number), "step": float(number)}
        try:
            bound.run(**{name: scalars[name] for name in bound.scalars})
        except NonFiniteError as error:
            given = {**bound.inputs, **{spec.stream: drawn for spec, drawn in bound.draws}}
            culprit = diagnosis(prepared, position)(given, number)
            notes = (Note(f"the first value that is not finite is {culprit}"),) if culprit else ()
            raise DslcError([Diagnostic("DL5030", f"the loss is not finite at step {number}", (), notes)]) from error
        figures = figures_of(prepared.graphs.figures[position]).finish(bound.outputs)
        found |= {prepared.typed.called(step, name): value for name, value in figures.items()}
    if number % TIDY_STEPS == 0:
        prepared.state.drop_tiny()
    return found


def _fed(prepared: Prepared, program: Program, batch: Mapping[str, npt.ArrayLike], state: Mapping[str, Array]) -> Bound:
    """A step's program with its part of a batch in its inputs; every step is given the fields of all."""
    if len(prepared.steps) == 1:
        return feed_arrays(program, batch, state)
    specs = {name: spec for each in prepared.steps for name, spec in each.inputs.items()}
    arrays = convert(specs, batch)
    rows = next((len(array) for array in arrays.values() if array.ndim), 1)
    return feed_arrays(program, {name: arrays[name] for name in program.inputs}, state, rows)


def rate(step: TypedStep, per_epoch: int, cuts: int = 0) -> Callable[[int], float]:
    """The learning rate of a step, by the number of the update, counted from 1, after so many cuts by a plateau."""
    return schedule(_stages(step), per_epoch, cuts)


def plateau(step: TypedStep, per_epoch: int) -> Plateau | None:
    """What cuts the learning rate of a step, if anything does."""
    for stage, (begin, end) in zip(step.optimizer.lr, times(_stages(step), per_epoch), strict=True):
        if stage.watched is not None:
            return Plateau(
                stage.watched.on,
                stage.watched.lower,
                int(stage.options["patience"]),
                stage.options["threshold"],
                bool(stage.options["relative"]),
                int(stage.options["cooldown"]),
                begin,
                end,
                partial(rate, step, per_epoch),
            )
    return None


def _stages(step: TypedStep) -> list[Stage]:
    """The schedule of a step as the runtime has it."""
    return [
        Stage(
            stage.kind,
            Span(stage.length.amount, stage.length.unit) if stage.length is not None else None,
            Span(stage.every.amount, stage.every.unit) if stage.every is not None else None,
            stage.start,
            stage.options,
        )
        for stage in step.optimizer.lr
    ]


def steps_per_epoch(typed: TypedTrain, opened: Opened) -> int:
    """How many updates an epoch has; its last batch may be short."""
    rows = max(len(opened.part("train")), 1)
    return -(-rows // min(typed.batch or rows, rows))


def job(prepared: Prepared, opened: Opened, threads: int | None) -> Job:
    """The runtime's view of a training."""
    typed = prepared.typed
    per_epoch = steps_per_epoch(typed, opened)
    updates = tuple(
        Update(
            step.name,
            program,
            rate(step, per_epoch),
            diagnosis(prepared, position),
            plateau(step, per_epoch),
            figures_of(prepared.graphs.figures[position]),
        )
        for position, (step, program) in enumerate(zip(typed.steps, prepared.steps, strict=True))
    )
    stop = typed.early_stop
    return Job(
        updates,
        prepared.inference,
        prepared.state,
        opened.part("train"),
        opened.parts.get("val"),
        typed.batch,
        typed.epochs,
        typed.seed,
        threads,
        opened.fingerprint,
        EarlyStop(stop.on, stop.patience, stop.min_delta, stop.lower, stop.restore_best) if stop is not None else None,
        prepared.figures,
    )


def config_text(checked: Checked) -> str:
    """The program as it ran in one text: overrides are in it already, imports too, data paths become absolute."""
    return inlined(checked.unit, folder_of)


def facts(checked: Checked, prepared: Prepared, opened: Opened, threads: int | None) -> dict[str, Any]:
    """What `run.json` says of a training."""
    with limited(threads):
        blas = describe()
    return {
        "dslc": __version__,
        "train": prepared.typed.name,
        "engine": "numpy",
        "device": "cpu",
        "seed": prepared.typed.seed,
        "threads": threads,
        "blas": blas,
        "source": checked.source.name,
        "source_sha256": sha256(checked.source.text.encode()).hexdigest(),
        "data": opened.fingerprint,
        "fields": digest(opened.learned),
        "machine": machine(),
    }


def diagnosis(prepared: Prepared, position: int) -> Callable[[Mapping[str, Array], int], str]:
    """Finds the first value that is not finite when a step's loss is not: it is run again by the slow interpreter."""

    own = prepared.typed.span.source  # a line of the library would say nothing to the user

    def diagnose(given: Mapping[str, Array], step: int) -> str:
        graph, state = prepared.graphs.steps[position], prepared.state
        bad = state.non_finite()
        if bad:
            return f"parameter `{bad}`"
        feeds = {**given, **state.for_training, "lr": np.array(0.0), "step": np.array(float(step))}
        with np.errstate(all="ignore"):
            values = evaluate_graph(graph, feeds)
        for node in graph.order():
            if node.name and node.out.dtype.is_float and not np.isfinite(values[node.id]).all():
                span = node.span if node.span is not None and node.span.source is own else None
                place = f" (line {span.line})" if span is not None else ""
                return f"`{node.name}`{place}"
        return ""

    return diagnose
