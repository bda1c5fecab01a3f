"""Writes the arrays of many cases into one golden file; trains the layer of a case."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

STEPS = 20
RATE = 0.01


def store(name: str, cases: Iterable[str], run: Callable[[str], Mapping[str, np.ndarray]]) -> None:
    """Run every case on one thread, so that sums have one order, and keep what it gives in `name` beside this file."""
    torch.set_num_threads(1)
    stored: dict[str, np.ndarray] = {}
    for case in cases:
        stored |= run(case)
    np.savez_compressed(Path(__file__).parent / name, **stored)


def train(layer: Callable[[Tensor], Tensor], x: Tensor, target: Tensor) -> Tensor:
    """Steps of Adam that make mean((layer(x + shift) - target)^2) small; the shift they come to, one number for each of a sample.

    The layer is trained in place. What counts from 0 in `x` has no shift.
    """
    shift = torch.zeros(x.shape[1:], dtype=torch.float64, requires_grad=x.is_floating_point())
    learning = [value for value in layer.parameters() if value.requires_grad] if isinstance(layer, nn.Module) else []
    rule = torch.optim.Adam([*learning, shift] if shift.requires_grad else learning, lr=RATE)
    fixed, target = x.detach(), target.detach()
    for _ in range(STEPS):
        rule.zero_grad()
        loss = (layer(fixed + shift if shift.requires_grad else fixed) - target).square().mean()
        loss.backward()
        rule.step()
    return shift
