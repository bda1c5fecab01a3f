"""A train block -> a compiled job: programs of a step and of an evaluation, the state they share, and the run folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dslc.backends.interpret import evaluate as evaluate_graph
from dslc.backends.to_numpy import compile_numpy
from dslc.check.id_limits import id_limits
from dslc.check.typed import TypedTrain
from dslc.driver.data import Opened, open_data
from dslc.driver.figures import figures_of, inference
from dslc.driver.frontend import Checked
from dslc.driver.models import choose, initial_params, of_another_kind
from dslc.driver.programs import Programs
from dslc.driver.rates import kept_of, plateau, rate
from dslc.driver.recording import facts, learned_before, recorded
from dslc.driver.resuming import config_text
from dslc.driver.sharing import Cores, cores_for, evaluation_shared_out, shared_out
from dslc.driver.starting import start_from
from dslc.graph import Graph
from dslc.passes import optimize
from dslc.training import TrainingGraphs, training_graphs
from dslc_runtime import engine
from dslc_runtime.early_stop import EarlyStop
from dslc_runtime.figures import Figures
from dslc_runtime.loop import Job, Result
from dslc_runtime.loop import train as run_job
from dslc_runtime.observer import Observer
from dslc_runtime.program import Program
from dslc_runtime.run_folder import RunFolder, require_no_run
from dslc_runtime.state import State
from dslc_runtime.updates import Update

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A training that is compiled; no data is open.

    Attributes:
        typed: the train block.
        graphs: its steps before they were optimised, with the program's names in them.
        steps: what each step does with a batch; compiled when it is first asked for.
        applied: where batches are accumulated, what updates after the last of them, step by step; likewise.
        evaluation: the graph of what a batch contributes to all losses and metrics in inference mode, as it was lowered.
        inference: its program.
        figures: how they come of it.
        state: parameters, buffers and slots at their first values; all programs run on it.
        gradients: the programs of losses with their gradients, by step, made when they are first asked for.
        started: the weights that models started from, for `run.json`.
        remat: whether steps compute cheap results of the forward pass again for the backward pass, instead of keeping them.
    """

    typed: TypedTrain
    graphs: TrainingGraphs
    steps: Sequence[Program]
    applied: Sequence[Program]
    evaluation: Graph
    inference: Program
    figures: Figures
    state: State
    gradients: dict[int, Program] = field(default_factory=dict[int, Program])
    started: tuple[Mapping[str, Any], ...] = ()
    remat: bool = False


@dataclass(frozen=True, slots=True)
class Trained:
    """A training that came to an end."""

    result: Result
    prepared: Prepared
    opened: Opened
    folder: RunFolder | None
    cores: Cores


def choose_train(
    checked: Checked, name: str | None, hint: str = "", naming: Callable[[str], str] | None = None
) -> TypedTrain:
    """The one train block that is meant; `hint` is told of a name that the program declares as something else.

    `naming` is as for `choose`.
    """
    names, otherwise = list(checked.file.trains), of_another_kind(checked, name, hint)
    return checked.file.trains[choose("train block", names, name, checked.source.name, otherwise, naming)]


def prepare(typed: TypedTrain, *, start: bool = True, remat: bool = False) -> Prepared:
    """Compile a train block and make its first state.

    Args:
        start: whether models start from the weights that the program names, rather than all from first values: a training that is
            resumed, and one that is only looked at, need none.
        remat: take less memory for a little more work; what is computed is the same, to the last bit.

    Raises:
        DslcError: weights that are not there, or do not fit (DL5080 to DL5082).
    """
    graphs = training_graphs(typed)
    state = State.of(initial_params(typed.params, typed.seed), graphs.groups, graphs.buffers)
    started = start_from(state.params, typed.starts if start else (), several=len(typed.uses) > 1)
    steps, applied = compiled(graphs.steps, remat=remat), compiled(graphs.applied)
    graph, figures = inference(typed.inference)
    program = compile_numpy(optimize(graph))
    return Prepared(typed, graphs, steps, applied, graph, program, figures, state, started=tuple(started), remat=remat)


def compiled(graphs: Sequence[Graph], *, remat: bool = False) -> Sequence[Program]:
    """The program of each step, compiled when it is first asked for: a training that is shared out needs others."""
    return Programs([partial(_compiled, graph, remat) for graph in graphs])


def _compiled(graph: Graph, remat: bool) -> Program:
    return compile_numpy(optimize(graph), remat=remat)


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
    prepared = prepare(choose_train(checked, name), start=not resume)
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
    share: bool = True,
    observer: Observer | None = None,
    ready: Callable[[Prepared, Opened], Prepared] | None = None,
    note: Callable[[str], None] | None = None,
) -> Trained:
    """Train to the end, to Ctrl-C or to a fault, and write the run folder.

    Args:
        out: the run folder; None keeps everything in memory.
        resume: go on after the last epoch saved in `out`.
        force: replace the run that may be in `out`.
        settings: what `--set` changed: a run that is resumed takes it over, and must be equal in all else.
        threads: cores to use; None chooses by the work of a step, and so by the program alone.
        share: whether steps may run on several processes that share out the rows of a batch.
        ready: what becomes of the training once its data is open, before anything is written.
        note: is told, right before the first epoch, on how many processes it runs, if there are several or were others before.

    Raises:
        DslcError: the data does not fit the program.
        RuntimeFault: a file, the data or the numbers are at fault.
    """
    typed = prepared.typed
    if out is not None and not resume and not force:
        require_no_run(out)
    learned = learned_before(RunFolder(out), checked, typed.name, settings) if out is not None and resume else None
    opened = open_data(checked, typed.data, typed.fields, id_limits(typed.inference.body), learned)
    prepared = ready(prepared, opened) if ready is not None else prepared
    cores = cores_for(prepared.graphs.steps, prepared.state, opened.part("train"), typed.batch, threads, share=share)
    about = facts(checked, typed, settings, prepared.started, opened, cores)
    record = recorded(out, config_text(checked), about, opened.learned, resume=resume) if out is not None else None

    def begin(first: int) -> None:
        notes = [f"on {cores.processes} processes (`--threads 1` keeps to one)"] if cores.processes > 1 else []
        notes += [record.begin(first, cores)] if record is not None else []
        for line in filter(None, notes):
            if note is not None:
                note(line)

    folder = record.folder if record is not None else None
    with (
        shared_out(cores, prepared.state, prepared.steps, remat=prepared.remat) as (steps, state),
        evaluation_shared_out(cores, prepared.evaluation, prepared.inference) as evaluation,
    ):
        planned = replace(job(replace(prepared, state=state), opened, steps, cores), inference=evaluation)
        result = run_job(planned, folder, observer, resume, begin)
    if record is not None:
        record.end(typed.name, result)
    return Trained(result, prepared, opened, folder, cores)


def steps_per_epoch(typed: TypedTrain, opened: Opened) -> int:
    """How many updates an epoch has; its last batch may be short, and its last update of fewer batches."""
    rows = max(len(opened.part("train")), 1)
    batches = -(-rows // min(typed.batch or rows, rows))
    return -(-batches // typed.accumulate)


def job(prepared: Prepared, opened: Opened, steps: Sequence[engine.Program], cores: Cores) -> Job:
    """The runtime's view of a training whose steps are run by these programs."""
    typed = prepared.typed
    per_epoch = steps_per_epoch(typed, opened)
    updates = tuple(_update(prepared, position, program, per_epoch) for position, program in enumerate(steps))
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
        cores.threads,
        opened.fingerprint,
        EarlyStop(stop.on, stop.patience, stop.min_delta, stop.lower, stop.restore_best) if stop is not None else None,
        prepared.figures,
        typed.accumulate,
        cores.in_steps,
    )


def _update(prepared: Prepared, position: int, program: engine.Program, per_epoch: int) -> Update:
    """What a step does with every batch."""
    step = prepared.typed.steps[position]
    return Update(
        step.name,
        program,
        rate(step, per_epoch),
        diagnosis(prepared, position),
        plateau(step, per_epoch),
        figures_of(prepared.graphs.figures[position]),
        prepared.applied[position] if prepared.applied else None,
        kept_of(prepared.typed),
    )


def diagnosis(prepared: Prepared, position: int) -> Callable[[Mapping[str, Array], int], str]:
    """Finds the first value that is not finite when a step's loss is not: it is run again by the slow interpreter."""

    own = prepared.typed.span.source  # a line of the library would say nothing to the user

    def diagnose(given: Mapping[str, Array], step: int) -> str:
        graph, state = prepared.graphs.steps[position], prepared.state
        bad = state.non_finite()
        if bad:
            return f"parameter `{bad}`"
        numbers = {"lr": 0.0, "step": float(step), "rows": 1.0, "kept": 0.0}
        feeds = {**given, **state.for_training, **{name: np.array(number) for name, number in numbers.items()}}
        with np.errstate(all="ignore"):
            values = evaluate_graph(graph, feeds)
        for node in graph.order():
            if node.name and node.out.dtype.is_float and not np.isfinite(values[node.id]).all():
                span = node.span if node.span is not None and node.span.source is own else None
                place = f" (line {span.line})" if span is not None else ""
                return f"`{node.name}`{place}"
        return ""

    return diagnose
