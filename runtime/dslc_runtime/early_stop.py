"""Stopping early: the score of an epoch and the progress before it -> the progress after it, and whether to stop.

Pure functions, so that a resumed training decides as one that ran through. As Keras' `EarlyStopping`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite

from dslc_runtime.keeper import Progress


@dataclass(frozen=True, slots=True)
class EarlyStop:
    """When to stop, and which weights to keep.

    Attributes:
        on: a quantity of the history ("val.loss").
        patience: epochs without a better score after which the training ends.
        min_delta: by how much a score must beat the best one to count as better.
        lower: whether less is better.
        restore_best: whether the weights of the best epoch are kept rather than those of the last.
    """

    on: str
    patience: int
    min_delta: float = 0.0
    lower: bool = True
    restore_best: bool = True


def advance(before: Progress, epoch: int, step: int, rule: EarlyStop | None, score: float | None) -> Progress:
    """Progress after an epoch; `score` is that of the rule's quantity. Without a rule, the last epoch is the best.

    A score that is not finite is never better.
    """
    after = replace(before, epoch=epoch, step=step)
    if rule is None or score is None:
        return replace(after, best_epoch=epoch)
    if not isfinite(score) or not _is_better(rule, score, before.best):
        kept = epoch if before.best is None or not rule.restore_best else before.best_epoch
        return replace(after, best_epoch=kept, waited=before.waited + 1)
    return replace(after, best_epoch=epoch, best=score, waited=0)


def _is_better(rule: EarlyStop, score: float, best: float | None) -> bool:
    if best is None:
        return True
    return score < best - rule.min_delta if rule.lower else score > best + rule.min_delta


def is_over(progress: Progress, rule: EarlyStop | None) -> bool:
    """Whether the training ends before its time."""
    return rule is not None and progress.waited >= rule.patience
