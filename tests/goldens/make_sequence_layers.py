"""Makes `sequence_layers.npz`: outputs and gradients of PyTorch's layers on sequences, in float64.

    python tests/goldens/make_sequence_layers.py

The gradients are those of sum(y * of_y). A layer's parameters are drawn at random. The tests need the stored file only. Made with
PyTorch 2.13 on a CPU.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from sequence_layers_cases import CASES
from torch import Tensor, nn

IDS = {"i64": torch.int64, "i32": torch.int32}

LAYERS: dict[str, Callable[[], nn.Module]] = {
    "embedding": lambda: nn.Embedding(7, 4),
    "embedding-small-ids": lambda: nn.Embedding(7, 4),
    "embedding-one-id": lambda: nn.Embedding(3, 2),
}


def run(case: str) -> dict[str, np.ndarray]:
    """One case: what goes in, what comes out, and all gradients."""
    torch.manual_seed(0)
    layer = LAYERS[case]().double()
    for value in layer.parameters():
        nn.init.normal_(value)
    _, shape, dtype = CASES[case]
    found: dict[str, Tensor] = {}
    if isinstance(layer, nn.Embedding):
        x = torch.randint(layer.num_embeddings, shape).to(IDS[dtype])
    else:
        x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    y = layer(x)
    of_y = torch.randn_like(y)
    (y * of_y).sum().backward()
    found = {"x": x, "y": y, "of_y": of_y}
    if x.grad is not None:
        found["d x"] = x.grad
    for name, value in layer.named_parameters():
        assert value.grad is not None
        found |= {f"param {name}": value, f"d {name}": value.grad}
    return {f"{case}/{name}": value.detach().numpy() for name, value in found.items()}


def main() -> None:
    torch.set_num_threads(1)
    stored: dict[str, np.ndarray] = {}
    for case in CASES:
        stored |= run(case)
    np.savez_compressed(Path(__file__).parent / "sequence_layers.npz", **stored)


if __name__ == "__main__":
    main()
