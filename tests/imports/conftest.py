"""A program of four files in folders, and the same in one file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

NETS = """\
import "parts/blocks.dl" as blocks
dim N

## A small network.
model MLP(hidden: int = 4) {
  input  x: f32[N, 2]
  output p: f32[N, 1]
  p = x |> a: blocks.Wide(hidden) |> b: Layer() |> out: Dense(1) |> sigmoid
}

## The same width.
block Layer() {
  dim D
  input  x: float[..., D]
  output y: float[..., D]
  y = x |> d: Dense(D) |> Dropout(0.1)
}
"""
BLOCKS = """\
block Wide(units: int) {
  dim D
  input  x: float[..., D]
  output y: float[..., units]
  y = x |> d: Dense(units) |> tanh
}
"""
SETS = """\
data points {
  source = npz("points.npz", x = "x", p = "p")
  field x: f32[2] = source["x"]
  field p: f32[1] = source["p"]
}
"""
MAIN = """\
from "nets.dl" import MLP
import "data/sets.dl" as sets

block Layer() {                  # not the one of nets.dl
  dim D
  input  x: float[..., D]
  output y: float[..., D]
  y = x * 2
}

model Twice() {
  dim K
  input  x: f32[K, 3]
  output y: f32[K, 3]
  y = x |> Layer()
}

train fit {
  use net   = MLP(hidden = 3)
  data      = sets.points
  loss      = mse(net.p, data.p)
  optimizer = adam(lr = 0.01)
  batch     = 4
  epochs    = 2
  seed      = 5
}

test "shapes" {
  use net = MLP()
  given x = [[0, 1]]
  expect shape(net.p) == [1, 1]
}
"""

Write = Callable[[Mapping[str, str]], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes files into a folder `project`, which lies in the current one; gives the path of `main.dl`."""
    monkeypatch.chdir(tmp_path)

    def files(texts: Mapping[str, str]) -> Path:
        for name, text in texts.items():
            path = Path("project") / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        return Path("project/main.dl")

    return files


@pytest.fixture
def project(write: Write) -> Path:
    """The program of four files, with its data."""
    main = write({"main.dl": MAIN, "nets.dl": NETS, "parts/blocks.dl": BLOCKS, "data/sets.dl": SETS})
    rng = np.random.default_rng(0)
    x = rng.normal(size=(16, 2))
    np.savez("project/data/points.npz", x=x, p=(x[:, :1] > 0).astype(np.float64))
    return main
