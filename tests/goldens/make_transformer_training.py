"""Makes `transformer_training.npz`: twenty steps of a classifier with a layer of PyTorch's Transformer encoder, in float64.

    python tests/goldens/make_transformer_training.py

Stored are the losses before each step and the parameters at the end. The test needs the stored file only. Made with PyTorch 2.13 on
a CPU.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from make_attention_layers import later, linear, named
from storing import store
from torch import Tensor, nn
from torch.nn import functional
from transformer_training_cases import CASES, CLASSES, SHAPE, STEPS, batch, first_values

LAYERS: dict[str, dict[str, Any]] = {
    "adam": {"activation": "relu"},
    "norm-first": {"activation": "gelu", "norm_first": True},
    "causal": {},
}


class Reader(nn.Module):
    def __init__(self, case: str) -> None:
        super().__init__()
        self.causal = case == "causal"
        self.enc = nn.TransformerEncoderLayer(SHAPE[2], 2, 16, dropout=0, batch_first=True, **LAYERS[case])
        self.head = nn.Linear(SHAPE[2], CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.enc(x, later(x.shape[1]) if self.causal else None).mean(1))

    def start(self) -> None:
        """Take the first values that the test takes too."""
        values = {key: torch.from_numpy(value.copy()) for key, value in first_values().items()}
        packed = {
            kind: [values.pop(f"enc.attend.{part}.{kind}") for part in ("query", "key", "value")] for kind in KINDS
        }
        attend = self.enc.self_attn
        attend.in_proj_weight.data = torch.cat([weight.T for weight in packed["weight"]])
        attend.in_proj_bias.data = torch.cat(packed["bias"])
        names = {"attend.out": "self_attn.out_proj", ".up": ".linear1", ".down": ".linear2"}
        for key, value in values.items():
            path = key
            for ours, theirs in names.items():
                path = path.replace(ours, theirs)
            self.get_parameter(path).data = value.T if value.ndim == 2 else value


KINDS = ("weight", "bias")


def run(case: str) -> dict[str, np.ndarray]:
    """The losses before each step, and the parameters at the end."""
    net = Reader(case).double()
    net.start()
    rule: torch.optim.Optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    if case == "causal":
        rule = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    losses: list[float] = []
    for step in range(STEPS):
        x, label = (torch.from_numpy(array) for array in batch(step))
        rule.zero_grad()
        loss = functional.cross_entropy(net(x), label)
        loss.backward()
        losses.append(loss.item())
        rule.step()
    found = {f"enc.{name}": value for name, value, _ in named(net.enc)}
    found |= {name: value for name, value, _ in linear("head", net.head)}
    stored = {f"{case}/after/{name}": value.detach().numpy() for name, value in found.items()}
    return {f"{case}/loss": np.array(losses), **stored}


if __name__ == "__main__":
    store("transformer_training.npz", CASES, run)
