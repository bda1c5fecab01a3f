"""PyTorch: eager with the default optimizer, with the fused one, and compiled."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from benchmarks.case import Case
from benchmarks.stacks.built import Built
from benchmarks.stacks.torch_nets import twin
from benchmarks.workloads import RATE, Array


def load(threads: int) -> None:
    """Run with so many threads."""
    torch.set_num_threads(threads)


def build(case: Case, variant: str, threads: int) -> Built:
    """Make a case ready to run; the variants are "fused" and "compile"."""
    del threads
    made = twin(case.workload.program, {key: value.shape for key, value in case.params.items()})
    net = torch.compile(made.net) if variant == "compile" else made.net
    loss_of = nn.CrossEntropyLoss() if case.classifies else nn.MSELoss()
    (x,), target = map(torch.from_numpy, case.inputs), torch.from_numpy(case.target)

    def set_first_values() -> None:
        with torch.no_grad():
            for key, slot in made.slots.items():
                slot.view(slot.param).copy_(torch.from_numpy(case.params[key]))

    set_first_values()
    optimizer = _optimizer(case.workload.optimizer, made.net, fused=variant == "fused")

    def run(steps: int) -> None:
        for _ in range(steps):
            optimizer.zero_grad()
            loss = loss_of(net(x), target)
            loss.backward()
            optimizer.step()
            loss.item()  # a training loop reads its loss; so do the other stacks

    def gradients() -> Mapping[str, Array]:
        set_first_values()
        optimizer.zero_grad()
        # Without dropout, but for recurrent layers in training mode: there is nothing to drop, and that is what is timed.
        for module in made.net.modules():
            if isinstance(module, nn.Dropout):
                module.eval()
        loss_of(made.net(x), target).backward()
        found = {key: slot.view(_gradient(slot.param)).numpy().copy() for key, slot in made.slots.items()}
        made.net.train()
        optimizer.zero_grad()
        return found

    return Built(run, gradients)


def _gradient(param: nn.Parameter) -> torch.Tensor:
    assert param.grad is not None
    return param.grad


def _optimizer(name: str, net: nn.Module, *, fused: bool) -> torch.optim.Optimizer:
    if name == "adam":
        return torch.optim.Adam(net.parameters(), RATE, fused=fused or None)
    momentum = 0.9 if name == "momentum" else 0.0
    return torch.optim.SGD(net.parameters(), RATE, momentum=momentum, fused=fused or None)
