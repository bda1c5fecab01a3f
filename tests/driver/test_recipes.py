"""Accumulated gradients and averaged weights, from the text of a program to what a run leaves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dslc.driver.frontend import Checked, check_program
from dslc.driver.training import Trained, train
from dslc.source import Source
from dslc_runtime import checkpoint

GENERATOR = np.random.default_rng(0)
ROWS = [[round(float(number), 3) for number in row] for row in GENERATOR.normal(size=(50, 2))]
PROGRAM = f"""
dim B
model Net {{
  input  x: f64[B, 2]
  output y: f64[B, 1]
  y = x |> fc1: Dense(4) |> tanh |> fc2: Dense(1)
}}
data points {{
  source = inline({{ x: {ROWS} }})
  split  = {{ val: 0.2 }}
  field x: f64[2] = source["x"]
  field t: f64[1] = source["x"][:1] * source["x"][1:]
}}
train net {{
  use net   = Net()
  data      = points
  loss      = mse(net.y, data.t)
  optimizer = adam(lr = 0.05)
  epochs    = 6
SETTINGS
}}
"""


def program(*settings: str) -> Checked:
    return check_program(Source("net.dl", PROGRAM.replace("SETTINGS", "\n".join(settings))))


def ended(*settings: str) -> Trained:
    return train(program(*settings))


def same(a: Trained, b: Trained) -> bool:
    ours, theirs = a.prepared.state.params, b.prepared.state.params
    return all(np.allclose(ours[key], theirs[key], rtol=1e-10, atol=1e-12) for key in theirs)


# ---------------------------------------------------------------------------------------------- accumulated gradients


def test_batches_that_are_accumulated_train_as_one_large_batch():
    """40 rows in batches of 3 or 12; the last update of an epoch has 4 rows: a batch of 3 and one of 1."""
    large, small = ended("  batch = 12"), ended("  batch = 3", "  accumulate = 4")
    assert same(small, large)
    assert (
        [row["step"] for row in small.result.history]
        == [row["step"] for row in large.result.history]
        == [4, 8, 12, 16, 20, 24]
    )


def test_schedules_and_clipping_count_updates():
    settings = ("  clip_norm = 0.05", "  optimizer = sgd(lr = 0.5 |> linear(3 epochs, to = 0.1) |> constant())")
    text = PROGRAM.replace("  optimizer = adam(lr = 0.05)\n", "")
    large, small = (
        train(check_program(Source("net.dl", text.replace("SETTINGS", "\n".join([*settings, *batches])))))
        for batches in (("  batch = 12",), ("  batch = 3", "  accumulate = 4"))
    )
    assert same(small, large)
    assert [row["lr"] for row in small.result.history] == [row["lr"] for row in large.result.history]


def test_several_objectives_accumulate_each_for_itself():
    steps = "  step one { update net; loss = mse(net.y, data.t) }\n  step two { update net; loss = mae(net.y, data.t) }"
    text = PROGRAM.replace("  loss      = mse(net.y, data.t)\n", "")
    made = [
        train(check_program(Source("net.dl", text.replace("SETTINGS", f"{steps}\n{batches}"))))
        for batches in ("  batch = 40", "  batch = 40\n  accumulate = 3")
    ]
    assert same(*made), "with one batch in an epoch there is nothing to wait for"
    assert {name for group in made[1].prepared.state.groups for name in group.sums} == {"one.gradient", "two.gradient"}


def test_nothing_is_left_in_the_sums_at_the_end_of_an_epoch_and_they_are_not_saved(tmp_path: Path):
    trained = train(program("  batch = 3", "  accumulate = 4"), out=tmp_path / "run")
    assert not trained.prepared.state.arenas["gradient/all"].any()
    saved = checkpoint.load(tmp_path / "run" / "last.safetensors").tensors
    assert {name.partition("/")[0] for name in saved if "/" in name} == {"m", "v"}


# ---------------------------------------------------------------------------------------------- averaged weights


def averages(trained: list[dict[str, np.ndarray]], decay: float) -> dict[str, np.ndarray]:
    """The running mean of weights after each update, by hand."""
    mean = trained[0]
    for weights in trained[1:]:
        mean = {key: decay * mean[key] + (1 - decay) * weights[key] for key in mean}
    return mean


def after_each_epoch() -> list[dict[str, np.ndarray]]:
    """The weights after each epoch of one update, without an average."""
    text = PROGRAM.replace("  epochs    = 6\n", "")
    found = []
    for epochs in range(1, 7):
        made = train(check_program(Source("net.dl", text.replace("SETTINGS", f"  batch = all\n  epochs = {epochs}"))))
        found.append({key: value.copy() for key, value in made.prepared.state.params.items()})
    return found


def test_the_average_is_what_is_validated_kept_and_saved(tmp_path: Path):
    each = after_each_epoch()
    trained = train(program("  batch = all", "  ema = 0.7"), out=tmp_path / "run")
    wanted = averages(each, 0.7)
    saved = checkpoint.load(tmp_path / "run" / "model.safetensors").tensors
    for key, value in wanted.items():
        np.testing.assert_allclose(trained.result.best[key], value, rtol=1e-12)
        assert np.array_equal(saved[key], trained.result.best[key])
        np.testing.assert_allclose(trained.prepared.state.params[key], each[-1][key], rtol=1e-12)
    x = trained.opened.part("val")
    rows = x.rows if x.rows is not None else slice(None)
    hidden = np.tanh(x.fields["x"][rows] @ wanted["fc1.weight"] + wanted["fc1.bias"])
    error = hidden @ wanted["fc2.weight"] + wanted["fc2.bias"] - x.fields["t"][rows]
    assert trained.result.history[-1]["val.loss"] == pytest.approx(np.mean(error**2), rel=1e-12)


def test_a_checkpoint_keeps_the_weights_and_their_average(tmp_path: Path):
    train(program("  batch = 10", "  ema = 0.9"), out=tmp_path / "run")
    last = checkpoint.load(tmp_path / "run" / "last.safetensors").tensors
    best = checkpoint.load(tmp_path / "run" / "model.safetensors").tensors
    assert np.array_equal(last["ema/fc1.weight"], best["fc1.weight"])
    assert not np.array_equal(last["fc1.weight"], best["fc1.weight"])


def test_frozen_weights_are_their_own_average():
    trained = ended("  batch = 10", "  ema = 0.9", '  freeze = ["fc1.*"]')
    untrained = ended("  batch = 10", '  freeze = ["fc1.*"]').prepared.state.params["fc1.weight"]
    assert np.array_equal(trained.result.best["fc1.weight"], untrained)


# ---------------------------------------------------------------------------------------------- resuming


@pytest.mark.parametrize(
    "settings",
    [
        ("  batch = 3", "  accumulate = 4"),
        ("  batch = 7", "  ema = { decay: 0.95, warmup: true }"),
        ("  batch = 7", "  ema = 0.9", "  accumulate = 2", '  early_stop(on = "val.loss", patience = 9 epochs)'),
    ],
)
def test_a_resumed_training_has_the_bytes_of_one_that_ran_through(tmp_path: Path, settings: tuple[str, ...]):
    text = PROGRAM.replace("epochs    = 6", "epochs    = EPOCHS").replace("SETTINGS", "\n".join(settings))

    def go(name: str, epochs: int, resume: bool = False) -> None:
        checked = check_program(Source("net.dl", text.replace("EPOCHS", str(epochs))))
        train(checked, out=tmp_path / name, resume=resume)

    go("whole", 6)
    go("parts", 2)
    go("parts", 3, resume=True)
    go("parts", 6, resume=True)
    for file in ("last.safetensors", "model.safetensors"):
        assert (tmp_path / "whole" / file).read_bytes() == (tmp_path / "parts" / file).read_bytes()
