"""A training graph made from text; makes the graphs with scans importable."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dslc.check import check_source
from dslc.graph import Graph
from dslc.source import Source
from dslc.training import training_graphs

sys.path.insert(0, str(Path(__file__).parents[1]))

TEXT = """
dim B
model Xor {
  input  x: f32[B, 2]
  output p: f32[B, 1]
  p = x |> hidden: Dense(8) |> tanh |> out: Dense(1) |> sigmoid
}
data table {
  source = inline({ x: [[0, 0], [0, 1], [1, 0], [1, 1]], y: [[0], [1], [1], [0]] })
  field x: f32[2] = source["x"]
  field y: f32[1] = source["y"]
}
train xor {
  use net = Xor()
  data    = table
  loss    = mse(net.p, data.y)
}
"""


@pytest.fixture
def xor_graph() -> Graph:
    checked, sink = check_source(Source("xor.dl", TEXT))
    assert not sink.found
    train = checked.trains["xor"]
    assert train is not None
    return training_graphs(train).steps[0]
