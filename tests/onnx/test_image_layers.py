"""Layers on images export as the ONNX operators of their names, with their parameters' names, for any sizes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

import dslc

TEXT = """\
dim B, H, W

model Net {
  input  image: f32[B, 3, H, W]
  output small: f32[B, 8, ceil_div(H, 4), ceil_div(W, 4)]
  output large: f32[B, 4, 2 * H, 2 * W]
  output mean: f32[B, 3, H, W]
  output even: f32[B, 3, H, W]
  small = image |> conv: Conv2d(8, 3, stride = 2, pad = "same") |> bn: BatchNorm() |> relu |> max_pool2d(2, pad = "same")
  large = image |> up: ConvTranspose2d(4, 2, stride = 2)
  mean  = avg_pool2d(image, 3, stride = 1, pad = 1)
  even  = image |> norm: InstanceNorm()
}

model Words {
  input  x: f32[B, 5]
  output y: f32[B, 5]
  y = x |> norm: LayerNorm()
}
"""


@pytest.mark.parametrize("sizes", [(1, 8, 8), (2, 7, 9), (3, 4, 5)], ids=str)
def test_one_file_computes_what_the_model_does_at_all_sizes(tmp_path: Path, sizes: tuple[int, int, int]) -> None:
    model = dslc.parse(TEXT).model("Net", seed=1)
    model.export(tmp_path / "net.onnx")
    batch, height, width = sizes
    image = np.random.default_rng(0).standard_normal((batch, 3, height, width)).astype(np.float32)
    session = pytest.importorskip("onnxruntime").InferenceSession(
        str(tmp_path / "net.onnx"), providers=["CPUExecutionProvider"]
    )
    found = dict(zip([o.name for o in session.get_outputs()], session.run(None, {"image": image}), strict=True))
    expected = model(image=image)
    for name, value in found.items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-5, atol=1e-5, err_msg=name)


def test_operators_and_initializers_have_their_names(tmp_path: Path) -> None:
    file = dslc.parse(TEXT)
    found: dict[str, onnx.GraphProto] = {}
    for name in ("Net", "Words"):
        file.model(name, seed=1).export(tmp_path / "it.onnx")
        found[name] = onnx.load(tmp_path / "it.onnx").graph
    types = {node.op_type for graph in found.values() for node in graph.node}
    named = {"Conv", "BatchNormalization", "MaxPool", "ConvTranspose", "AveragePool", "InstanceNormalization"}
    assert named | {"LayerNormalization"} <= types
    initializers = {tensor.name for tensor in found["Net"].initializer}
    assert {"conv.weight", "conv.bias", "bn.running_mean", "bn.running_var", "up.weight"} <= initializers


def test_sizes_that_windows_do_not_fit_are_not_compared(tmp_path: Path) -> None:
    text = "dim B, H\nmodel M {\n  input x: f32[B, 1, H]\n  output y: f32[B, 1, floor_div(H - 8, 3)]\n"
    model = dslc.parse(text + "  y = avg_pool1d(x, 9, stride = 1) |> max_pool1d(3)\n}\n").model()
    model.export(tmp_path / "it.onnx")
    assert model(x=np.zeros((2, 1, 14), np.float32))["y"].shape == (2, 1, 2)
