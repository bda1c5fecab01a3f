"""Layers on images export as the ONNX operators of their names, with their parameters' names, for any sizes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

import dslc
from dslc.backends.interpret import interpret
from dslc.backends.to_onnx import to_onnx
from dslc.graph import Builder
from dslc.passes.export import optimize_for_export
from dslc.tensor_type import DType, TensorType, symbol

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


BIASED = """\
dim B, H, W
model Net {
  input  image: f32[B, 4, H, W]
  output one: f32[B, 8, H, W]
  output each: f32[B, 4, H, W]
  output large: f32[B, 6, 2 * H, 2 * W]
  output cut: f32[B, 2, H + 1, W + 1]
  output mean: f32[B, 4]
  output peak: f32[B, 4]
  one   = image |> conv: Conv2d(8, 3, pad = "same")
  each  = image |> deep: DepthwiseConv2d(3, pad = 1)
  large = image |> up: ConvTranspose2d(6, 2, stride = 2)
  cut   = image |> wide: ConvTranspose2d(2, 4, pad = 1)
  mean  = global_avg_pool(image)
  peak  = global_max_pool(image)
}
"""


def exported(text: str, folder: Path) -> tuple[dslc.Model, onnx.ModelProto]:
    """The only model of a program, and its file."""
    model = dslc.parse(text).model(seed=1)
    model.export(folder / "it.onnx")
    return model, onnx.load(folder / "it.onnx")


def assert_runs_as(model: dslc.Model, written: onnx.ModelProto, image: np.ndarray) -> None:
    """ONNX Runtime gives what the model gives."""
    session = pytest.importorskip("onnxruntime").InferenceSession(
        written.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    found = dict(zip([o.name for o in session.get_outputs()], session.run(None, {"image": image}), strict=True))
    for name, value in model(image=image).items():
        np.testing.assert_allclose(found[name], value, rtol=1e-5, atol=1e-5, err_msg=name)


def test_a_bias_is_an_operand_of_its_convolution_and_a_pool_of_everything_a_global_pool(tmp_path: Path) -> None:
    model, written = exported(BIASED, tmp_path)
    nodes = {node.output[0]: (node.op_type, *node.input[1:]) for node in written.graph.node}
    assert nodes["one"] == ("Conv", "conv.weight", "conv.bias")
    assert nodes["each"] == ("Conv", "deep.weight", "deep.bias")
    assert nodes["large"] == ("ConvTranspose", "up.weight", "up.bias")
    assert nodes["cut"] == ("ConvTranspose", "wide.weight", "wide.bias")
    assert {"GlobalAveragePool", "GlobalMaxPool"} <= {kind for kind, *_ in nodes.values()}
    assert "Add" not in {kind for kind, *_ in nodes.values()}
    for sizes in ((1, 1, 1), (3, 6, 5)):
        image = np.random.default_rng(3).normal(size=(sizes[0], 4, *sizes[1:])).astype(np.float32)
        assert_runs_as(model, written, image)


@pytest.mark.parametrize(
    ("shape", "scale"),
    [("5", "3"), ("H, W", "2"), ("H, W", "[1, 3]"), ("H, 3", "[7, 5]"), ("2, H, W", "[2, 1, 3]")],
    ids=str,
)
def test_images_made_larger_to_the_nearest_are_one_resize(tmp_path: Path, shape: str, scale: str) -> None:
    names, times = shape.split(", "), [int(each) for each in scale.strip("[]").split(", ")]
    times *= len(names) // len(times)
    larger = ", ".join(f"{n} * {t}" for n, t in zip(names, times, strict=True))
    text = f"dim B, H, W\nmodel M {{\n  input image: f32[B, 2, {shape}]\n  output y: f32[B, 2, {larger}]\n"
    model, written = exported(text + f"  y = relu(upsample(relu(image), {scale}))\n}}\n", tmp_path)
    assert [node.op_type for node in written.graph.node] == ["Relu", "Resize", "Relu"]
    for batch, h, w in ((1, 1, 1), (3, 6, 29)):
        sizes = [{"H": h, "W": w}.get(name) or int(name) for name in names]
        assert_runs_as(model, written, np.random.default_rng(6).normal(size=(batch, 2, *sizes)).astype(np.float32))


@pytest.mark.parametrize(
    ("axis", "wide", "shape"),
    [
        (2, "[B, 2, 3, 4, 4]", "[B, 2, 12, 4]"),
        (3, "[B, 2, 4, 3, 4]", "[B, 2, 4, 12]"),
        (2, "[B, 2, 3, 4, 4]", "[B, 6, 4, 4]"),
    ],
)
def test_what_only_looks_like_larger_images_is_no_resize(tmp_path: Path, axis: int, wide: str, shape: str) -> None:
    text = f"dim B\nmodel M {{\n  input image: f32[B, 2, 4, 4]\n  output y: f32{shape}\n"
    text += f"  y = reshape(expand(expand_dims(image, axis = {axis}), {wide}), {shape})\n}}\n"
    model, written = exported(text, tmp_path)
    assert "Resize" not in {node.op_type for node in written.graph.node}
    assert_runs_as(model, written, np.random.default_rng(7).normal(size=(2, 2, 4, 4)).astype(np.float32))


def test_a_convolution_that_is_read_elsewhere_too_keeps_its_sum_apart(tmp_path: Path) -> None:
    text = "dim B\nmodel M {\n  input image: f32[B, 1, 6]\n  output y: f32[B, 2, 4]\n  output z: f32[B, 2, 4]\n"
    text += "  layer conv = Conv1d(2, 3)\n  y = conv(image)\n  z = y - conv.bias[0] + conv.h\n}\n"
    model, written = exported(text, tmp_path)
    assert [len(node.input) for node in written.graph.node if node.op_type == "Conv"] == [2]
    assert_runs_as(model, written, np.random.default_rng(4).normal(size=(2, 1, 6)).astype(np.float32))


def test_a_bias_comes_after_what_a_strided_window_leaves_over() -> None:
    size, builder = symbol("N"), Builder()
    x = builder.leaf("input", TensorType(DType.F32, (2, 2, size)), name="x")
    w = builder.leaf("param", TensorType(DType.F32, (3, 2, 1)), key="w")
    bias = builder.leaf("param", TensorType(DType.F32, (2,)), key="b")
    window = {"stride": (2,), "pad": (0, 0), "dilation": (1,), "groups": 1}
    spread = builder.apply("conv_input_grad", builder.apply("conv", x, w, **window), w, sizes=(size,), **window)
    builder.graph.outputs["y"] = builder.apply("add", spread, builder.apply("reshape", bias, sizes=(2, 1)))
    params = {"w": np.arange(6, dtype=np.float32).reshape(3, 2, 1), "b": np.array([1, -2], np.float32)}
    written = to_onnx(optimize_for_export(builder.graph), params).SerializeToString()
    session = pytest.importorskip("onnxruntime").InferenceSession(written, providers=["CPUExecutionProvider"])
    for n in (4, 5):
        feeds = {"x": np.random.default_rng(5).normal(size=(2, 2, n)).astype(np.float32)}
        (found,) = session.run(None, feeds)
        np.testing.assert_allclose(found, interpret(builder.graph, feeds | params)["y"], rtol=1e-5, atol=1e-5)


def test_sizes_that_windows_do_not_fit_are_not_compared(tmp_path: Path) -> None:
    text = "dim B, H\nmodel M {\n  input x: f32[B, 1, H]\n  output y: f32[B, 1, floor_div(H - 8, 3)]\n"
    model = dslc.parse(text + "  y = avg_pool1d(x, 9, stride = 1) |> max_pool1d(3)\n}\n").model()
    model.export(tmp_path / "it.onnx")
    assert model(x=np.zeros((2, 1, 14), np.float32))["y"].shape == (2, 1, 2)
