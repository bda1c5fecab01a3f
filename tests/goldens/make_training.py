"""Makes `training.npz`: gradients and optimizer steps of the networks of `training_cases`, by PyTorch.

    python tests/goldens/make_training.py

The tests need the stored file only. Made with PyTorch 2.13 on a CPU.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from training_cases import NETS, OPTIMIZERS, STEPS, Array, batch, first_values, summary


class Lion(torch.optim.Optimizer):
    """Algorithm 2 of Chen and others, Symbolic discovery of optimization algorithms, written down."""

    def __init__(self, params: list[torch.Tensor], lr: float, weight_decay: float) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        (group,) = self.param_groups
        for p in group["params"]:
            m = self.state[p].get("m", torch.zeros_like(p))
            update = torch.sign(0.9 * m + (1 - 0.9) * p.grad)
            p.sub_(group["lr"] * (update + group["weight_decay"] * p))
            self.state[p]["m"] = 0.99 * m + (1 - 0.99) * p.grad


class RMSpropInside(torch.optim.Optimizer):
    """RMSprop with epsilon under the root, as Keras writes it."""

    def __init__(self, params: list[torch.Tensor], lr: float, alpha: float, eps: float) -> None:
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        (group,) = self.param_groups
        for p in group["params"]:
            v = self.state[p].get("v", torch.zeros_like(p))
            v = group["alpha"] * v + (1 - group["alpha"]) * p.grad**2
            p.sub_(group["lr"] * p.grad / torch.sqrt(v + group["eps"]))
            self.state[p]["v"] = v


WRITTEN: dict[str, Any] = {"Lion": Lion, "RMSpropInside": RMSpropInside}


def loss_of(net: str, params: dict[str, torch.Tensor], fields: dict[str, torch.Tensor]) -> torch.Tensor:
    """The program's formula, written again; weights are [in, out] as in the program."""
    if net == "mnist":
        hidden = torch.relu(fields["image"].flatten(1) @ params["fc1.weight"] + params["fc1.bias"])
        return functional.cross_entropy(hidden @ params["fc2.weight"] + params["fc2.bias"], fields["label"])
    hidden = torch.tanh(fields["x"] @ params["hidden.weight"] + params["hidden.bias"])
    p = torch.sigmoid(hidden @ params["out.weight"] + params["out.bias"])
    return functional.mse_loss(p, fields["y"])


def tensors(arrays: dict[str, Array], dtype: torch.dtype) -> dict[str, torch.Tensor]:
    made = {name: torch.from_numpy(array) for name, array in arrays.items()}
    return {name: t.to(dtype) if t.is_floating_point() else t for name, t in made.items()}


def run(
    net: str, optimizer: str, dtype: torch.dtype, steps: int
) -> tuple[list[float], dict[str, Array], dict[str, Array]]:
    """The losses before each step, the first step's gradients, and the parameters at the end."""
    params = {key: t.requires_grad_() for key, t in tensors(first_values(net), dtype).items()}
    _, kind, options = OPTIMIZERS[optimizer]
    maker: Any = WRITTEN.get(kind) or getattr(torch.optim, kind)
    torch.set_default_dtype(dtype)  # NAdam keeps a product of the default type
    rule = maker(list(params.values()), **({"lr": 1e-3} | options))
    losses: list[float] = []
    first: dict[str, Array] = {}
    for step in range(steps):
        rule.zero_grad()
        loss = loss_of(net, params, tensors(batch(net, step), dtype))
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            first = {key: np.array(t.grad.numpy()) for key, t in params.items()}
        rule.step()
    return losses, first, {key: t.detach().numpy() for key, t in params.items()}


def main() -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    stored: dict[str, Array] = {}
    for net in NETS:
        for optimizer in OPTIMIZERS:
            for dtype, steps in ((torch.float32, 1), (torch.float64, STEPS)):
                losses, gradients, params = run(net, optimizer, dtype, steps)
                case = f"{net}/{optimizer}/{'f32' if dtype is torch.float32 else 'f64'}"
                stored[f"{case}/loss"] = np.array(losses)
                for key, value in params.items():
                    stored[f"{case}/after/{key}"] = summary(value, key)
                    stored[f"{net}/{case[-3:]}/gradient/{key}"] = summary(gradients[key], key)
    np.savez_compressed(Path(__file__).parent / "training.npz", **stored)


if __name__ == "__main__":
    main()
