"""Training by hand, batch by batch: gradients of a loss, and one update, for loops that are not the runtime's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from dslc.backends.to_numpy import compile_numpy
from dslc.diagnostics import Diagnostic, DslcError, Note
from dslc.driver.feeding import convert, feed_arrays
from dslc.driver.models import choose
from dslc.driver.rates import kept_of, rate
from dslc.driver.training import Prepared, diagnosis, figures_of
from dslc.passes import optimize
from dslc.training import GRADIENT, gradient_graph
from dslc_runtime.generated import NonFiniteError
from dslc_runtime.loop import TIDY_STEPS
from dslc_runtime.program import Bound, Program

Array: TypeAlias = npt.NDArray[Any]


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
    """The loss of a step on a batch and its gradient by key, in training mode, with the random tensors of batch `number`."""
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


def rows_in(batch: Mapping[str, npt.ArrayLike]) -> int:
    """How many samples a batch has."""
    return next((len(array) for array in map(np.asarray, batch.values()) if array.ndim), 1)


def one_step(
    prepared: Prepared,
    batch: Mapping[str, npt.ArrayLike],
    number: int,
    per_epoch: Callable[[], int],
    gathered: int = 0,
) -> dict[str, float]:
    """One batch for each step in turn, and the update if it is the last batch of one; losses and metrics before that.

    Args:
        number: of the batch, counted from 1.
        per_epoch: how many updates an epoch has, for learning rates that depend on it.
        gathered: rows of the batches since the last update.

    Raises:
        DslcError: an array does not fit (DL5040), or a loss is not finite (DL5030); nothing was updated by any step.
    """
    before = prepared.state.copy() if len(prepared.steps) > 1 else None
    try:
        return _updated(prepared, batch, number, per_epoch, gathered + rows_in(batch))
    except DslcError:
        if before is not None:
            prepared.state.copy_from(before)
        raise


def _updated(
    prepared: Prepared, batch: Mapping[str, npt.ArrayLike], number: int, per_epoch: Callable[[], int], gathered: int
) -> dict[str, float]:
    """As `one_step`, but steps before one whose loss is not finite have updated what they update."""
    found: dict[str, float] = {}
    update, kept = -(-number // prepared.typed.accumulate), kept_of(prepared.typed)
    due = number % prepared.typed.accumulate == 0
    for position, step in enumerate(prepared.typed.steps):
        bound = _fed(prepared, prepared.steps[position], batch, prepared.state.for_training)
        for draw in bound.drawing(prepared.typed.seed):
            draw(number)
        timed = any(
            length.unit == "epochs" for stage in step.optimizer.lr for length in (stage.length, stage.every) if length
        )
        numbers = {
            "lr": rate(step, per_epoch() if timed else 1)(update),
            "step": float(update),
            "rows": float(rows_in(batch)),
        }
        if kept is not None:
            numbers["kept"] = kept(update)
        try:
            bound.run(**{name: numbers[name] for name in bound.scalars})
        except NonFiniteError as error:
            given = {**bound.inputs, **{spec.stream: drawn for spec, drawn in bound.draws}}
            culprit = diagnosis(prepared, position)(given, update)
            notes = (Note(f"the first value that is not finite is {culprit}"),) if culprit else ()
            raise DslcError([Diagnostic("DL5030", f"the loss is not finite at step {update}", (), notes)]) from error
        if due and prepared.applied:
            applied = prepared.applied[position].bind({}, prepared.state.for_training)
            applied.run(**{name: {**numbers, "rows": float(gathered)}[name] for name in applied.scalars})
        figures = figures_of(prepared.graphs.figures[position]).finish(bound.outputs)
        found |= {prepared.typed.called(step, name): value for name, value in figures.items()}
    if due and update % TIDY_STEPS == 0:
        prepared.state.drop_tiny()
    return found


def _fed(prepared: Prepared, program: Program, batch: Mapping[str, npt.ArrayLike], state: Mapping[str, Array]) -> Bound:
    """A step's program with its part of a batch in its inputs; every step is given the fields of all."""
    if len(prepared.steps) == 1:
        return feed_arrays(program, batch, state)
    specs = {name: spec for each in prepared.steps for name, spec in each.inputs.items()}
    arrays = convert(specs, batch)
    return feed_arrays(program, {name: arrays[name] for name in program.inputs}, state, rows_in(arrays))
