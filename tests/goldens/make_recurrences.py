"""Makes `recurrences.npz`: outputs, final states and gradients of PyTorch's recurrent layers, in float64.

    python tests/goldens/make_recurrences.py

Weights are stored as [in, out], gates in PyTorch's order. The gradients are those of sum(y * of_y) + sum(h * of_h), `h` the
final hidden states. The tests need the stored file only. Made with PyTorch 2.13 on a CPU.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from storing import store

BATCH, FEATURES, UNITS = 2, 3, 4
CASES: dict[str, tuple[str, dict[str, Any], int]] = {
    "lstm-two-layers": ("LSTM", {"num_layers": 2}, 7),
    "lstm-one-step": ("LSTM", {"num_layers": 2}, 1),
    "lstm-both-ways": ("LSTM", {"bidirectional": True}, 5),
    "gru": ("GRU", {}, 6),
    "rnn": ("RNN", {"nonlinearity": "tanh"}, 6),
}


def run(case: str) -> dict[str, np.ndarray]:
    kind, options, steps = CASES[case]
    torch.manual_seed(0)
    layer = getattr(torch.nn, kind)(FEATURES, UNITS, **options).double()
    x = torch.randn(steps, BATCH, FEATURES, dtype=torch.float64, requires_grad=True)
    y, last = layer(x)
    h = last[0] if kind == "LSTM" else last
    of_y, of_h = torch.randn_like(y), torch.randn_like(h)
    ((y * of_y).sum() + (h * of_h).sum()).backward()
    found = {"x": x, "y": y, "h": h, "of_y": of_y, "of_h": of_h, "d x": x.grad}
    for name, value in layer.named_parameters():
        is_weight = name.startswith("weight")
        found[name] = value.T if is_weight else value
        found[f"d {name}"] = value.grad.T if is_weight else value.grad
    return {f"{case}/{name}": value.detach().numpy() for name, value in found.items()}


if __name__ == "__main__":
    store("recurrences.npz", CASES, run)
