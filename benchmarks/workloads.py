"""The workloads: a program, its parameters' first values, and one batch, the same for every stack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

_XOR = """
dim B
model Xor(hidden: int = 8) {
  input  x: f32[B, 2]
  output p: f32[B, 1]
  p = x |> hidden: Dense(hidden) |> tanh |> out: Dense(1) |> sigmoid
}
data table {
  source = inline({ x: [[0, 0], [0, 1], [1, 0], [1, 1]], y: [[0], [1], [1], [0]] })
  field x: f32[2] = source["x"]
  field y: f32[1] = source["y"]
}
train step {
  use net   = Xor()
  data      = table
  loss      = mse(net.p, data.y)
  optimizer = adam(lr = 0.01)
  batch     = all
}
"""

_MLP = """
dim B
model MLP(p: float = 0.2) {
  input  image: f32[B, 784]
  output logits: f32[B, 10]
  logits = image |> fc1: Dense(128) |> relu |> Dropout(p) |> fc2: Dense(10)
}
data digits {
  source = npz("unused.npz")
  field image: f32[784] = source["image"]
  field label: i64[]    = source["label"]
}
train step {
  use net   = MLP()
  data      = digits
  loss      = cross_entropy(net.logits, data.label)
  optimizer = adam(lr = 1e-3)
  batch     = 32
}
"""


@dataclass(frozen=True, slots=True)
class Workload:
    """One training step.

    Attributes:
        title: what is trained, for the table.
        program: the `.dl` text; its train block is named `step`.
        net: which network `torch_stack` builds.
        widths: sizes of the dense layers, inputs first.
        batch: samples per step.
        lr: Adam's learning rate.
        dropout: the path of the setting that switches dropout, for comparing gradients; "" where there is none.
        goal: the ratio against PyTorch's default eager step that is asked for.
    """

    title: str
    program: str
    net: str
    widths: tuple[int, ...]
    batch: int
    lr: float
    dropout: str
    goal: float

    def params(self) -> dict[str, np.ndarray]:
        """First values by key, uniform in +-1/sqrt(fan_in), weights as [in, out]."""
        generator = np.random.Generator(np.random.Philox(11))
        names = ("hidden", "out") if self.net == "xor" else ("fc1", "fc2")
        found: dict[str, np.ndarray] = {}
        for name, n, m in zip(names, self.widths, self.widths[1:], strict=False):
            bound = n**-0.5
            found[f"{name}.weight"] = generator.uniform(-bound, bound, (n, m)).astype(np.float32)
            found[f"{name}.bias"] = generator.uniform(-bound, bound, m).astype(np.float32)
        return found

    def data(self) -> Mapping[str, np.ndarray]:
        """One batch by field."""
        if self.net == "xor":
            x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
            return {"x": x, "y": np.array([[0], [1], [1], [0]], np.float32)}
        generator = np.random.Generator(np.random.Philox(12))
        image = generator.random((self.batch, self.widths[0]), np.float32)
        # As in MNIST, four fifths of the pixels are background.
        image *= generator.random(image.shape) < 0.2
        return {"image": image, "label": generator.integers(0, self.widths[-1], self.batch)}


WORKLOADS = {
    "xor": Workload("XOR 2-8-1, batch 4, Adam", _XOR, "xor", (2, 8, 1), 4, 0.01, "", 8.0),
    "mlp32": Workload(
        "MNIST MLP 784-128-10, batch 32, dropout, Adam", _MLP, "mlp", (784, 128, 10), 32, 1e-3, "train.step.net.p", 1.5
    ),
    "mlp256": Workload(
        "MNIST MLP 784-128-10, batch 256, dropout, Adam",
        _MLP,
        "mlp",
        (784, 128, 10),
        256,
        1e-3,
        "train.step.net.p",
        1.5,
    ),
}
