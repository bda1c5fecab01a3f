"""Makes `flops.json`: operations of matrix products as PyTorch counts them, for `tests/driver/test_flops_against_pytorch.py`.

Run it with PyTorch installed: ``python tests/goldens/make_flops.py``. A count of forward, and one of forward and backward together,
where the data needs no gradient.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

BATCH = 6


def mlp() -> torch.Tensor:
    net = torch.nn.Sequential(torch.nn.Linear(20, 30), torch.nn.ReLU(), torch.nn.Linear(30, 10), torch.nn.Linear(10, 3))
    return net(torch.randn(BATCH, 20)).square().mean()


def tied() -> torch.Tensor:
    encode = torch.nn.Linear(20, 4)
    return torch.sigmoid(torch.relu(encode(torch.randn(BATCH, 20))) @ encode.weight).mean()


def attention() -> torch.Tensor:
    query, key, value = (torch.nn.Linear(8, 5) for _ in range(3))
    x = torch.randn(BATCH, 7, 8)
    return (torch.softmax(query(x) @ key(x).transpose(1, 2), dim=-1) @ value(x)).mean()


def twice() -> torch.Tensor:
    shared = torch.nn.Linear(9, 9, bias=False)
    return shared(torch.tanh(shared(torch.randn(BATCH, 9)))).mean()


def counted(model: Callable[[], torch.Tensor]) -> dict[str, int]:
    with FlopCounterMode(display=False) as forward:
        model()
    with FlopCounterMode(display=False) as step:
        model().backward()
    return {"inference": forward.get_total_flops(), "training step": step.get_total_flops()}


if __name__ == "__main__":
    found = {model.__name__: counted(model) for model in (mlp, tied, attention, twice)}
    Path(__file__).with_name("flops.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
