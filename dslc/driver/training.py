"""A train block -> a compiled job: programs of a step and of an evaluation, the state they share, and the run folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dslc.backends.interpret import evaluate as evaluate_graph
from dslc.backends.to_numpy import compile_numpy
from dslc.check.overrides import rewrite_paths
from dslc.check.train import class_limits
from dslc.check.typed import Objective, ParamSpec, TypedTrain
from dslc.diagnostics import Diagnostic, DslcError, Label, Note
from dslc.driver.data import Opened, open_data
from dslc.driver.feeding import feed_arrays
from dslc.driver.frontend import Checked
from dslc.driver.models import choose, initial_params
from dslc.graph import Graph
from dslc.graph.arrays import numpy_dtype
from dslc.lower import lower
from dslc.passes import optimize
from dslc.tensor_type import DType
from dslc.training import GRADIENT, TrainingGraph, gradient_graph, training_graph
from dslc.version import __version__
from dslc_runtime.errors import RuntimeFault
from dslc_runtime.loop import TIDY_STEPS, Job, Result
from dslc_runtime.loop import train as run_job
from dslc_runtime.observer import Observer
from dslc_runtime.program import NonFiniteError, Program
from dslc_runtime.report import write_report
from dslc_runtime.run_folder import RunFolder, create_run, machine, require_no_run, write_program
from dslc_runtime.state import State
from dslc_runtime.threads import default_threads, describe, limited

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A training that is compiled; no data is open.

    Attributes:
        typed: the train block.
        graph: the training step before it was optimised, with the program's names in it.
        step, inference: programs of one update, and of loss and metrics in inference mode.
        state: parameters and slots at their first values; both programs run on it.
    """

    typed: TypedTrain
    graph: TrainingGraph
    step: Program
    inference: Program
    state: State


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
    """Compile a train block and make its first state.

    Raises:
        DslcError: its trained parameters have several element types (DL6008).
    """
    _require_one_type(typed)
    graph = training_graph(typed.training, typed.optimizer)
    params = initial_params(typed.training.body.params, typed.seed)
    state = State.of(params, graph.layout, graph.slots, numpy_dtype(graph.dtype))
    step = compile_numpy(optimize(graph.graph))
    return Prepared(typed, graph, step, compile_numpy(inference_graph(typed.inference)), state)


def _require_one_type(typed: TypedTrain) -> None:
    first: dict[DType, ParamSpec] = {}
    for spec in typed.training.body.params.values():
        first.setdefault(spec.type.dtype, spec)
    if len(first) > 1:
        labels = tuple(Label(spec.span, f"`{spec.key}` is {spec.type}") for spec in first.values())
        raise DslcError([Diagnostic("DL6008", "the trained parameters have several element types", labels)])


def inference_graph(objective: Objective) -> Graph:
    """Loss and metrics in inference mode, from the parameters by key."""
    return optimize(lower(objective.body, {"loss": objective.loss, **objective.metrics}))


def train(
    checked: Checked,
    name: str | None = None,
    *,
    out: Path | None = None,
    resume: bool = False,
    force: bool = False,
    threads: int | None = None,
    observer: Observer | None = None,
) -> Trained:
    """Compile a train block and train it; arguments as for `fit`."""
    prepared = prepare(choose_train(checked, name))
    return fit(checked, prepared, out=out, resume=resume, force=force, threads=threads, observer=observer)


def fit(
    checked: Checked,
    prepared: Prepared,
    *,
    out: Path | None = None,
    resume: bool = False,
    force: bool = False,
    threads: int | None = None,
    observer: Observer | None = None,
) -> Trained:
    """Train to the end, to Ctrl-C or to a fault, and write the run folder.

    Args:
        out: the run folder; None keeps everything in memory.
        resume: go on after the last epoch saved in `out`.
        force: replace the run that may be in `out`.
        threads: BLAS threads; None chooses by the work of a step, and so by the program alone.

    Raises:
        DslcError: the data does not fit the program.
        RuntimeFault: a file, the data or the numbers are at fault.
    """
    typed = prepared.typed
    if out is not None and not resume and not force:
        require_no_run(out)
    opened = open_data(checked, typed.data, tuple(typed.training.body.inputs), class_limits(typed.training))
    used = threads if threads is not None else default_threads(_work(prepared, opened))
    folder = None
    about = facts(checked, prepared, opened, used)
    if out is not None:
        folder = RunFolder(out) if resume else create_run(out, config_text(checked), about)
    try:
        result = run_job(job(prepared, opened, used), folder, observer, resume)
    except RuntimeFault as fault:
        # Epochs before the numbers went wrong are kept, and were run by this program.
        if folder is not None and resume and fault.code in ("DL5030", "DL5031"):
            write_program(folder, config_text(checked), about)
        raise
    if folder is not None:
        if resume:
            write_program(folder, config_text(checked), about)
        write_report(folder, typed.name, result.history, result.progress.best_epoch, about)
    return Trained(result, prepared, opened, folder)


def _work(prepared: Prepared, opened: Opened) -> float:
    """Multiply-adds of one step, about: each weight meets each row forward, and twice more backward."""
    rows = prepared.typed.batch or len(opened.part("train"))
    return 3.0 * rows * prepared.graph.layout.size


def gradients(prepared: Prepared, batch: Mapping[str, npt.ArrayLike], number: int) -> tuple[float, dict[str, Array]]:
    """The loss on a batch and its gradient by key, in training mode, with the random tensors of step `number`."""
    program = compile_numpy(optimize(gradient_graph(prepared.typed.training)))
    bound = feed_arrays(program, batch, prepared.state.params)
    for draw in bound.drawing(prepared.typed.seed):
        draw(number)
    bound.run()
    found = {
        name.removeprefix(GRADIENT): value.copy() for name, value in bound.outputs.items() if name.startswith(GRADIENT)
    }
    return float(bound.outputs["loss"]), found


def one_step(prepared: Prepared, batch: Mapping[str, npt.ArrayLike], number: int) -> dict[str, float]:
    """One update; loss and metrics of the batch before it.

    Raises:
        DslcError: an array does not fit (DL5040), or the loss is not finite and nothing was updated (DL5030).
    """
    bound = feed_arrays(prepared.step, batch, prepared.state.for_training)
    for draw in bound.drawing(prepared.typed.seed):
        draw(number)
    scalars = {"lr": float(prepared.typed.optimizer.options["lr"]), "step": float(number)}
    try:
        bound.run(**{name: scalars[name] for name in bound.scalars})
    except NonFiniteError as error:
        given = {**bound.inputs, **{spec.stream: drawn for spec, drawn in bound.draws}}
        culprit = diagnosis(prepared)(given, number)
        notes = (Note(f"the first value that is not finite is {culprit}"),) if culprit else ()
        raise DslcError([Diagnostic("DL5030", f"the loss is not finite at step {number}", (), notes)]) from error
    if number % TIDY_STEPS == 0:
        prepared.state.drop_tiny()
    return {name: float(value) for name, value in bound.outputs.items()}


def job(prepared: Prepared, opened: Opened, threads: int | None) -> Job:
    """The runtime's view of a training."""
    typed = prepared.typed
    rate = float(typed.optimizer.options["lr"])
    return Job(
        prepared.step,
        prepared.inference,
        prepared.state,
        opened.part("train"),
        opened.parts.get("val"),
        typed.batch,
        typed.epochs,
        typed.seed,
        lambda _: rate,
        diagnosis(prepared),
        threads,
        opened.fingerprint,
    )


def config_text(checked: Checked) -> str:
    """The program as it ran: overrides are in its text already, data paths become absolute."""
    return rewrite_paths(checked.file.scope.file, checked.folder.resolve()).text


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
        "machine": machine(),
    }


def diagnosis(prepared: Prepared) -> Callable[[Mapping[str, Array], int], str]:
    """Finds the first value that is not finite when a loss is not: the step is run again by the slow interpreter."""

    def diagnose(given: Mapping[str, Array], step: int) -> str:
        graph, state = prepared.graph.graph, prepared.state
        bad = state.non_finite()
        if bad:
            return f"parameter `{bad}`"
        feeds = {**given, **state.for_training, "lr": np.array(0.0), "step": np.array(float(step))}
        with np.errstate(all="ignore"):
            values = evaluate_graph(graph, feeds)
        for node in graph.order():
            if node.name and node.out.dtype.is_float and not np.isfinite(values[node.id]).all():
                place = f" (line {node.span.line})" if node.span is not None else ""
                return f"`{node.name}`{place}"
        return ""

    return diagnose
