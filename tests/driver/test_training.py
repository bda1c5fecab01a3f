"""Trainings with several models and steps, samples, frozen parameters, buffers and early stopping, from text to weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import dslc
from dslc.check.typed import TypedTrain
from dslc.driver.frontend import Checked, check_program
from dslc.driver.stages import emit_stage
from dslc.driver.stepping import one_step
from dslc.driver.training import Prepared, choose_train, fit, prepare, train
from dslc.driver.using import evaluate_run
from dslc.graph import Graph
from dslc.source import Source
from dslc.training import training_graphs
from dslc_runtime import checkpoint
from dslc_runtime.run_folder import RunFolder

GAN = """
dim B
model Generator(latent: int = 3) {
  input  z: f32[B, latent]
  output x: f32[B, 2]
  h = z |> fc1: Dense(6) |> tanh
  x = h |> fc2: Dense(2)
}
model Critic {
  input  x: f32[B, 2]
  output score: f32[B, 1]
  score = x |> fc1: Dense(6) |> Dropout(0.25) |> leaky_relu(0.2) |> fc2: Dense(1)
}
data ring {
  source = inline({ x: [[0, 1], [1, 0], [0, -1], [-1, 0], [0.7, 0.7], [-0.7, 0.7], [0.7, -0.7], [-0.7, -0.7], [1, 0.1]] })
  field x: f32[2] = source["x"]
  split = { val: 0.3 }
}
train gan {
  use g = Generator()
  use d = Critic()
  data   = ring
  batch  = 4
  epochs = 6
  seed   = 3
  optimizer = adam(lr = 0.01)
  sample z: f32[B, 3] ~ normal(0, 1)
  step critic {
    update d
    loss = bce_logits(d(data.x), 1) + bce_logits(d(g(z)), 0)
  }
  step generator {
    update g
    freeze    = ["g.fc1.bias"]
    optimizer = sgd(lr = 0.1 |> linear(4 epochs), momentum = 0.5)
    loss      = bce_logits(d(g.x), 1)
    metrics   = { spread: mean(abs(g.h)) }
  }
  early_stop(on = "val.critic.loss", patience = 50 epochs)
}
"""

BUFFER = """
dim B
block Centre {
  dim D
  input  x: float[B, D]
  output y: float[B, D]
  buffer seen: float[D] = zeros()
  buffer count: i64[] = 0
  update seen = 0.5 * seen + 0.5 * stop_gradient(mean(x, axes = 0))
  update count = count + 1
  y = if training then x - mean(x, axes = 0) else x - seen
}
model Net {
  input  x: f32[B, 2]
  output y: f32[B, 1]
  y = x |> centre: Centre() |> fc: Dense(1)
}
data points {
  source = inline({ x: [[1, 5], [3, 5], [1, 7], [3, 7]], t: [[0], [1], [2], [3]] })
  field x: f32[2] = source["x"]
  field t: f32[1] = source["t"]
}
train net {
  use net   = Net()
  data      = points
  loss      = mse(net.y, data.t)
  optimizer = sgd(lr = 0.0001)
  batch     = all
  epochs    = 3
}
"""


def program(text: str) -> Checked:
    return check_program(Source("net.dl", text))


def block(text: str) -> TypedTrain:
    return choose_train(program(text), None)


def prepared(text: str) -> Prepared:
    return prepare(block(text))


def streams(graph: Graph) -> set[str]:
    return {node.attrs.str("stream") for node in graph.leaves("draw")}


# ---------------------------------------------------------------------------------------------- who learns


def test_a_step_changes_what_it_updates_and_nothing_else():
    made = prepared(GAN.replace("adam(lr = 0.01)", "sgd(lr = 1e-30)"))
    before = {key: value.copy() for key, value in made.state.params.items()}
    one_step(made, {"x": np.ones((4, 2))}, 1, lambda: 2)
    changed = {key for key, value in made.state.params.items() if not np.array_equal(value, before[key])}
    assert changed == {"g.fc1.weight", "g.fc2.weight", "g.fc2.bias"}


def test_a_step_sees_the_updates_of_the_steps_before_it():
    made, untouched = prepared(GAN), prepared(GAN)
    found = one_step(made, {"x": np.ones((4, 2))}, 1, lambda: 2)
    alone = untouched.steps[1].bind({"B": 4}, untouched.state.for_training)
    for draw in alone.drawing(3):
        draw(1)
    alone.run(lr=0.0, step=1.0)
    assert abs(float(alone.outputs["loss"]) - found["generator.loss"]) > 1e-4


def test_the_loss_of_each_step_is_that_of_the_formula_with_its_own_draws():
    """NumPy, written out, with the masks and the noise of the runtime."""
    made = prepared(GAN)
    p = {key: value.astype(np.float64) for key, value in made.state.params.items()}
    x = np.array([[0, 1], [1, 0], [0.5, 0.5], [-1, 0]])
    bound = made.steps[0].bind({"B": 4}, made.state.for_training)
    drawn: dict[str, np.ndarray] = {}
    for draw in bound.drawing(3):
        draw(1)
    drawn = {spec.stream: buffer.astype(np.float64).copy() for spec, buffer in bound.draws}
    real, fake = sorted(name for name in drawn if "Dropout" in name)[::-1]
    real, fake = (fake, real) if "@" in real else (real, fake)

    def critic(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
        h = (values @ p["d.fc1.weight"] + p["d.fc1.bias"]) * mask
        return np.where(h > 0, h, 0.2 * h) @ p["d.fc2.weight"] + p["d.fc2.bias"]

    z = drawn["critic/z/sample"]
    made_up = np.tanh(z @ p["g.fc1.weight"] + p["g.fc1.bias"]) @ p["g.fc2.weight"] + p["g.fc2.bias"]
    loss = np.log1p(np.exp(-critic(x, drawn[real]))).mean() + np.log1p(np.exp(critic(made_up, drawn[fake]))).mean()
    found = one_step(made, {"x": x}, 1, lambda: 2)
    assert list(found) == ["critic.loss", "generator.loss", "generator.spread"]
    assert found["critic.loss"] == pytest.approx(loss, rel=1e-5)


def test_every_step_has_random_tensors_of_its_own():
    critic, generator = training_graphs(block(GAN)).steps
    assert "critic/z/sample" in streams(critic)
    assert "generator/z/sample" in streams(generator)
    assert not streams(critic) & streams(generator)


def test_what_a_step_does_not_update_enters_without_a_gradient():
    critic, generator = training_graphs(block(GAN)).steps
    keys = [{node.attrs.str("key") for node in graph.leaves("param")} for graph in (critic, generator)]
    assert keys[0] == {"g.fc1.weight", "g.fc1.bias", "g.fc2.weight", "g.fc2.bias"}
    assert keys[1] == {"d.fc1.weight", "d.fc1.bias", "d.fc2.weight", "d.fc2.bias", "g.fc1.bias"}
    assert set(critic.updates) == {"params/critic", "critic.m/critic", "critic.v/critic"}
    assert set(generator.updates) == {"params/generator", "generator.velocity/generator"}


# ---------------------------------------------------------------------------------------------- whole runs


def test_a_training_of_several_steps_reports_each_of_them(tmp_path: Path):
    row = train(program(GAN), out=tmp_path / "r").result.history[0]
    quantities = ["critic.loss", "generator.loss", "generator.spread"]
    rates = ["critic.lr", "generator.lr"]
    assert list(row) == ["epoch", "step", *quantities, *(f"val.{name}" for name in quantities), *rates, "seconds"]
    assert row["critic.lr"] == 0.01
    assert row["generator.lr"] == pytest.approx(0.1 * (1 - 1 / 8))


def test_a_training_of_several_steps_resumes_exactly(tmp_path: Path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train(program(GAN), out=whole)
    train(program(GAN.replace("epochs = 6", "epochs = 2")), out=parts)
    train(program(GAN), out=parts, resume=True)
    a, b = (checkpoint.load(RunFolder(path).last) for path in (whole, parts))
    assert a.facts == b.facts
    assert {"critic.m/d.fc1.weight", "generator.velocity/g.fc1.weight"} < set(a.tensors)
    assert "generator.velocity/g.fc1.bias" not in a.tensors
    for name, tensor in a.tensors.items():
        assert tensor.tobytes() == b.tensors[name].tobytes(), name


def test_the_weights_of_each_model_are_those_of_its_use(tmp_path: Path):
    checked = program(GAN)
    fit(checked, prepare(choose_train(checked, None)), out=tmp_path / "r")
    run = dslc.open_run(tmp_path / "r")
    saved = checkpoint.load(RunFolder(tmp_path / "r").model).tensors
    for use, model in run.models.items():
        assert all(np.array_equal(value, saved[f"{use}.{key}"]) for key, value in model.params.items())
    out = run.models["g"](z=np.zeros((2, 3), np.float32))
    assert out["x"].shape == (2, 2)


def test_every_engine_evaluates_with_the_same_random_tensors(tmp_path: Path):
    pytest.importorskip("onnxruntime")
    history = train(program(GAN), out=tmp_path / "r").result.history
    found = [evaluate_run(tmp_path / "r", None, "val", engine, "cpu").figures for engine in ("numpy", "ort")]
    assert found[0] == pytest.approx(found[1], rel=1e-5)
    best = min(history, key=lambda row: row["val.critic.loss"])
    assert found[0]["critic.loss"] == pytest.approx(best["val.critic.loss"], rel=1e-6)


def test_gradients_are_those_of_the_step_that_is_named():
    trainer = dslc.parse(GAN).trainer()
    loss, found = trainer.gradients({"x": np.ones((4, 2))}, step="critic")
    assert set(found) == {"d.fc1.weight", "d.fc1.bias", "d.fc2.weight", "d.fc2.bias"}
    assert np.isfinite(loss)
    with pytest.raises(dslc.DslcError, match="several steps"):
        trainer.gradients({"x": np.ones((4, 2))})


def test_a_rate_that_counts_epochs_takes_them_from_the_data_of_the_program():
    """Of 9 rows 6 are trained on, 4 at a time: two steps an epoch, so four epochs are eight steps."""
    made = dslc.parse(GAN).trainer()
    before = made.models["g"].params["fc2.weight"].copy()
    for _ in range(8):
        made.step({"x": np.ones((4, 2))})
    after = made.models["g"].params["fc2.weight"].copy()
    made.step({"x": np.ones((4, 2))})
    assert not np.array_equal(before, after)
    assert np.array_equal(after, made.models["g"].params["fc2.weight"]), "the rate is 0 from step 9 on"


def test_the_graph_of_every_step_is_shown():
    shown = emit_stage(program(GAN), "gan", "training")
    assert [line for line in shown.splitlines() if line.startswith("# step")] == ["# step critic", "# step generator"]
    assert shown.count("update 'params/critic'") == shown.count("update 'params/generator'") == 1


# ---------------------------------------------------------------------------------------------- early stopping


def stopping(rule: str, epochs: int = 30) -> str:
    text = (
        GAN[: GAN.index("train gan")]
        + """
train line {
  use d = Critic()
  data      = ring
  loss      = mean(square(d(data.x)))
  metrics   = { one: mean(d(data.x)) * 0 + 1 }
  optimizer = sgd(lr = 0.1)
  batch     = all
  epochs    = EPOCHS
  RULE
}
"""
    )
    return text.replace("RULE", rule).replace("EPOCHS", str(epochs))


def test_a_training_stops_when_nothing_has_become_better_for_as_long_as_it_waits():
    result = train(program(stopping('early_stop(on = "val.one", patience = 3 epochs, mode = "min")'))).result
    assert result.stopped
    assert len(result.history) == 4
    assert result.progress.best_epoch == 1


def test_min_delta_is_what_a_score_must_gain():
    rule = 'early_stop(on = "val.loss", patience = 2 epochs, min_delta = DELTA)'
    free = train(program(stopping(rule.replace("DELTA", "0.0"), 8))).result
    strict = train(program(stopping(rule.replace("DELTA", "1e6"), 8))).result
    assert len(strict.history) == 3
    assert len(free.history) > 3


def test_the_last_weights_are_kept_where_the_best_are_not_to_be_restored(tmp_path: Path):
    rule = 'early_stop(on = "one", patience = 3 epochs, mode = "max", restore_best = false)'
    made = train(program(stopping(rule)), out=tmp_path / "r")
    assert made.result.progress.best_epoch == made.result.progress.epoch == 4
    saved = checkpoint.load(RunFolder(tmp_path / "r").model).tensors
    assert np.array_equal(saved["fc1.weight"], made.prepared.state.params["fc1.weight"])


def test_a_resumed_training_waits_on_from_where_it_was(tmp_path: Path):
    rule = 'early_stop(on = "val.one", patience = 5 epochs, mode = "min")'
    train(program(stopping(rule, 3)), out=tmp_path / "r")
    result = train(program(stopping(rule)), out=tmp_path / "r", resume=True).result
    assert [row["epoch"] for row in result.history] == [1, 2, 3, 4, 5, 6]
    again = train(program(stopping(rule)), out=tmp_path / "r", resume=True).result
    assert again.stopped
    assert len(again.history) == 6


# ---------------------------------------------------------------------------------------------- buffers


def test_a_buffer_is_updated_in_training_from_its_old_value():
    made = prepared(BUFFER)
    batch = {"x": np.array([[1, 5], [3, 5], [1, 7], [3, 7]]), "t": np.zeros((4, 1))}
    seen = []
    for number in (1, 2, 3):
        one_step(made, batch, number, lambda: 1)
        seen.append(made.state.params["centre.seen"].tolist())
    assert seen == [[1.0, 3.0], [1.5, 4.5], [1.75, 5.25]]
    assert int(made.state.params["centre.count"]) == 3


def test_a_buffer_is_saved_resumed_and_read_in_inference(tmp_path: Path):
    train(program(BUFFER.replace("epochs    = 3", "epochs    = 1")), out=tmp_path / "r")
    train(program(BUFFER), out=tmp_path / "r", resume=True)
    saved = checkpoint.load(RunFolder(tmp_path / "r").model).tensors
    assert saved["centre.seen"].tolist() == [1.75, 5.25]
    model = dslc.open_run(tmp_path / "r").models["net"]
    x = np.array([[4.0, 2.0]], np.float32)
    wanted = (x - [1.75, 5.25]) @ saved["fc.weight"] + saved["fc.bias"]
    np.testing.assert_allclose(model(x=x)["y"], wanted, rtol=1e-6)


def test_a_buffer_gets_no_gradient_and_no_slot():
    train_block = block(BUFFER)
    assert train_block.steps[0].updates == ("fc.weight", "fc.bias")
    assert training_graphs(train_block).buffers == ("centre.seen", "centre.count")
