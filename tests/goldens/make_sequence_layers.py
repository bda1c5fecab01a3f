"""Makes `sequence_layers.npz`: outputs and gradients of PyTorch's layers on sequences, in float64.

    python tests/goldens/make_sequence_layers.py

The gradients are those of sum(y * of_y). A layer's parameters are drawn at random. `trained` is what they are after steps towards
of_y. The tests need the stored file only. Made with PyTorch 2.13 on a CPU.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from sequence_layers_cases import CASES
from storing import store, train
from torch import Tensor, nn

IDS = {"i64": torch.int64, "i32": torch.int32}

UNITS = 4


class Recurrent(nn.Module):
    """A layer of PyTorch over [batch, time, features], with weights as [in, out] and one bias where there is one here."""

    def __init__(self, kind: str, *, reverse: bool = False, last: bool = False, **options: Any) -> None:
        super().__init__()
        self.layer = getattr(nn, kind)(3, UNITS, batch_first=True, **options)
        self.kind, self.reverse, self.last = kind, reverse, last
        for name, value in self.layer.named_parameters():
            if name.startswith("bias_hh") and kind != "GRU":
                value.requires_grad_(requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        y, _ = self.layer(x.flip(1) if self.reverse else x)
        if self.layer.bidirectional and self.last:
            return torch.cat([y[:, -1, :UNITS], y[:, 0, UNITS:]], 1)
        y = y[:, -1:] if self.last else y.flip(1) if self.reverse else y
        return y[:, 0] if self.last else y

    def named(self) -> Iterator[tuple[str, Tensor, Tensor]]:
        """Parameters as this project has them, with their gradients."""
        for name, value in self.layer.named_parameters():
            if value.grad is None:
                continue
            known, way = name.removesuffix("_reverse").removesuffix("_l0"), ""
            if self.layer.bidirectional:
                way = "backward." if name.endswith("_reverse") else "forward."
            if known.startswith("weight"):
                yield way + known, value.T, value.grad.T
            elif self.kind == "GRU":
                yield way + known, value, value.grad
            else:
                other = getattr(self.layer, name.replace("bias_ih", "bias_hh"))
                yield f"{way}bias", value + other, value.grad


class ResetBefore(nn.Module):
    """A GRU whose reset gate acts on the state before the product, of PyTorch's functions."""

    def __init__(self, *, bias: bool = True) -> None:
        super().__init__()
        self.layer = nn.GRUCell(3, UNITS, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        w, u = self.layer.weight_ih.chunk(3), self.layer.weight_hh.chunk(3)
        b = (self.layer.bias_ih + self.layer.bias_hh).chunk(3) if self.layer.bias else (0, 0, 0)
        h, found = x.new_zeros(len(x), UNITS), []
        for step in x.unbind(1):
            reset, renewal = (torch.sigmoid(step @ w[k].T + h @ u[k].T + b[k]) for k in (0, 1))
            new = torch.tanh(step @ w[2].T + (reset * h) @ u[2].T + b[2])
            h = (1 - renewal) * new + renewal * h
            found.append(h)
        return torch.stack(found, 1)

    def named(self) -> Iterator[tuple[str, Tensor, Tensor]]:
        """Parameters as this project has them, with their gradients."""
        for name, value in self.layer.named_parameters():
            assert value.grad is not None
            turned = name.startswith("weight")
            yield name, value.T if turned else value, value.grad.T if turned else value.grad


class Table(nn.Embedding):
    def named(self) -> Iterator[tuple[str, Tensor, Tensor]]:
        """The table and its gradient."""
        assert self.weight.grad is not None
        yield "weight", self.weight, self.weight.grad


LAYERS: dict[str, Callable[[], Table | Recurrent | ResetBefore]] = {
    "embedding": lambda: Table(7, 4),
    "embedding-small-ids": lambda: Table(7, 4),
    "embedding-one-id": lambda: Table(3, 2),
    "embedding-padding": lambda: Table(7, 4, padding_idx=0),
    "embedding-padding-from-the-end": lambda: Table(3, 2, padding_idx=-1),
    "rnn": lambda: Recurrent("RNN"),
    "rnn-two-steps": lambda: Recurrent("RNN"),
    "rnn-one-step": lambda: Recurrent("RNN"),
    "rnn-relu": lambda: Recurrent("RNN", nonlinearity="relu"),
    "lstm": lambda: Recurrent("LSTM"),
    "lstm-two-steps": lambda: Recurrent("LSTM"),
    "lstm-one-step": lambda: Recurrent("LSTM"),
    "lstm-without-bias": lambda: Recurrent("LSTM", bias=False),
    "lstm-last": lambda: Recurrent("LSTM", last=True),
    "lstm-reverse": lambda: Recurrent("LSTM", reverse=True),
    "lstm-reverse-last": lambda: Recurrent("LSTM", reverse=True, last=True),
    "gru": lambda: Recurrent("GRU"),
    "gru-two-steps": lambda: Recurrent("GRU"),
    "gru-one-step": lambda: Recurrent("GRU"),
    "gru-without-bias": lambda: Recurrent("GRU", bias=False),
    "lstm-both-ways": lambda: Recurrent("LSTM", bidirectional=True),
    "gru-both-ways-last": lambda: Recurrent("GRU", bidirectional=True, last=True),
    "gru-reset-before": ResetBefore,
    "gru-reset-before-without-bias": lambda: ResetBefore(bias=False),
}


def run(case: str) -> dict[str, np.ndarray]:
    """One case: what goes in, what comes out, and all gradients."""
    torch.manual_seed(0)
    layer = LAYERS[case]().double()
    for value in layer.parameters():
        nn.init.normal_(value, std=0.7)
    if isinstance(layer, Table) and layer.padding_idx is not None:
        nn.init.zeros_(layer.weight[layer.padding_idx])
    _, shape, dtype = CASES[case]
    if isinstance(layer, Table):
        x = torch.randint(layer.num_embeddings, shape).to(IDS[dtype])
    else:
        x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    y = layer(x)
    of_y = torch.randn_like(y)
    (y * of_y).sum().backward()
    found = {"x": x, "y": y, "of_y": of_y}
    if x.grad is not None:
        found["d x"] = x.grad
    for name, value, slope in layer.named():
        found |= {f"param {name}": value, f"d {name}": slope}
    found = {name: value.detach().clone() for name, value in found.items()}
    if x.ndim:
        found["trained shift"] = train(layer, x, of_y)
        found |= {f"trained it.{name}": value for name, value, _ in layer.named()}
    return {f"{case}/{name}": value.detach().numpy() for name, value in found.items()}


if __name__ == "__main__":
    store("sequence_layers.npz", CASES, run)
