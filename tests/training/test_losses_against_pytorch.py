"""Twenty float64 steps that make a loss small equal PyTorch's, for every loss (`goldens/make_losses.py`)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dslc.check import check_source
from dslc.diagnostics.render import render
from dslc.driver.stepping import one_step
from dslc.driver.training import Prepared, prepare
from dslc.ops import FAMILIES
from dslc.source import Source

GOLDENS = np.load(Path(__file__).parents[1] / "goldens" / "losses.npz")
STEPS = 20
#: The goldens whose targets are all of the loss but its options, and these.
OPTIONS = {
    **dict.fromkeys(("mse.mean", "mae.mean", "huber.mean", "bce.mean", "bce_logits.mean", "kl_div.mean"), ""),
    **dict.fromkeys(("cross_entropy.mean", "cross_entropy.deep", "cross_entropy.shares", "nll.mean", "nll.shares"), ""),
    **dict.fromkeys(("hinge.mean", "squared_hinge.mean", "log_cosh.mean", "cosine_distance.mean"), ""),
    "mse.sum": ', reduction = "sum"',
    "kl_div.batchmean": ', reduction = "batchmean"',
    "huber.delta": ", delta = 0.5",
    "bce_logits.pos_weight": ", pos_weight = [0.5, 1, 1.5]",
    "cross_entropy.smoothing": ", label_smoothing = 0.1",
    "cross_entropy.ignore": ", ignore_index = -100",
    "cross_entropy.weights": ", weights = [0.5, 1, 1.5, 2, 2.5]",
    "cross_entropy.weights_ignore": ", weights = [0.5, 1, 1.5, 2, 2.5], ignore_index = 2, label_smoothing = 0.1",
    "nll.weights": ", weights = [0.5, 1, 1.5, 2, 2.5]",
    "triplet.mean": ", data.other",
    "contrastive.mean": ", data.same",
}
PROGRAM = """
dim B
model M {
  input  x: f64[B, REST]
  output y: f64[B, REST]
  param shift: f64[REST] = zeros()
  y = x + shift
}
data rows {
  source = npz("rows.npz")
  field x: f64[REST] = source["x"]
  field t: TARGET = source["t"]
  field other: f64[REST] = source["other"]
  field same: i64[] = source["same"]
}
train net {
  use net   = M()
  data      = rows
  loss      = LOSS
  optimizer = adam(lr = 0.0005)
}
"""


def prepared(text: str) -> Prepared:
    """The program's training, with no shift at first."""
    checked, sink = check_source(Source("net.dl", text))
    assert not sink.failed, render(sink, color=False)
    block = checked.trains["net"]
    assert block is not None
    made = prepare(block)
    made.state.params["shift"][...] = 0
    return made


@pytest.mark.parametrize("case", OPTIONS)
def test_twenty_steps_in_float64_equal_those_of_pytorch(case: str):
    x, t = GOLDENS[f"{case}/x"], GOLDENS[f"{case}/t"]
    target = f"{'f64' if t.dtype.kind == 'f' else 'i64'}[{', '.join(map(str, t.shape[1:]))}]"
    text = PROGRAM.replace("REST", ", ".join(map(str, x.shape[1:])))
    loss = f"{case.split('.', maxsplit=1)[0]}(net.y, data.t{OPTIONS[case]})"
    made = prepared(text.replace("TARGET", target).replace("LOSS", loss))
    others = {"other": t[::-1], "same": np.arange(len(x))[::-1] % 2}
    fields = {"x": x, "t": t} | {name: rows for name, rows in others.items() if f"data.{name}" in OPTIONS[case]}
    for number in range(STEPS):
        one_step(made, fields, number + 1, lambda: 1)
    np.testing.assert_allclose(made.state.params["shift"], GOLDENS[f"{case}/trained"], rtol=1e-9, atol=1e-11)


def test_every_loss_is_trained():
    losses = {opdef.name for opdef in FAMILIES["loss"] if opdef.call}
    assert {case.split(".")[0] for case in OPTIONS} | {"ctc"} == losses


def test_twenty_steps_of_ctc_in_float64_equal_those_of_pytorch():
    goldens = np.load(Path(__file__).parents[1] / "goldens" / "ctc.npz")
    feasible = [0, 1, 2, 3, 5]
    fields = {name: goldens[name][feasible] for name in ("labels", "steps", "number")}
    fields["labels"] = np.where(fields["labels"] == 9, 0, fields["labels"])
    text = PROGRAM.replace("REST", "7, 5").replace(
        '  field t: TARGET = source["t"]\n',
        "".join(
            f'  field {name}: i64[{", ".join(map(str, rows.shape[1:]))}] = source["{name}"]\n'
            for name, rows in fields.items()
        ),
    )
    made = prepared(text.replace("LOSS", "ctc(net.y, data.labels, data.steps, data.number)"))
    for number in range(STEPS):
        one_step(made, {"x": goldens["logits"][feasible], **fields}, number + 1, lambda: 1)
    np.testing.assert_allclose(made.state.params["shift"], goldens["mean/trained"], rtol=1e-9, atol=1e-11)
