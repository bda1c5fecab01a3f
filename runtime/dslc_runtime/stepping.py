"""Training by hand: batches of arrays -> updates, for loops that are not `dslc_runtime.loop`'s."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from dslc_runtime.loop import TIDY_STEPS
from dslc_runtime.program import Bound, Program
from dslc_runtime.state import State

Array: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Objective:
    """What is done with every batch, once.

    Attributes:
        name: stands in front of its quantities ("critic" gives `critic.loss`); "" where it is the only one.
        program: outputs a loss and metrics; updates the state, or adds to the sum that `applied` updates from.
        rate: the learning rate of an update, counted from 1.
        applied: the program of the update, where that takes several batches.
        kept: the share of the running mean of the weights that an update keeps.
    """

    name: str
    program: Program
    rate: Callable[[int], float]
    applied: Program | None = None
    kept: Callable[[int], float] | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """A batch's place in a training.

    Attributes:
        number: of the batch, counted from 1.
        update: the number of the update it belongs to.
        due: whether it is the last batch of its update.
        rows: of the batch.
        gathered: rows of the batches since the last update, this one among them.
    """

    number: int
    update: int
    due: bool
    rows: int
    gathered: int


def rows_in(batch: Mapping[str, npt.ArrayLike]) -> int:
    """How many samples a batch has."""
    return next((len(array) for array in map(np.asarray, batch.values()) if array.ndim), 1)


def run_objective(objective: Objective, bound: Bound, state: State, seed: int, moment: Moment) -> None:
    """Run an objective's program, whose inputs hold the batch; and the update, if it is due.

    Raises:
        NonFiniteError: the loss is not finite; nothing has been written.
    """
    for draw in bound.drawing(seed):
        draw(moment.number)
    numbers = {"lr": objective.rate(moment.update), "step": float(moment.update), "rows": float(moment.rows)}
    if objective.kept is not None:
        numbers["kept"] = objective.kept(moment.update)
    bound.run(**{name: numbers[name] for name in bound.scalars})
    if moment.due and objective.applied is not None:
        applied = objective.applied.bind({}, state.for_training)
        numbers["rows"] = float(moment.gathered)
        applied.run(**{name: numbers[name] for name in applied.scalars})


def tidy(state: State, moment: Moment) -> None:
    """Now and then, set what is tiny in the optimizers' slots to 0."""
    if moment.due and moment.update % TIDY_STEPS == 0:
        state.drop_tiny()


class Training:
    """Objectives on the state they share.

    Attributes:
        params: every parameter and buffer by key; they may be written to.
        seed: of the random tensors.
    """

    def __init__(self, objectives: Sequence[Objective], state: State, seed: int, accumulate: int = 1) -> None:
        self.params = state.params
        self._objectives = tuple(objectives)
        self._state = state
        self.seed = seed
        self._accumulate = accumulate
        self._moment = Moment(0, 0, True, 0, 0)
        self._begun = 0  # the number of the last batch before those of the update under way

    @property
    def weights(self) -> dict[str, Array]:
        """What a trained model is made of: `params`, or their running means where the training keeps them."""
        return self._state.weights

    def step(self, batch: Mapping[str, npt.ArrayLike], last: bool = False) -> dict[str, float | Array]:
        """One batch for each objective in turn, and the update if it is due; what the programs put out, before that.

        Args:
            batch: an array for each input of the objectives, with the batch on the first axis.
            last: whether the update is due though it could take more batches, as at the end of an epoch.

        Raises:
            NonFiniteError: a loss is not finite; no objective has updated anything.
            SizeError: an array has another shape than the program takes.
        """
        rows = rows_in(batch)
        before, done = self._state.copy() if len(self._objectives) > 1 else None, self._moment
        if done.due:
            self._begun = done.number
        due = last or done.number + 1 - self._begun == self._accumulate
        gathered = rows if done.due else done.gathered + rows
        self._moment = Moment(done.number + 1, done.update + done.due, due, rows, gathered)
        try:
            return self._run(batch)
        except ArithmeticError:
            if before is not None:
                self._state.copy_from(before)
            self._moment = done
            raise

    def _run(self, batch: Mapping[str, npt.ArrayLike]) -> dict[str, float | Array]:
        found: dict[str, float | Array] = {}
        for objective in self._objectives:
            program = objective.program
            arrays = {name: np.asarray(batch[name]) for name in program.inputs}
            sizes = program.sizes_of({name: array.shape for name, array in arrays.items()})
            sizes |= dict.fromkeys(program.free_sizes, self._moment.rows)
            bound = program.bind(sizes, self._state.for_training)
            for name, array in arrays.items():
                np.copyto(bound.inputs[name], array, casting="same_kind")
            run_objective(objective, bound, self._state, self.seed, self._moment)
            for name, value in bound.outputs.items():
                called = f"{objective.name}.{name}" if objective.name else name
                found[called] = value.copy() if value.ndim else float(value)
        tidy(self._state, self._moment)
        return found
