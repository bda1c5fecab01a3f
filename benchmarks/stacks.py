"""The stacks: how each one builds a workload and runs its training step. Each is imported in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.workloads import Workload

STACKS = ("dslc", "torch", "torch-fused")


@dataclass(frozen=True, slots=True)
class Built:
    """A workload ready to run: `step` runs one training step; `gradients` are those of the first, without dropout."""

    step: Callable[[], object]
    gradients: Callable[[], Mapping[str, np.ndarray]]


def load(stack: str, threads: int) -> None:
    """Import the stack, so that memory can be read before anything is built."""
    if stack == "dslc":
        pass
    else:
        import torch

        torch.set_num_threads(threads)


def build(stack: str, workload: Workload) -> Built:
    """Build a workload in a stack."""
    return _dslc(workload) if stack == "dslc" else _torch(workload, fused=stack == "torch-fused")


def _dslc(workload: Workload) -> Built:
    import dslc

    program = dslc.parse(workload.program, name="benchmark.dl")
    data = dict(workload.data())
    trainer = program.trainer("step")
    _set(trainer, workload)

    def gradients() -> Mapping[str, np.ndarray]:
        plain = program.trainer("step", set={workload.dropout: 0.0} if workload.dropout else {})
        _set(plain, workload)
        return plain.gradients(data)[1]

    return Built(lambda: trainer.step(data), gradients)


def _set(trainer: object, workload: Workload) -> None:
    for key, value in workload.params().items():
        trainer.models["net"].params[key][...] = value  # type: ignore[attr-defined]


def _torch(workload: Workload, *, fused: bool) -> Built:
    import torch
    from torch import nn

    first, second = (nn.Linear(n, m) for n, m in zip(workload.widths, workload.widths[1:], strict=False))
    values = list(workload.params().values())

    def set_first_values() -> None:
        with torch.no_grad():
            for layer, weight, bias in ((first, *values[:2]), (second, *values[2:])):
                layer.weight.copy_(torch.from_numpy(weight.T))
                layer.bias.copy_(torch.from_numpy(bias))

    set_first_values()
    dropout = nn.Dropout(0.2)
    if workload.net == "xor":
        net, loss_of = nn.Sequential(first, nn.Tanh(), second, nn.Sigmoid()), nn.MSELoss()
    else:
        net, loss_of = nn.Sequential(first, nn.ReLU(), dropout, second), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(net.parameters(), workload.lr, fused=fused or None)
    x, target = (torch.from_numpy(value) for value in workload.data().values())

    def step() -> None:
        optimizer.zero_grad()
        loss = loss_of(net(x), target)
        loss.backward()
        optimizer.step()
        loss.item()  # a training loop reads its loss; so does the other stack

    def gradients() -> Mapping[str, np.ndarray]:
        set_first_values()
        optimizer.zero_grad()
        net.eval()
        loss_of(net(x), target).backward()
        found = [p.grad.numpy().T.copy() for p in (first.weight, first.bias, second.weight, second.bias)]
        net.train()
        optimizer.zero_grad()
        return dict(zip(workload.params(), found, strict=True))

    return Built(step, gradients)
