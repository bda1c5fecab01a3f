"""Training by hand, batch by batch: gradients of a loss, and one update, for loops that are not the runtime's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy.typing as npt

from dslc.backends.to_numpy import compile_numpy
from dslc.diagnostics import Diagnostic, DslcError, Note
from dslc.driver.feeding import convert, feed_arrays
from dslc.driver.models import choose
from dslc.driver.rates import kept_of, rate
from dslc.driver.sharing import threads_for
from dslc.driver.training import Prepared, diagnosis, figures_of
from dslc.passes import optimize
from dslc.training import GRADIENT, gradient_graph
from dslc_runtime.generated import NonFiniteError
from dslc_runtime.program import Bound, Program
from dslc_runtime.stepping import Moment, Objective, rows_in, run_objective, tidy
from dslc_runtime.threads import limited

Array: TypeAlias = npt.NDArray[Any]


def choose_step(prepared: Prepared, name: str | None) -> int:
    """Which step of a train block is meant; a name is needed where there are several.

    Raises:
        DslcError: there is none of that name (DL0053), or there are several and none was named (DL0054).
    """
    typed = prepared.typed
    names = [step.name for step in typed.steps]
    if names == [""] and name is None:
        return 0
    return names.index(choose("step", names, name, typed.name, naming='step="{}"'.format))


def gradients(
    prepared: Prepared,
    batch: Mapping[str, npt.ArrayLike],
    number: int,
    step: str | None = None,
    threads: int | None = None,
) -> tuple[float, dict[str, Array]]:
    """The loss of a step on a batch and its gradient by key, in training mode, with the random tensors of batch `number`.

    `threads` are as for `one_step`.
    """
    chosen = choose_step(prepared, step)
    if chosen not in prepared.gradients:
        graph = gradient_graph(prepared.typed, prepared.typed.steps[chosen])
        prepared.gradients[chosen] = compile_numpy(optimize(graph))
    program = prepared.gradients[chosen]
    bound = _fed(prepared, program, batch, prepared.state.params)
    for draw in bound.drawing(prepared.typed.seed):
        draw(number)
    with limited(threads or threads_for(prepared.state, rows_in(batch))):
        bound.run()
    found = {
        name.removeprefix(GRADIENT): value.copy() for name, value in bound.outputs.items() if name.startswith(GRADIENT)
    }
    return float(bound.outputs["loss"]), found


def one_step(
    prepared: Prepared,
    batch: Mapping[str, npt.ArrayLike],
    number: int,
    per_epoch: Callable[[], int],
    gathered: int = 0,
    threads: int | None = None,
) -> dict[str, float]:
    """One batch for each step in turn, and the update if it is the last batch of one; losses and metrics before that.

    Args:
        number: of the batch, counted from 1.
        per_epoch: how many updates an epoch has, for learning rates that depend on it.
        gathered: rows of the batches since the last update.
        threads: of linear algebra; None chooses by the work of a step, as a training on one process does.

    Raises:
        DslcError: an array does not fit (DL5040), or a loss is not finite (DL5030); nothing was updated by any step.
    """
    before = prepared.state.copy() if len(prepared.steps) > 1 else None
    try:
        rows, accumulate = rows_in(batch), prepared.typed.accumulate
        moment = Moment(number, -(-number // accumulate), number % accumulate == 0, rows, gathered + rows)
        epoch = per_epoch() if counts_epochs(prepared) else 1
        with limited(threads or threads_for(prepared.state, rows)):
            return _updated(prepared, batch, moment, epoch)
    except DslcError:
        if before is not None:
            prepared.state.copy_from(before)
        raise


def _updated(
    prepared: Prepared, batch: Mapping[str, npt.ArrayLike], moment: Moment, per_epoch: int
) -> dict[str, float]:
    """As `one_step`, but steps before one whose loss is not finite have updated what they update."""
    found: dict[str, float] = {}
    for position, objective in enumerate(objectives(prepared, per_epoch)):
        bound = _fed(prepared, objective.program, batch, prepared.state.for_training)
        try:
            run_objective(objective, bound, prepared.state, prepared.typed.seed, moment)
        except NonFiniteError as error:
            given = {**bound.inputs, **{spec.stream: drawn for spec, drawn in bound.draws}}
            culprit = diagnosis(prepared, position)(given, moment.update)
            notes = (Note(f"the first value that is not finite is {culprit}"),) if culprit else ()
            text = f"the loss is not finite at step {moment.update}"
            raise DslcError([Diagnostic("DL5030", text, (), notes)]) from error
        figures = figures_of(prepared.graphs.figures[position]).finish(bound.outputs)
        found |= {prepared.typed.called(prepared.typed.steps[position], name): value for name, value in figures.items()}
    tidy(prepared.state, moment)
    return found


def objectives(prepared: Prepared, per_epoch: int) -> tuple[Objective, ...]:
    """The steps of a train block for training by hand, where an epoch has so many updates."""
    kept = kept_of(prepared.typed)
    applied = prepared.applied or (None,) * len(prepared.steps)
    return tuple(
        Objective(step.name, program, rate(step, per_epoch), update, kept)
        for step, program, update in zip(prepared.typed.steps, prepared.steps, applied, strict=True)
    )


def counts_epochs(prepared: Prepared) -> bool:
    """Whether a learning rate depends on how many updates an epoch has."""
    lengths = (
        each for step in prepared.typed.steps for stage in step.optimizer.lr for each in (stage.length, stage.every)
    )
    return any(length.unit == "epochs" for length in lengths if length is not None)


def scores_followed(prepared: Prepared) -> tuple[str, ...]:
    """The quantities of an epoch that learning rates follow, which training by hand does not measure."""
    stages = (stage for step in prepared.typed.steps for stage in step.optimizer.lr)
    return tuple(dict.fromkeys(stage.watched.on for stage in stages if stage.watched is not None))


def _fed(prepared: Prepared, program: Program, batch: Mapping[str, npt.ArrayLike], state: Mapping[str, Array]) -> Bound:
    """A step's program with its part of a batch in its inputs; every step is given the fields of all."""
    if len(prepared.steps) == 1:
        return feed_arrays(program, batch, state)
    specs = {name: spec for each in prepared.steps for name, spec in each.inputs.items()}
    arrays = convert(specs, batch)
    return feed_arrays(program, {name: arrays[name] for name in program.inputs}, state, rows_in(arrays))
