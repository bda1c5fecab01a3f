"""Small programs and data that the tests of the driver, the command line and the API share."""

from __future__ import annotations

from pathlib import Path

import numpy as np

TOY = """\
dim B

## Tells three kinds of points apart.
model Toy(hidden: int = 4) {
  input  x: f32[B, 3]
  output logits: f32[B, 3]
  logits = x |> fc1: Dense(hidden) |> relu |> Dropout(0.1) |> fc2: Dense(3)
}

data points {
  source = {
    train: npz("toy.npz", x = "x", y = "y"),
    test:  npz("toy.npz", x = "tx", y = "ty"),
  }
  field x: f32[3] = source["x"] / 10
  field label: i64[] = source["y"]
  split = { val: 0.25 }
}

train toy {
  use net   = Toy()
  data      = points
  loss      = cross_entropy(net.logits, data.label)
  metrics   = { acc: accuracy(net.logits, data.label) }
  optimizer = adam(lr = 0.05)
  batch     = 8
  epochs    = 3
}

test "learns" {
  train toy
  given x = zeros([2, 3])
  expect shape(net.logits) == [2, 3]
  expect onnx(net.logits) ~= net.logits within 1e-5
  expect train.loss < 1.5
}

test "no units" { use net = Toy(hidden = 0); expect error DL2007 }
"""

LOOKUP = """\
dim B
model Lookup {
  input  ids: i64[B]
  output y: f32[B, 2]
  param table: f32[5, 2] = normal(0, 1)
  y = gather(table, ids)
}
data rows {
  source = inline({ ids: [0, 1, 2], t: [[0, 1], [1, 1], [0, 0]] })
  field ids: i64[] = source["ids"]
  field t: f32[2]  = source["t"]
}
train lookup {
  use net  = Lookup()
  data     = rows
  loss     = mse(net.y, data.t)
  epochs   = 2
}
"""


def arrays(highest: int = 2) -> dict[str, np.ndarray]:
    """40 and 20 points in three classes; the class ids go up to `highest`."""
    generator = np.random.Generator(np.random.Philox(5))
    x = generator.standard_normal((60, 3)).astype(np.float32)
    y = (x.sum(1) > 0).astype(np.int64) + (x[:, 0] > 0.8)
    y[3] = y[45] = highest
    return {"x": x[:40] * 10, "y": y[:40], "tx": x[40:] * 10, "ty": y[40:]}


def write_toy(folder: Path, text: str = TOY) -> Path:
    """The program and its data in a folder; the program's path."""
    np.savez(folder / "toy.npz", allow_pickle=False, **arrays())
    return write(folder, "toy.dl", text)


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path
