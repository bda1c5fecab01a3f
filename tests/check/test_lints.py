"""Lints: what they find, and what they leave alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from dslc.check import check_source
from dslc.driver.importing import ImportedFiles
from dslc.driver.reading import read_source
from dslc.resources import models_path
from dslc.source import Source

TRAIN = """\
dim B

model Net {{
  input  x: f32[B, 4]
  output logits: f32[B, 3]
  output column: f32[B, 1]
  h = x |> body: Dense(8) |> relu
  logits = h |> fc: Dense(3)
  column = h |> one: Dense(1)
}}

data rows {{
  source = inline({{ x: [[0, 1, 2, 3]], y: [2], t: [1] }})
  field x: f32[4] = source["x"]
  field y: i64[]  = source["y"]
  field t: f32[]  = source["t"]
}}

train net {{
  use net = Net()
  data    = rows
  loss    = {loss} + 0 * (mean(net.logits) + mean(net.column) + mean(data.t) + mean(cast(data.y, f32)))
}}
"""


def codes(loss: str) -> list[str]:
    return [d.code for d in check_source(Source("m.dl", TRAIN.format(loss=loss)))[1]]


@pytest.mark.parametrize(
    ("loss", "code"),
    [
        ("cross_entropy(softmax(net.logits), data.y)", "DL4010"),
        ("cross_entropy(stop_gradient(sigmoid(net.logits)), data.y)", "DL4010"),
        ("bce_logits(sigmoid(squeeze(net.column, axis = -1)), data.t)", "DL4010"),
        ("bce(squeeze(net.column, axis = -1), data.t)", "DL4011"),
        ("bce(log_softmax(net.logits), one_hot(data.y, classes = 3))", "DL4011"),
        ("nll(softmax(net.logits), data.y)", "DL4011"),
        ("nll(net.logits, data.y)", "DL4011"),
        ("huber(net.logits, one_hot(data.y, classes = 3))", "DL4012"),
        ("mean(square(net.column - data.t))", "DL4015"),
        ("mean(data.t * net.column)", "DL4015"),
        ("cross_entropy(net.logits, argmax(concat(net.logits, net.column, axis = 1), axis = 1))", "DL4014"),
    ],
)
def test_a_loss_that_is_probably_not_meant_is_told(loss: str, code: str) -> None:
    assert codes(loss) == [code]


@pytest.mark.parametrize(
    "loss",
    [
        "cross_entropy(net.logits, data.y)",
        "cross_entropy(log(softmax(net.logits)), data.y)",
        "cross_entropy(net.logits, argmax(net.logits, axis = -1))",
        "bce_logits(squeeze(net.column, axis = -1), data.t)",
        "bce(sigmoid(squeeze(net.column, axis = -1)), data.t)",
        "nll(log_softmax(net.logits), data.y)",
        "nll(log(softmax(net.logits)), data.y)",
        "mse(softmax(net.logits), one_hot(data.y, classes = 3))",
        "mse(squeeze(net.column, axis = -1), data.t)",
        "mean(square(squeeze(net.column, axis = -1) - data.t))",
        "mean(net.logits - net.column)",
        "mean(softmax(net.logits))",
    ],
)
def test_a_loss_that_may_well_be_meant_is_left_alone(loss: str) -> None:
    assert codes(loss) == []


@pytest.mark.parametrize("path", sorted(models_path().glob("*.dl")), ids=lambda path: path.stem)
def test_the_shipped_models_have_no_warnings(path: Path) -> None:
    source = read_source(path)
    assert not list(check_source(source, ImportedFiles(source))[1])


SIZED = """\
dim B, T

model Net {{
  input  image: f32[B, 64, 160, 160]
  input  words: f32[B, T, 16]
  output y: f32[] = mean({layer})
}}
"""


def codes_of_layer(layer: str) -> list[str]:
    return [d.code for d in check_source(Source("m.dl", SIZED.format(layer=layer)))[1] if d.code != "DL4004"]


@pytest.mark.parametrize(
    "layer",
    [
        "image |> it: Conv2d(64, 128, 3)",
        "image |> it: Conv2d(64, 64, 3)",
        "image |> it: Conv2d(64, 32, 1)",
        "image |> it: Conv2d(64, 6, 5)",
        "image |> it: ConvTranspose2d(64, 32, 3)",
        "words |> it: TransformerEncoderLayer(16, 4)",
        "words |> it: TransformerDecoderLayer(16, 2)(words)",
    ],
)
def test_numbers_that_read_as_those_of_pytorch_are_told(layer: str) -> None:
    assert codes_of_layer(layer) == ["DL4017"]


@pytest.mark.parametrize(
    "layer",
    [
        "image |> it: Conv2d(64, 3)",
        "image |> it: Conv2d(64, 3, 1)",
        "image |> it: Conv2d(64, 3, 2)",
        "image |> it: Conv2d(64, 8, 4)",
        "image |> it: Conv2d(64, 5, 5)",
        "image |> it: Conv2d(64, kernel = 16, stride = 3)",
        "image |> it: Conv2d(32, 16, 16)",
        "image |> it: ConvTranspose2d(64, 4, 2, 1)",
        "words |> it: TransformerEncoderLayer(16, 64)",
        "words |> it: TransformerEncoderLayer(4, 8)",
        "words |> it: Dense(16)",
    ],
)
def test_numbers_of_layers_that_may_well_be_meant_are_left_alone(layer: str) -> None:
    assert codes_of_layer(layer) == []
