"""Makes `steps.npz`: trainings with several objectives, clipping, penalties and frozen parameters, by PyTorch in float64.

    python tests/goldens/make_steps.py

The tests need the stored file only. Made with PyTorch 2.13 on a CPU.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from steps_cases import LINES, NET_SHAPES, SHAPES, STEPS, Array, batch, first_values
from torch.nn import functional
from torch.optim.swa_utils import get_ema_avg_fn

Params = dict[str, torch.Tensor]


def tensors(arrays: dict[str, Array]) -> Params:
    return {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}


def generator(p: Params, z: torch.Tensor) -> torch.Tensor:
    return torch.tanh(z @ p["g.fc1.weight"] + p["g.fc1.bias"]) @ p["g.fc2.weight"] + p["g.fc2.bias"]


def critic(p: Params, x: torch.Tensor) -> torch.Tensor:
    hidden = functional.leaky_relu(x @ p["d.fc1.weight"] + p["d.fc1.bias"], 0.2)
    return hidden @ p["d.fc2.weight"] + p["d.fc2.bias"]


def bce(scores: torch.Tensor, target: float) -> torch.Tensor:
    return functional.binary_cross_entropy_with_logits(scores, torch.full_like(scores, target))


def gan(of_critic: tuple[str, ...], of_generator: tuple[str, ...]) -> tuple[Array, Params]:
    """Alternating steps: (losses [STEPS, 2], parameters); arguments are beginnings of the keys each step updates."""
    p = {key: t.requires_grad_() for key, t in tensors(first_values(SHAPES)).items()}
    first = torch.optim.Adam([t for key, t in p.items() if key.startswith(of_critic)], lr=0.01, betas=(0.5, 0.999))
    second = torch.optim.SGD([t for key, t in p.items() if key.startswith(of_generator)], lr=0.05, momentum=0.9)
    losses: list[list[float]] = []
    for step in range(STEPS):
        fields = tensors(batch(step))
        a = bce(critic(p, fields["x"]), 1) + bce(critic(p, generator(p, fields["z"])), 0)
        update(p, first, a)
        b = bce(critic(p, generator(p, fields["z"])), 1)
        update(p, second, b)
        losses.append([a.item(), b.item()])
    return np.array(losses), p


def update(p: Params, rule: Any, loss: torch.Tensor) -> None:
    for t in p.values():
        t.grad = None
    loss.backward()
    rule.step()


def line(options: dict[str, Any]) -> tuple[Array, Params]:
    p = {key: t.requires_grad_() for key, t in tensors(first_values(NET_SHAPES)).items()}
    learning = {key: t for key, t in p.items() if "frozen" not in options or not key.startswith(options["frozen"])}
    rule = torch.optim.SGD(list(learning.values()), lr=0.2, momentum=0.9)
    losses: list[float] = []
    for step in range(STEPS):
        fields = tensors(batch(step))
        hidden = torch.tanh(fields["x"] @ p["fc1.weight"] + p["fc1.bias"])
        loss = functional.mse_loss(hidden @ p["fc2.weight"] + p["fc2.bias"], fields["t"])
        for name, norm in (("l1", torch.abs), ("l2", torch.square)):
            if name in options:
                factor, part = options[name]
                loss = loss + factor * sum(norm(t).sum() for key, t in learning.items() if part in key)
        batches = options.get("accumulate", 1)
        (loss / batches).backward()
        losses.append(loss.item())
        if (step + 1) % batches:
            continue
        if "clip_norm" in options:
            torch.nn.utils.clip_grad_norm_(list(learning.values()), options["clip_norm"])
        if "clip_value" in options:
            torch.nn.utils.clip_grad_value_(list(learning.values()), options["clip_value"])
        rule.step()
        rule.zero_grad()
        if "ema" in options:
            average(p, (step + 1) // batches, options)
    return np.array(losses), p


def average(p: Params, update: int, options: dict[str, Any]) -> None:
    """The running mean, under the keys `average of KEY`; the first update copies, as AveragedModel does."""
    decay = min(options["ema"], update / (update + 9)) if "warmup" in options else options["ema"]
    mean = get_ema_avg_fn(decay)
    for key, t in list(p.items()):
        if key.startswith("average of "):
            continue
        old = p.get(f"average of {key}")
        now = t.detach().clone()
        p[f"average of {key}"] = now if old is None else mean(old, now, torch.tensor(update))


def main() -> None:
    torch.set_num_threads(1)
    cases = {name: line(dict(case.options)) for name, case in LINES.items()}
    cases["gan"] = gan(("d.",), ("g.",))
    cases["shared"] = gan(("d.", "g."), ("g.fc1.",))
    stored: dict[str, Array] = {}
    for name, (losses, params) in cases.items():
        stored[f"{name}/losses"] = losses
        stored |= {f"{name}/after/{key}": t.detach().numpy() for key, t in params.items()}
    np.savez_compressed(Path(__file__).parent / "steps.npz", **stored)


if __name__ == "__main__":
    main()
