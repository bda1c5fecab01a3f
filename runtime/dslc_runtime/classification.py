"""How a classifier does, class by class: predicted and true ids -> confusion matrix -> precision, recall, F1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class ClassScore:
    """One class: of those called it, the share that is (`precision`); of those that are, the share called it (`recall`).

    A ratio whose denominator is 0 counts as 0, as scikit-learn's default does.
    """

    label: int
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class ClassReport:
    """A classifier's scores. `confusion[t, p]` counts rows of true class t called p."""

    confusion: npt.NDArray[np.int64]
    classes: tuple[ClassScore, ...]
    accuracy: float

    @property
    def macro_f1(self) -> float:
        """The mean F1 of the classes that occur among true or predicted ones; each counts the same. As the metric `f1` has it."""
        there = self.confusion.sum(axis=0) + self.confusion.sum(axis=1) > 0
        scores = [score.f1 for score, is_there in zip(self.classes, there, strict=True) if is_there]
        return sum(scores) / len(scores) if scores else 0.0


def confusion_matrix(truth: Array, predicted: Array, classes: int) -> npt.NDArray[np.int64]:
    """``[classes, classes]`` counts; rows are true classes, columns predicted ones. Ids lie in ``[0, classes)``."""
    pairs = truth.reshape(-1).astype(np.int64) * classes + predicted.reshape(-1).astype(np.int64)
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def class_report(truth: Array, predicted: Array, classes: int) -> ClassReport:
    """Scores per class and over all. Arrays of ids of equal size, in ``[0, classes)``."""
    confusion = confusion_matrix(truth, predicted, classes)
    scores: list[ClassScore] = []
    for label in range(classes):
        hit = int(confusion[label, label])
        called, are = int(confusion[:, label].sum()), int(confusion[label].sum())
        scores.append(ClassScore(label, _ratio(hit, called), _ratio(hit, are), _ratio(2 * hit, called + are), are))
    return ClassReport(confusion, tuple(scores), _ratio(int(np.trace(confusion)), int(confusion.sum())))


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
