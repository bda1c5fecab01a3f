"""Makes `padded_sequences.npz`: PyTorch's recurrent layers over packed sequences and from first states, in float64.

    python tests/goldens/make_padded_sequences.py

The gradients are those of the sum of every result times a random tensor. Cases of lengths alone are then trained, as
`storing.train` does, towards the tensor of their result. The tests need the stored file only. Made with
PyTorch 2.13 on a CPU.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from make_sequence_layers import UNITS, Recurrent
from padded_sequences_cases import CASES, LENGTHS
from storing import store, train
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

SHAPE = (4, 5, 3)


class Padded(Recurrent):
    """A recurrent layer that respects lengths; the way back alone is that half of a layer of both ways."""

    def __init__(self, kind: str, *, reverse: bool = False, both: bool = False, **options: Any) -> None:
        super().__init__(kind, bidirectional=reverse or both, **options)
        self.back = reverse

    def run(self, x: Tensor, lengths: Tensor | None, first: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The outputs of all steps and the last states, by name."""
        packed = x
        if lengths is not None:
            packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        states = tuple(state.expand(1 + self.layer.bidirectional, *state.shape) for state in first.values())
        y, last = self.layer(packed, states if len(states) > 1 else states[0] if states else None)
        if lengths is not None:
            y, _ = pad_packed_sequence(y, batch_first=True, total_length=x.shape[1])
        after = last if isinstance(last, tuple) else (last,)
        if not self.layer.bidirectional or self.back:
            y = y[..., -UNITS:]
            after = tuple(state[-1] for state in after)
        else:
            after = tuple(torch.cat(list(state), -1) for state in after)
        return {"y": y, **dict(zip(("h", "c"), after, strict=False))}

    def named(self) -> Iterator[tuple[str, Tensor, Tensor]]:
        """Parameters as this project has them, with their gradients."""
        for name, value, slope in super().named():
            if not self.back:
                yield name, value, slope
            elif name.startswith("backward."):
                yield name.removeprefix("backward."), value, slope


def made(case: str) -> Padded:
    """The layer of a case, as PyTorch has it."""
    text = CASES[case][0]
    kind = next(kind for kind in ("LSTM", "GRU", "RNN") if kind in text)
    options = {"nonlinearity": "relu"} if "relu" in text else {}
    return Padded(kind, reverse="reverse" in text, both="Bidirectional" in text, **options)


def run(case: str) -> dict[str, np.ndarray]:
    """One case: what goes in, what comes out, and all gradients."""
    torch.manual_seed(0)
    text, operands, results = CASES[case]
    layer = made(case).double()
    for value in layer.parameters():
        nn.init.normal_(value, std=0.7)
    x = torch.randn(SHAPE, dtype=torch.float64, requires_grad=True)
    first = {
        name: torch.randn(SHAPE[0], UNITS, dtype=torch.float64, requires_grad=True)
        for name in operands
        if name != "lengths"
    }
    found = layer.run(x, torch.tensor(LENGTHS) if "lengths" in operands else None, first)
    if "return_sequences = false" in text:
        found["y"] = found["h"]
    found = {name: found[name] for name in results}
    weights = {f"of_{name}": torch.randn_like(value) for name, value in found.items()}
    torch.stack([(value * weights[f"of_{name}"]).sum() for name, value in found.items()]).sum().backward()
    arrays = {"x": x, **first, **found, **weights}
    for name, value in {"x": x, **first}.items():
        assert value.grad is not None
        arrays[f"d {name}"] = value.grad
    for name, value, slope in layer.named():
        arrays |= {f"param {name}": value, f"d {name}": slope}
    found = {f"{case}/{name}": value.detach().numpy().copy() for name, value in arrays.items()}
    return found | (
        {f"{case}/{name}": value for name, value in after(case, layer, x, weights["of_y"]).items()}
        if alone(case)
        else {}
    )


def alone(case: str) -> bool:
    """Whether a case has lengths alone, and one result."""
    _, operands, results = CASES[case]
    return operands == ("lengths",) and results == ("y",)


class Answer(nn.Module):
    """What a case answers to its input."""

    def __init__(self, case: str, layer: Padded) -> None:
        super().__init__()
        self.layer = layer
        self.result = "h" if "return_sequences = false" in CASES[case][0] else "y"

    def forward(self, x: Tensor) -> Tensor:
        return self.layer.run(x, torch.tensor(LENGTHS), {})[self.result]


def after(case: str, layer: Padded, x: Tensor, target: Tensor) -> dict[str, np.ndarray]:
    """Parameters, and the shift of the input, after steps of training."""
    shift = train(Answer(case, layer), x, target)
    found = {f"trained it.{name}": value for name, value, _ in layer.named()} | {"trained shift": shift}
    return {name: value.detach().numpy().copy() for name, value in found.items()}


if __name__ == "__main__":
    store("padded_sequences.npz", CASES, run)
