"""Updates cut into slices of the parameters: they compute what they do as a whole, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from graphs import feeds

from dslc.backends.interpret import interpret
from dslc.driver.frontend import check_program
from dslc.graph import Graph, verify
from dslc.ops.optimizers import OPTIMIZERS
from dslc.sharding import Sharding, shard, sliced
from dslc.source import Source
from dslc.training import training_graphs

PROGRAM = """
dim B
model Net {
  input  x: f32[B, 3]
  output y: f32[B, 2]
  y = x |> a: Dense(4) |> tanh |> b: Dense(2)
}
data points {
  source = inline({ x: [[0, 1, 2], [1, 0, 2]], y: [[1, 0], [0, 1]] })
  field x: f32[3] = source["x"]
  field y: f32[2] = source["y"]
}
train net {
  use net   = Net()
  data      = points
  loss      = mse(net.y, data.y) + 0.1 * sum(abs(net.a.weight))
  metrics   = { off: rmse(net.y, data.y) }
  optimizer = OPTIMIZER
  SETTING
}
"""
MORE = ["sgd(lr = 0.1, momentum = 0.9, nesterov = true, weight_decay = 0.01)", "adam(lr = 0.1, weight_decay = 0.01)"]


def rest_of(optimizer: str, setting: str = "") -> Graph:
    text = PROGRAM.replace("OPTIMIZER", optimizer).replace("SETTING", setting)
    (graph,) = training_graphs(check_program(Source("net.dl", text)).file.trains["net"]).steps
    cut = shard(graph, 2)
    assert isinstance(cut, Sharding), str(cut)
    return cut.rest


@pytest.mark.parametrize("setting", ["", "clip_value = 0.1", "ema = 0.9", "accumulate = 3"])
@pytest.mark.parametrize("optimizer", [*(f"{name}(lr = 0.1)" for name in OPTIMIZERS if name != "nadam"), *MORE])
def test_slices_come_to_the_whole(optimizer: str, setting: str):
    rest = rest_of(optimizer, setting)
    for parts in (2, 3):
        made = sliced(rest, parts, step=2)
        assert made is not None
        given = {name: np.abs(array) for name, array in feeds(rest, {}, weights=0.1).items()}  # as means of squares are
        wanted = interpret(rest, given, {})
        verify(made.once, "once")
        found = interpret(made.once, given, {})
        pieces = []
        for piece in made.slices:
            verify(piece.graph, "slice")
            some = {
                name: array[piece.start : piece.stop] if array.shape == (26,) else array
                for name, array in given.items()
            }
            pieces.append(interpret(piece.graph, some, {}))
        found |= {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
        assert found.keys() == wanted.keys()
        for name, array in wanted.items():
            np.testing.assert_array_equal(found[name], array, err_msg=name)


@pytest.mark.parametrize(
    ("optimizer", "setting", "parts", "step"),
    [("adam(lr = 0.1)", "clip_norm = 1.0", 2, 2), ("nadam(lr = 0.1)", "", 2, 2), ("adam(lr = 0.1)", "", 2, 14)],
    ids=["a norm reads the whole gradient", "a number is read out of a slot", "few parameters"],
)
def test_what_reads_whole_vectors_and_what_is_small_is_not_cut(optimizer: str, setting: str, parts: int, step: int):
    assert sliced(rest_of(optimizer, setting), parts, step) is None


def test_slices_are_all_of_the_vectors_and_begin_at_steps():
    made = sliced(rest_of("adam(lr = 0.1)"), 3, step=4)
    assert made is not None
    assert [(piece.start, piece.stop) for piece in made.slices] == [(0, 8), (8, 16), (16, 26)]
