"""The learning rate of a step and what else changes from update to update: the typed schedule -> functions of the runtime."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from dslc.check.typed import TypedStep, TypedTrain
from dslc_runtime.averaging import kept
from dslc_runtime.plateau import Plateau
from dslc_runtime.schedules import Span, Stage, schedule, times


def rate(step: TypedStep, per_epoch: int, cuts: int = 0) -> Callable[[int], float]:
    """The learning rate of a step, by the number of the update, counted from 1, after so many cuts by a plateau."""
    return schedule(stages(step), per_epoch, cuts)


def plateau(step: TypedStep, per_epoch: int) -> Plateau | None:
    """What cuts the learning rate of a step, if anything does."""
    for stage, (begin, end) in zip(step.optimizer.lr, times(stages(step), per_epoch), strict=True):
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


def stages(step: TypedStep) -> list[Stage]:
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


def kept_of(train: TypedTrain) -> Callable[[int], float] | None:
    """How much of the running mean of the weights an update keeps, where there is one."""
    return None if train.average is None else kept(train.average.decay, train.average.warmup)
