"""Makes `schedules.json`: learning rates of PyTorch's schedulers, step by step.

    python tests/goldens/make_schedules.py

The tests need the stored file only. Made with PyTorch 2.13.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.optim import lr_scheduler

STEPS = 40
PER_EPOCH = 5  # steps of an epoch, as in the tests

Make = Callable[[torch.optim.Optimizer], Any]


def warm_cosine(rule: torch.optim.Optimizer) -> Any:
    """Ten steps of warm-up to the full rate, then a half cosine; PyTorch's factors are written so that step 1 has 1/10."""
    warm = lr_scheduler.LinearLR(rule, start_factor=0.1, end_factor=1.0, total_iters=9)
    cosine = lr_scheduler.CosineAnnealingLR(rule, T_max=20, eta_min=0.001)
    return lr_scheduler.SequentialLR(rule, [warm, cosine], milestones=[10])


CASES: dict[str, tuple[float, Make]] = {
    "cosine": (0.1, lambda rule: lr_scheduler.CosineAnnealingLR(rule, T_max=STEPS, eta_min=0.001)),
    "linear": (
        0.1,
        lambda rule: lr_scheduler.LinearLR(rule, start_factor=1.0, end_factor=0.2, total_iters=4 * PER_EPOCH),
    ),
    "polynomial": (0.1, lambda rule: lr_scheduler.PolynomialLR(rule, total_iters=30, power=2.5)),
    "step_decay": (0.1, lambda rule: lr_scheduler.StepLR(rule, step_size=2 * PER_EPOCH, gamma=0.3)),
    "exponential": (0.1, lambda rule: lr_scheduler.ExponentialLR(rule, gamma=0.9)),
    "one_cycle": (0.1, lambda rule: lr_scheduler.OneCycleLR(rule, max_lr=0.1, total_steps=STEPS)),
    "warm_cosine": (0.1, warm_cosine),
}


#: Rates that follow a score: what is given to ReduceLROnPlateau beside the optimizer, and which of `SCORES` it looks at.
PLATEAUS: dict[str, tuple[dict[str, Any], str]] = {
    "plateau": ({"factor": 0.5, "patience": 2}, "noisy"),
    "plateau_cooldown": ({"factor": 0.3, "patience": 1, "cooldown": 3, "min_lr": 0.004}, "noisy"),
    "plateau_share": ({"factor": 0.5, "patience": 0, "threshold": 0.1}, "falling"),
    "plateau_difference": ({"factor": 0.5, "patience": 1, "threshold": 0.1, "threshold_mode": "abs"}, "falling"),
    "plateau_max": ({"factor": 0.5, "patience": 2, "threshold": 0.05, "mode": "max"}, "rising"),
}
#: A score for each of forty epochs; some are not finite.
SCORES: dict[str, list[float]] = {
    "noisy": [(0.9**t) + 0.2 * ((7 * t) % 5) / 5 if t % 11 else float("nan") for t in range(STEPS)],
    "falling": [2.0 * 0.93**t - 0.5 for t in range(STEPS)],
    "rising": [1.0 - 0.85**t - 0.3 * (t % 3) for t in range(STEPS)],
}


def plateau_rates(options: dict[str, Any], scores: list[float]) -> list[float]:
    """The rate of each epoch."""
    rule = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    schedule = lr_scheduler.ReduceLROnPlateau(rule, **options)
    found: list[float] = []
    for score in scores:
        found.append(rule.param_groups[0]["lr"])
        rule.step()
        schedule.step(score)
    return found


def rates(start: float, make: Make) -> list[float]:
    """The rate of each step."""
    rule = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=start)
    schedule = make(rule)
    found: list[float] = []
    for _ in range(STEPS):
        found.append(rule.param_groups[0]["lr"])
        rule.step()
        if len(found) < STEPS:
            schedule.step()
    return found


def main() -> None:
    stored: dict[str, Any] = {name: rates(start, make) for name, (start, make) in CASES.items()}
    stored |= {name: plateau_rates(options, SCORES[score]) for name, (options, score) in PLATEAUS.items()}
    stored["scores"] = {name: SCORES[score] for name, (_, score) in PLATEAUS.items()}
    (Path(__file__).parent / "schedules.json").write_text(json.dumps(stored, indent=1) + "\n")


if __name__ == "__main__":
    main()
