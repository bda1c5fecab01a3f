"""Makes `metrics.npz`: what scikit-learn computes for metrics on fixed operands.

Run it by hand (``python tests/goldens/make_metrics.py``, with scikit-learn installed); the tests read the file only. Each case `c`
leaves the arrays ``c/x`` (scores or predictions), ``c/t`` (labels or targets) and ``c/y`` (the metric).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn import metrics

Array = np.ndarray
Metric = Callable[[Array, Array], "float | Array"]

COUNTED = {"precision": metrics.precision_score, "recall": metrics.recall_score, "f1": metrics.f1_score}


def _cases() -> dict[str, tuple[Array, Array, Metric]]:
    """Name -> prediction, target, scikit-learn's metric of (target, prediction)."""
    draw = np.random.default_rng(0)
    scores, truth = np.round(draw.normal(size=40), 1), draw.random(40) < 0.3  # rounded, so that some are equal
    silent = np.full(6, -1.0)
    logits, ids = draw.normal(size=(30, 5)), draw.integers(0, 4, 30)
    logits[:, 4] -= 9.0  # the last class is neither a label nor an answer
    numbers = draw.normal(size=(25, 3)) + 100.0
    near = numbers + draw.normal(size=(25, 3)) / 2
    near[:, 2] = numbers[:, 2] = 7.0
    found: dict[str, tuple[Array, Array, Metric]] = {
        "auc": (scores, truth, metrics.roc_auc_score),
        "confusion_matrix": (logits, ids, lambda t, x: metrics.confusion_matrix(t, x.argmax(1), labels=range(5))),
        "rmse": (near[:, 0], numbers[:, 0], metrics.root_mean_squared_error),
        "r2": (near[:, 0], numbers[:, 0], metrics.r2_score),
        "r2.columns": (near, numbers, metrics.r2_score),
        "r2.constant": (near[:, 1] * 0, numbers[:, 2], metrics.r2_score),
    }
    for name, score in COUNTED.items():
        found[f"{name}.binary"] = scores, truth, lambda t, x, score=score: score(t, x >= 0)
        found[f"{name}.threshold"] = scores, truth, lambda t, x, score=score: score(t, x >= 0.5)
        found[f"{name}.silent"] = silent, truth[:6], lambda t, x, score=score: score(t, x >= 0, zero_division=0)
        for average in ("macro", "micro"):
            found[f"{name}.{average}"] = (
                logits,
                ids,
                lambda t, x, score=score, average=average: score(t, x.argmax(1), average=average, zero_division=0),
            )
    return found


def main() -> None:
    stored: dict[str, Array] = {}
    for case, (x, t, metric) in _cases().items():
        stored |= {f"{case}/x": x, f"{case}/t": t, f"{case}/y": np.asarray(metric(t, x))}
    np.savez_compressed(Path(__file__).parent / "metrics.npz", **stored)


if __name__ == "__main__":
    main()
