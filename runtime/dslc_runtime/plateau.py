"""Learning rates that are cut when a score stops improving: an epoch's score and the level before it -> the level after it.

A pure function of what a checkpoint holds, so that a resumed training cuts where one that ran through does. As
torch.optim.lr_scheduler.ReduceLROnPlateau.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isfinite


@dataclass(frozen=True, slots=True)
class Plateau:
    """When to cut.

    Attributes:
        on: a quantity of the history ("val.loss").
        lower: whether less is better.
        patience: epochs without a better score that are borne; the one after them cuts.
        threshold: by how much a score must beat the best one: a share of it if `relative`, else a difference.
        cooldown: epochs after a cut that are not counted.
        begin, end: the steps between which it looks at scores: those of epochs that end in its stage of the schedule.
        rates: the rate of each step after so many cuts.
    """

    on: str
    lower: bool
    patience: int
    threshold: float
    relative: bool
    cooldown: int
    begin: int
    end: float
    rates: Callable[[int], Callable[[int], float]]


@dataclass(frozen=True, slots=True)
class Level:
    """Where a rate stands: its cuts so far, the best score, epochs without a better one, and epochs of cooldown left."""

    cuts: int = 0
    best: float | None = None
    waited: int = 0
    cooling: int = 0


def advance(level: Level, rule: Plateau, step: int, score: float) -> Level:
    """The level after an epoch that ended with update `step`; a score that is not finite is never better."""
    if not rule.begin < step <= rule.end:
        return level
    better = isfinite(score) and _is_better(rule, score, level.best)
    after = replace(level, best=score if better else level.best, waited=0 if better else level.waited + 1)
    if after.cooling:
        after = replace(after, cooling=after.cooling - 1, waited=0)
    if after.waited > rule.patience:
        after = replace(after, cuts=after.cuts + 1, cooling=rule.cooldown, waited=0)
    return after


def _is_better(rule: Plateau, score: float, best: float | None) -> bool:
    if best is None:
        return True
    margin = rule.threshold * (best if rule.relative else 1.0)  # of a negative score too, as PyTorch has it
    return score < best - margin if rule.lower else score > best + margin
