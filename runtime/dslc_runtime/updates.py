"""What training does with a batch: compiled updates, bound to memory for batches of one size -> plain functions to call in turn.

Where an update takes the gradient of several batches, each batch only adds to sums, and a second program updates from them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy.typing as npt

from dslc_runtime.data.parts import Rows
from dslc_runtime.engine import Feed, Program, feed
from dslc_runtime.figures import ALL_MEANS, Figures
from dslc_runtime.plateau import Level, Plateau
from dslc_runtime.state import State

Array: TypeAlias = npt.NDArray[Any]
OfStep: TypeAlias = Callable[[int], float]  # the number of an update, counted from 1 -> a number that a program takes


def _no_diagnosis(inputs: Mapping[str, Array], step: int) -> str:
    del inputs, step
    return ""


@dataclass(frozen=True, slots=True)
class Update:
    """What is done with every batch, once.

    Attributes:
        name: stands in front of its quantities in the history ("critic" gives `critic.loss`); "" where it is the only one.
        program: outputs `loss` and what metrics need, updates the state; its scalars are those of `known_numbers`.
        rate: the learning rate of a step, counted from 1.
        plateau: what cuts that rate, if anything does.
        figures: how losses and metrics come of the program's outputs.
        diagnose: (what the failing step was given, step) -> the first value in the network that is not finite, in words, or
            "". Given are the inputs by name and the random tensors by stream.
        apply: updates the parameters from what `program` summed up over several batches; None where `program` updates them.
        kept: how much of the running mean of the weights an update keeps, where there is one.
    """

    name: str
    program: Program
    rate: OfStep
    diagnose: Callable[[Mapping[str, Array], int], str] = _no_diagnosis
    plateau: Plateau | None = None
    figures: Figures = ALL_MEANS
    apply: Program | None = None
    kept: OfStep | None = None

    def rate_at(self, level: Level | None) -> OfStep:
        """The rate of a step where a plateau has come to a level."""
        return self.rate if self.plateau is None or level is None else self.plateau.rates(level.cuts)

    def called(self, quantity: str) -> str:
        """A quantity's name in the history."""
        return f"{self.name}.{quantity}" if self.name else quantity

    def numbers(self, names: Sequence[str], rate: OfStep, rows: OfStep) -> tuple[OfStep, ...]:
        """What gives the numbers that a program takes, in order: the rate, the step, the rows its gradient is of."""
        known: dict[str, OfStep | None] = {"lr": rate, "step": float, "rows": rows, "kept": self.kept}
        found = [known[name] for name in names]
        return tuple(number for number in found if number is not None)


Run: TypeAlias = tuple[
    Callable[[Rows, int], None], Callable[..., None], tuple[OfStep, ...], Callable[[int, int], None] | None
]


@dataclass(frozen=True, slots=True)
class BoundUpdates:
    """All updates bound for a batch size.

    Attributes:
        feeds: each update and its program with its inputs.
        runs: the same as functions: what fills the inputs, what runs, what gives the numbers it takes, and what updates after
            several batches, from the number of the update and the rows of the batches.
        names: the outputs that are means: the number of their update, and their names.
        places: where the programs leave them, numbered.
        others: the other outputs: the number of their update, their names, where they are left.
        loss: the number of the first update's loss.
    """

    feeds: tuple[tuple[Update, Feed], ...]
    runs: tuple[Run, ...]
    names: tuple[tuple[int, str], ...]
    places: tuple[tuple[int, Array], ...]
    others: tuple[tuple[int, str, Array], ...]
    loss: int

    @classmethod
    def of(
        cls,
        updates: Sequence[Update],
        state: State,
        fields: Mapping[str, Array],
        batch: int,
        seed: int,
        levels: Mapping[str, Level],
    ) -> BoundUpdates:
        """Bind the programs of updates.

        Args:
            fields: the data that batches are gathered from.
            levels: where plateaus have come to, by the name of their update.
        """
        memory = state.for_training
        feeds = tuple((update, feed(update.program, memory, fields, batch, seed)) for update in updates)
        outputs = [
            (at, name, value) for at, (_, ready) in enumerate(feeds) for name, value in ready.bound.outputs.items()
        ]
        means = [(at, name, value) for at, name, value in outputs if name not in updates[at].figures.joined]
        others = tuple((at, name, value) for at, name, value in outputs if name in updates[at].figures.joined)
        names = tuple((at, name) for at, name, _ in means)
        places = tuple(enumerate(value for _, _, value in means))
        rates = [update.rate_at(levels.get(update.name)) for update in updates]
        runs = tuple(
            (
                ready.fill,
                ready.bound.step,
                update.numbers(ready.bound.scalars, rate, lambda _: float(batch)),
                _applying(update, rate, memory),
            )
            for (update, ready), rate in zip(feeds, rates, strict=True)
        )
        return cls(feeds, runs, names, places, others, names.index((0, "loss")))


def _applying(update: Update, rate: OfStep, memory: Mapping[str, Array]) -> Callable[[int, int], None] | None:
    """What updates from sums over several batches."""
    if update.apply is None:
        return None
    bound = update.apply.bind({}, memory)

    def apply(step: int, rows: int) -> None:
        bound.step(*[number(step) for number in update.numbers(bound.scalars, rate, lambda _: float(rows))])

    return apply
