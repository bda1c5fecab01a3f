"""Attention and Transformer layers: keys, what a mask hides, ONNX Runtime at any batch and length, dropout inside, lengths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import dslc

Array = npt.NDArray[Any]

TEXT = """\
dim B, T, U

model Net {
  input  x: f32[B, T, 8]
  input  memory: f32[B, U, 6]
  input  length: i64[B]
  output encoded: f32[B, T, 8]
  output decoded: f32[B, T, 8]
  output gated: f32[B, T, 8]
  layer enc = TransformerEncoderLayer(2, 16, activation = gelu, norm_first = true)
  layer dec = TransformerDecoderLayer(4, 16)
  known   = x |> SinusoidalPositions() |> place: LearnedPositions(9)
  seen    = arange(U, dtype = i64) < expand_dims(length, axis = 1)
  encoded = enc(known)
  decoded = dec(encoded, memory, memory_mask = seen)
  gated   = x |> way: Highway() |> ff: GLU(8, activation = silu) |> res: Residual(LayerNorm())
}
"""


def drawn(batch: int, steps: int, others: int) -> dict[str, Array]:
    """Inputs of the net; the first sample sees one step of the memory alone."""
    generator = np.random.default_rng(batch + 10 * steps)
    return {
        "x": generator.normal(size=(batch, steps, 8)).astype(np.float32),
        "memory": generator.normal(size=(batch, others, 6)).astype(np.float32),
        "length": np.minimum(np.arange(1, batch + 1), others),
    }


@pytest.fixture(scope="module")
def net() -> dslc.Model:
    return dslc.parse(TEXT).model("Net", seed=3)


@pytest.mark.parametrize("sizes", [(1, 1, 1), (2, 1, 5), (3, 7, 1), (4, 9, 6)], ids=str)
def test_one_file_computes_what_the_model_does_at_all_sizes(
    net: dslc.Model, tmp_path: Path, sizes: tuple[int, int, int]
) -> None:
    net.export(tmp_path / "net.onnx")
    feeds = drawn(*sizes)
    session = pytest.importorskip("onnxruntime").InferenceSession(
        str(tmp_path / "net.onnx"), providers=["CPUExecutionProvider"]
    )
    found = dict(zip([o.name for o in session.get_outputs()], session.run(None, feeds), strict=True))
    expected = net(**feeds)
    for name, value in found.items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-5, atol=1e-5, err_msg=name)


def test_keys_are_paths_of_labels(net: dslc.Model) -> None:
    keys = list(net.params)
    parts = [f"{part}.{kind}" for part in ("query", "key", "value", "out") for kind in ("weight", "bias")]
    for layer in ("enc.attend", "dec.attend", "dec.cross"):
        assert [key for key in keys if key.startswith(f"{layer}.")] == [f"{layer}.{part}" for part in parts]
    assert {"enc.up.weight", "dec.down.bias", "dec.norm3.weight", "place.weight", "res.weight", "way.gate.bias"} <= {
        *keys
    }
    assert net.params["dec.cross.key.weight"].shape == (6, 8)


def test_initial_values_are_those_of_pytorch(net: dslc.Model) -> None:
    params = net.params
    for part, bound in (("query", np.sqrt(6 / 32)), ("out", np.sqrt(1 / 8))):
        largest = np.abs(params[f"enc.attend.{part}.weight"]).max()
        assert 0.9 * bound < largest <= bound
        assert not params[f"enc.attend.{part}.bias"].any()


def test_what_a_mask_hides_changes_nothing(net: dslc.Model) -> None:
    feeds = drawn(3, 4, 5)
    changed = feeds["memory"].copy()
    changed[0, 1:], changed[1, 2:] = 100, -100
    before, after = net(**feeds), net(**feeds | {"memory": changed})
    np.testing.assert_array_equal(before["decoded"], after["decoded"])


def test_no_step_of_a_decoder_knows_later_ones() -> None:
    text = "dim B, T\nmodel M {\n input x: f32[B, T, 8]\n output y: f32[B, T, 8]\n layer d = TransformerDecoderLayer(2, 8)\n"
    decoder = dslc.parse(text + " y = d(x, x[:, :1])\n}\n").model(seed=1)
    x = drawn(2, 6, 1)["x"]
    changed = x.copy()
    changed[:, 3:] += 1
    before, after = (decoder(x=given)["y"] for given in (x, changed))
    np.testing.assert_array_equal(before[:, :3], after[:, :3])
    assert not np.allclose(before[:, 3:], after[:, 3:])


def test_a_sequence_longer_than_learned_positions_is_told(net: dslc.Model) -> None:
    with pytest.raises(dslc.DslcError, match="0:10 does not lie within"):
        net(**drawn(2, 10, 3))
