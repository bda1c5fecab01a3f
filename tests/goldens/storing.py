"""Writes the arrays of many cases into one golden file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import torch


def store(name: str, cases: Iterable[str], run: Callable[[str], Mapping[str, np.ndarray]]) -> None:
    """Run every case on one thread, so that sums have one order, and keep what it gives in `name` beside this file."""
    torch.set_num_threads(1)
    stored: dict[str, np.ndarray] = {}
    for case in cases:
        stored |= run(case)
    np.savez_compressed(Path(__file__).parent / name, **stored)
