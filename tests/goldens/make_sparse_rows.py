"""Makes `sparse_rows.npz`: word vectors trained by several optimizers, by PyTorch in float64.

    python tests/goldens/make_sparse_rows.py

The tests need the stored file only. Made with PyTorch 2.13 on a CPU.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

import numpy as np
import torch
from sparse_rows_cases import OPTIMIZERS, READ, STEPS, batch, first_values
from storing import store
from torch.nn import functional

Rule: TypeAlias = Callable[[Iterable[torch.Tensor]], torch.optim.Optimizer]

RULES: dict[str, Rule] = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.5),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.1),
    "adagrad slowing": lambda p: torch.optim.Adagrad(p, lr=0.1, lr_decay=0.1, initial_accumulator_value=0.01),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.5, momentum=0.9),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
}


def run(case: str) -> dict[str, np.ndarray]:
    """The losses, the rows of the table that batches read, and the other parameters after the last step."""
    p = {key: torch.from_numpy(array).requires_grad_() for key, array in first_values().items()}
    rule = RULES[case](p.values())
    losses: list[float] = []
    for step in range(STEPS):
        fields = {name: torch.from_numpy(array) for name, array in batch(step).items()}
        hidden = functional.embedding(fields["words"], p["table"]).mean(1)
        loss = functional.cross_entropy(hidden @ p["head.weight"] + p["head.bias"], fields["label"])
        rule.zero_grad()
        loss.backward()
        rule.step()
        losses.append(loss.item())
    after = {key: value.detach().numpy() for key, value in p.items()}
    after["table"] = after["table"][READ]
    return {f"{case}/losses": np.array(losses), **{f"{case}/after/{key}": value for key, value in after.items()}}


if __name__ == "__main__":
    store("sparse_rows.npz", OPTIMIZERS, run)
