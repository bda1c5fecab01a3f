"""`dslc explain FILE`: the formulas that are printed compute what the program computes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toy import TOY, write_toy

import dslc
from dslc.driver.explaining import explain_program
from dslc.driver.frontend import check_program, read_source
from dslc.resources import models_path
from dslc.source import Source


def lines(text: str) -> list[tuple[str, str]]:
    """Names and formulas in order; names as Python writes them: `d fc1.weight` is `d_fc1_weight`."""
    found: list[tuple[str, str]] = []
    for line in text.splitlines():
        match = re.fullmatch(r"  (\S.*?) +?= (.*?)  +\S+(, [^ ]+)*", line)
        if match:
            formula = re.sub(r"\bd (?=[a-z])", "d_", match[2])
            found.append((plain(match[1]), re.sub(r"[a-z_]\w*(?:\.\w+)+", lambda name: plain(name[0]), formula)))
    return found


def plain(name: str) -> str:
    return name.replace(" ", "_").replace(".", "_")


def cross_entropy(logits: Any, label: Any) -> Any:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return -log_p[np.arange(len(label)), label]


def cross_entropy_grad(logits: Any, label: Any, g: Any) -> Any:
    p = np.exp(logits - logits.max(axis=-1, keepdims=True))
    p /= p.sum(axis=-1, keepdims=True)
    p[np.arange(len(label)), label] -= 1
    return p * np.asarray(g)[..., None]


FUNCTIONS = {
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0),
    "square": np.square,
    "where": np.where,
    "transpose": np.transpose,
    "reshape": np.reshape,
    "expand": np.broadcast_to,
    "sum": lambda x, axes=None: np.sum(x, axis=None if axes is None else tuple(axes)),
    "mean": lambda x, axes=None: np.mean(x, axis=None if axes is None else tuple(axes)),
    "argmax": lambda x, axis: np.argmax(x, axis=axis),
    "cast": np.asarray,
    "f32": np.float32,
    "cross_entropy": cross_entropy,
    "softmax_cross_entropy_grad": cross_entropy_grad,
}


def computed(text: str, given: dict[str, Any]) -> dict[str, Any]:
    """What the formulas compute, read as Python over NumPy."""
    values = dict(FUNCTIONS) | {plain(name): value for name, value in given.items()}
    for name, formula in lines(text):
        values[name] = eval(formula, {"__builtins__": {}}, values)
    return values


def test_the_formulas_of_a_training_compute_its_loss_and_gradients() -> None:
    path = models_path() / "xor.dl"
    program = dslc.load(path)
    trainer = program.trainer()
    batch = {"x": np.array([[0.0, 1.0], [1.0, 1.0]]), "y": np.array([[1.0], [0.0]])}
    loss, gradients = trainer.gradients(batch)
    text = explain_program(check_program(read_source(path)), "xor")
    found = computed(text, {**batch, **trainer.models["net"].params, "B": 2})
    assert found["loss"] == pytest.approx(loss, rel=1e-5)
    for key, gradient in gradients.items():
        np.testing.assert_allclose(found[plain(f"d {key}")], gradient, rtol=1e-4, atol=1e-7, err_msg=key)


def test_the_formulas_of_a_model_go_both_ways() -> None:
    path = models_path() / "autoencoder.dl"
    model = dslc.load(path).model(seed=3)
    generator = np.random.default_rng(1)
    image = generator.random((3, 28, 28))
    seed = generator.standard_normal((3, 784))
    text = explain_program(check_program(read_source(path)), None)
    given = {"image": image, **model.params, "B": 3, "d pixels": seed}
    found = computed(text, given)
    np.testing.assert_allclose(found["pixels"], model(image=image)["pixels"], rtol=1e-4)
    key, at, step = "enc.weight", (400, 5), 1e-3
    moved = {**given, key: given[key].astype(np.float64)}
    ends = []
    for sign in (1, -1):
        moved[key] = given[key].astype(np.float64)
        moved[key][at] += sign * step
        ends.append(float((computed(text, moved)["pixels"] * seed).sum()))
    assert found["d_enc_weight"][at] == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-4)


def test_the_formulas_of_a_classifier_are_those_of_its_loss(tmp_path: Path) -> None:
    path = write_toy(tmp_path, TOY.replace("Dropout(0.1)", "Dropout(0.0)"))
    trainer = dslc.load(path).trainer()
    batch = {"x": np.eye(3), "label": np.array([0, 2, 1])}
    loss, gradients = trainer.gradients(batch)
    found = computed(
        explain_program(check_program(read_source(path)), "toy"), {**batch, **trainer.models["net"].params, "B": 3}
    )
    assert found["loss"] == pytest.approx(loss, rel=1e-5)
    np.testing.assert_allclose(found["d_fc1_weight"], gradients["fc1.weight"], rtol=1e-4, atol=1e-7)


def test_a_layer_applied_twice_has_two_names() -> None:
    text = """
dim B
model M {
  input  x: f32[B, 3]
  output y: f32[B, 3]
  layer fc = Dense(3)
  y = tanh(fc(relu(fc(x))))
}
"""
    shown = explain_program(check_program(Source("m.dl", text)), None)
    names = [name for name, _ in lines(shown)]
    assert len(names) == len(set(names))
    assert "fc.y' = t1 @ fc.weight + fc.bias" in shown
    assert "y     = tanh(fc.y')" in shown


def test_without_a_name_every_model_is_shown() -> None:
    shown = explain_program(check_program(read_source(models_path() / "neuron.dl")), None)
    assert [line for line in shown.splitlines() if line.startswith("model")] == ["model Neuron", "model Perceptron"]


def test_a_model_that_runs_along_time_has_formulas_too() -> None:
    text = """
cell Sum(units: int) {
  dim B, D
  input  x: f32[B, D]
  output y: f32[B, units]
  state  h: f32[B, units] = zeros()
  param  w: f32[D, units] = zeros()
  next h = tanh(h + x @ w)
  y = h
}
dim B, T
model M {
  input  x: f32[B, T, 3]
  output y: f32[B, T, 2]
  y = x |> run: scan(Sum(2))
}
"""
    shown = explain_program(check_program(Source("m.dl", text)), "M")
    assert "d run.w" in shown
    assert "scan" in shown
