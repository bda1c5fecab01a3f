"""Metrics that are no means, over the parts of a training whose batches are of unequal sizes, against formulas in NumPy.

The model passes its inputs on and does not learn, so that the figures of an epoch are those of the data.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dslc.api import load
from dslc.driver.evaluation import evaluate_part
from dslc.driver.frontend import check_program
from dslc.driver.stepping import one_step
from dslc.driver.testing import run_tests
from dslc.driver.training import choose_train, prepare, train
from dslc.source import Source

X = [[0.5, 2.0], [-0.5, 1.0], [1.5, -1.0], [0.5, 0.1], [-2.0, 0.5], [0.25, 3.0], [-1.0, -1.5]]
YES = [1, 0, 1, 0, 0, 0, 1]
ROWS = ", ".join(f"[{a}, {b}]" for a, b in X)

PROGRAM = f"""
dim B

model Through {{
  input  x: f32[B, 2]
  output y: f32[B, 2]
  param w: f32[2, 2] = [[1, 0], [0, 1]]
  y = x @ w
}}

data points {{
  source = {{ train: inline({{ x: [{ROWS}], yes: {YES} }}), val: inline({{ x: [{ROWS}], yes: {YES} }}) }}
  field x: f32[2]   = source["x"]
  field yes: i64[]  = source["yes"]
  field t: f32[]    = cast(source["yes"], f32)
}}

train through {{
  use net   = Through()
  data      = points
  loss      = mse(net.y[:, 0], data.t)
  optimizer = sgd(lr = 1e-30)
  batch     = 3
  epochs    = 2
  metrics   = {{
    f1: f1(net.y[:, 0], data.yes),
    macro: f1(net.y, data.yes, average = "macro"),
    auc: auc(net.y[:, 0], data.yes),
    missed: 1 - recall(net.y[:, 0], data.yes),
    mixed: 0.5 * precision(net.y[:, 0], data.yes) + 0.5 * mean(net.y),
    rmse: rmse(net.y[:, 0], data.t),
    r2: r2(net.y[:, 0], data.t),
    perplexity: perplexity(net.y, data.yes),
    accuracy: accuracy(net.y, data.yes),
    alarms: cast(confusion_matrix(net.y, data.yes)[0, 1], f32)
  }}
}}
"""


def expected() -> dict[str, float]:
    """The figures by their formulas, in float64."""
    x, yes = np.array(X), np.array(YES, bool)
    score, t = x[:, 0], yes.astype(float)
    called, chosen = score >= 0, x.argmax(1) == 1
    right = float((called & yes).sum())
    f1s = [2 * (a & b).sum() / (a.sum() + b.sum()) for a, b in ((chosen, yes), (~chosen, ~yes))]
    pairs = [(a > b) + (a == b) / 2 for a in score[yes] for b in score[~yes]]
    losses = np.log(np.exp(x).sum(1)) - x[np.arange(7), yes.astype(int)]
    mse = ((score - t) ** 2).mean()
    return {
        "loss": float(mse),
        "f1": 2 * right / (called.sum() + yes.sum()),
        "macro": float(np.mean(f1s)),
        "auc": float(np.mean(pairs)),
        "missed": 1 - right / yes.sum(),
        "mixed": 0.5 * right / called.sum() + 0.5 * float(x.mean()),
        "rmse": float(np.sqrt(mse)),
        "r2": float(1 - mse / t.var()),
        "perplexity": float(np.exp(losses.mean())),
        "accuracy": float((chosen == yes).mean()),
        "alarms": float((chosen & ~yes).sum()),
    }


def check(text: str) -> Any:
    return check_program(Source("through.dl", text))


def test_the_figures_of_an_epoch_are_those_of_all_its_rows():
    row = train(check(PROGRAM)).result.history[0]
    figures = expected()
    assert list(row)[2:13] == list(figures)
    assert {name: row[name] for name in figures} == pytest.approx(figures, rel=1e-6)
    assert {name: row[f"val.{name}"] for name in figures} == pytest.approx(figures, rel=1e-6)


@pytest.mark.parametrize("engine", ["numpy", "ort"])
def test_an_evaluation_gives_the_figures_on_every_engine(engine: str):
    if engine == "ort":
        pytest.importorskip("onnxruntime")
    trained = train(check(PROGRAM))
    part = trained.opened.part("val")
    found = evaluate_part(trained.prepared.typed, part, trained.result.best, engine)
    assert found == pytest.approx(expected(), rel=1e-6)


def test_the_figures_of_a_step_are_those_of_its_batch():
    made = prepare(choose_train(check(PROGRAM), None))
    found = one_step(made, {"x": X[:3], "yes": YES[:3], "t": YES[:3]}, 1, lambda: 1)
    assert found["f1"] == pytest.approx(1.0)
    assert found["rmse"] == pytest.approx(np.sqrt((0.5**2 + 0.5**2 + 0.5**2) / 3))


def test_steps_have_figures_of_their_own():
    steps = PROGRAM.replace("  loss      = mse(net.y[:, 0], data.t)\n", "")
    before, metrics = steps.split("  metrics   =")
    text = f"{before}  step one {{\n    update net\n    loss = mse(net.y[:, 0], data.t)\n    metrics = {metrics[:-2]}  }}\n"
    text += "  step two {\n    update net\n    loss = mean(net.y)\n    metrics = { f1: f1(net.y[:, 1], data.yes) }\n  }\n}\n"
    row = train(check(text)).result.history[-1]
    second = np.array(X)[:, 1] >= 0
    yes = np.array(YES, bool)
    assert row["one.f1"] == pytest.approx(expected()["f1"])
    assert row["two.f1"] == row["val.two.f1"] == pytest.approx(2 * (second & yes).sum() / (second.sum() + yes.sum()))


def test_a_test_can_expect_the_figures_of_a_part():
    text = (
        PROGRAM
        + f"""
test "figures" {{
  train through
  expect val.f1 ~= {expected()["f1"]}
  expect val.auc ~= {expected()["auc"]}
}}
test "of rows" {{
  use net = Through()
  given x = [{ROWS}]
  expect f1(net.y[:, 0], cast({YES}, i64)) ~= {expected()["f1"]}
  expect confusion_matrix(net.y, cast({YES}, i64)) == [[1, 3], [2, 1]]
}}
"""
    )
    results = list(run_tests(check(text)))
    assert [failure.labels[0].text for result in results for failure in result.failures] == []


def test_a_training_can_stop_by_a_figure_that_is_no_mean():
    stopping = PROGRAM.replace("epochs    = 2", 'epochs    = 9\n  early_stop(on = "val.rmse", patience = 2 epochs)')
    assert len(train(check(stopping)).result.history) == 3


def test_a_run_on_disk_is_evaluated_with_the_same_figures(tmp_path: Path):
    (tmp_path / "through.dl").write_text(PROGRAM, encoding="utf-8")
    run = load(tmp_path / "through.dl").trainer().fit(tmp_path / "run")
    assert run.history[-1]["val.auc"] == pytest.approx(expected()["auc"], rel=1e-6)
