"""Losses and metrics as programs write them: weights as lists, numbers for tensors, options by name; checked and trained."""

from __future__ import annotations

from math import isfinite

from dslc.driver.frontend import check_program
from dslc.driver.testing import run_tests
from dslc.driver.training import train
from dslc.source import Source

PROGRAM = """
dim B

model Net {
  input  x: f32[B, 3]
  output logits: f32[B, 3]
  logits = x |> act: PReLU() |> fc: Dense(3)
}

data rows {
  source = inline({ x: [[0, 0, 1], [0, 1, 2], [1, 0, 0], [1, 1, 1]], label: [1, 0, 2, 1] })
  split  = { val: 0.5 }
  field x: f32[3]    = source["x"]
  field label: i64[] = source["label"]
}

train net {
  use net = Net()
  data    = rows
  loss    = cross_entropy(net.logits, data.label, weights = [0.5, 1, 2], label_smoothing = 0.1)
  metrics = {
    f1: f1(net.logits, data.label, average = "macro"),
    undecided: perplexity(net.logits, data.label, ignore_index = 0),
    ones: bce_logits(net.logits[:, 0], cast(data.label == 1, f32), pos_weight = 3),
    pairs: contrastive(net.logits, data.x, data.label == 1),
    length: mean(norm(net.logits, axis = -1)),
    heard: ctc(expand_dims(net.logits, axis = 1), expand_dims(data.label, axis = 1), data.label * 0 + 1, data.label * 0, blank = 0)
  }
  epochs = 3
  early_stop(on = "val.undecided", patience = 5 epochs)
}

test "losses" {
  use net = Net()
  given x = [[1, 2, 3], [3, 2, 1]]
  expect cross_entropy(net.logits, cast([0, 1], i64), weights = [2, 2, 2]) ~= cross_entropy(net.logits, cast([0, 1], i64))
  expect nll(log_softmax(net.logits), cast([0, 7], i64), ignore_index = 7) ~= cross_entropy(net.logits[0], cast(0, i64))
  expect ctc(expand_dims(net.logits, axis = 0), cast([[1]], i64), cast([2], i64), cast([1], i64)) > 0
}
"""


def test_a_program_with_all_of_them_is_accepted_tested_and_trained():
    checked = check_program(Source("net.dl", PROGRAM))
    assert [warning.code for warning in checked.warnings] == []
    results = list(run_tests(checked))
    assert [failure.labels[0].text for result in results for failure in result.failures] == []
    history = train(checked).result.history
    assert all(isfinite(value) for row in history for value in row.values())
