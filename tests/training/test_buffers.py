"""Buffers through a training: updated once per step, saved, and read in inference."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import dslc

TEXT = """dim B
block Mean() {
  dim D
  input  x: f32[B, D]
  output y: f32[B, D]
  buffer m: f32[D] = zeros() as running_mean
  update m = 0.9 * m + 0.1 * mean(x, axis = 0)
  y = x - (if training then mean(x, axis = 0) else m)
}
model Net {
  input  x: f32[B, 2]
  output y: f32[B, 1]
  layer norm = Mean()
  buffer steps: i64[] = 0
  update steps = steps + 1
  y = norm(norm(x) + 1) |> fc: Dense(1)
}
data rows {
  source = inline({ x: [[1, 2], [3, 4], [5, 0], [2, 2]], y: [[1], [0], [2], [1]] })
  field x: f32[2] = source["x"]
  field y: f32[1] = source["y"]
}
train net {
  use net   = Net()
  data      = rows
  loss      = mse(net.y, data.y)
  optimizer = sgd(lr = 0.01)
  batch     = all
  epochs    = 3
}
"""
X = np.array([[1, 2], [3, 4], [5, 0], [2, 2]], np.float32)


def test_each_step_updates_a_buffer_once_per_use_in_the_order_of_the_calls(tmp_path: Path) -> None:
    run = dslc.parse(TEXT).trainer("net").fit(out=tmp_path / "run")
    mean = np.zeros(2)
    for _ in range(3):
        mean = 0.9 * mean + 0.1 * X.mean(axis=0)
        mean = 0.9 * mean + 0.1 * np.ones(2)  # the second use sees zero mean plus one
    net = run.models["net"]
    np.testing.assert_allclose(net.params["norm.running_mean"], mean, rtol=1e-6)
    assert net.params["steps"] == 3
    again = dslc.open_run(tmp_path / "run").models["net"]
    np.testing.assert_array_equal(again.params["norm.running_mean"], net.params["norm.running_mean"])


def test_inference_reads_the_buffer_and_leaves_it(tmp_path: Path) -> None:
    net = dslc.parse(TEXT).trainer("net").fit(out=tmp_path / "run").models["net"]
    before = net.params["norm.running_mean"].copy()
    mean = before.astype(np.float64)
    expected = (X - mean + 1 - mean) @ net.params["fc.weight"] + net.params["fc.bias"]
    np.testing.assert_allclose(net(x=X)["y"], expected, rtol=1e-5)
    np.testing.assert_array_equal(net.params["norm.running_mean"], before)
