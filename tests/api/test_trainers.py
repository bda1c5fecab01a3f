"""Training in Python: gradients, single steps, whole trainings, and runs."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toy import TOY, arrays, write_toy

import dslc
from dslc.driver import stepping
from dslc.driver.training import Prepared
from dslc_runtime import checkpoint
from dslc_runtime.stepping import run_objective
from dslc_runtime.threads import describe, limited, usable_cores

PLAIN = TOY.replace(" |> Dropout(0.1)", "")
BATCH = {"x": arrays()["x"][:6] / 10, "label": arrays()["y"][:6]}


def trainer(text: str = PLAIN, **settings: object) -> dslc.Trainer:
    return dslc.parse(text).trainer(set={f"train.toy.{name}": value for name, value in settings.items()})


def loss(logits: np.ndarray, labels: np.ndarray) -> float:
    """The cross entropy in float64."""
    scores = logits.astype(np.float64)
    scores -= scores.max(1, keepdims=True)
    return float(np.mean(np.log(np.exp(scores).sum(1)) - scores[np.arange(len(labels)), labels]))


# ---------------------------------------------------------------------------------------------- one step


WIDE = TOY.replace("hidden: int = 4", "hidden: int = 256")
ROWS = {name: np.resize(value, (len(value) * 12_000, *value.shape[1:])) for name, value in BATCH.items()}


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The threads of linear algebra that each step ran on."""
    found: list[int] = []

    def watched(*given: Any) -> None:
        found.append(describe()[0]["threads"])
        run_objective(*given)

    monkeypatch.setattr(stepping, "run_objective", watched)
    return found


def test_a_step_runs_on_as_many_threads_as_its_work_is_worth_and_leaves_the_setting(used: list[int]) -> None:
    made = trainer(WIDE)
    with limited(3):
        made.step(BATCH)
        made.step(ROWS)
        assert describe()[0]["threads"] == 3
    assert used == [1, usable_cores()]


def test_a_step_runs_on_the_threads_that_the_trainer_was_given(used: list[int]) -> None:
    dslc.parse(PLAIN).trainer(threads=2).step(BATCH)
    assert used == [2]


def test_no_trainer_has_no_threads() -> None:
    with pytest.raises(ValueError, match="`threads` must be a whole number of at least 1, not 0"):
        dslc.parse(PLAIN).trainer(threads=0)


def test_a_fit_uses_the_threads_of_its_trainer_unless_it_is_given_others(tmp_path: Path) -> None:
    program = dslc.load(write_toy(tmp_path))
    made = program.trainer(threads=2)
    for out, given in (("as the trainer", None), ("others", 1)):
        made.fit(tmp_path / out, threads=given)
    facts = [json.loads((tmp_path / out / "run.json").read_text()) for out in ("as the trainer", "others")]
    assert [each["threads"] for each in facts] == [2, 1]


def test_gradients_are_keyed_like_parameters_and_agree_with_differences() -> None:
    made = trainer(PLAIN.replace("f32", "f64"))
    model = made.models["net"]
    value, gradients = made.gradients(BATCH)
    assert set(gradients) == set(model.params)
    assert value == pytest.approx(loss(model(x=BATCH["x"])["logits"], BATCH["label"]), abs=1e-12)
    for key, gradient in gradients.items():
        flat = model.params[key].reshape(-1)
        assert gradient.shape == model.params[key].shape
        for i in range(flat.size):
            kept = flat[i]
            ends = []
            for nudge in (1e-6, -1e-6):
                flat[i] = kept + nudge
                ends.append(loss(model(x=BATCH["x"])["logits"], BATCH["label"]))
            flat[i] = kept
            assert gradient.reshape(-1)[i] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-8)


def test_steps_by_hand_warn_once_that_no_score_cuts_their_rate() -> None:
    made = trainer(PLAIN.replace("adam(lr = 0.05)", 'sgd(lr = 0.5 |> plateau("loss", patience = 0 epochs))'))
    with pytest.warns(UserWarning, match="follows `?loss`?, which `step` does not measure"):
        made.step(BATCH)
    made.step(BATCH)


def test_gradients_update_nothing() -> None:
    made = trainer()
    first = made.gradients(BATCH)
    second = made.gradients(BATCH)
    assert first[0] == second[0]
    assert all(np.array_equal(first[1][key], second[1][key]) for key in first[1])


def test_a_step_of_gradient_descent_subtracts_the_gradient() -> None:
    made = trainer(PLAIN.replace("adam(lr = 0.05)", "sgd(lr = 0.5)"))
    model = made.models["net"]
    before = {key: value.copy() for key, value in model.params.items()}
    value, gradients = made.gradients(BATCH)
    figures = made.step(BATCH)
    assert set(figures) == {"loss", "acc"}
    assert figures["loss"] == pytest.approx(value, abs=1e-6)
    for key, gradient in gradients.items():
        assert np.max(np.abs(model.params[key] - (before[key] - 0.5 * gradient))) < 1e-6


def test_a_step_that_computes_again_gives_the_same_weights() -> None:
    made = [dslc.parse(TOY).trainer(remat=remat) for remat in (False, True)]
    found = [[each.step(BATCH) for _ in range(3)] for each in made]
    assert found[0] == found[1]
    for key, value in made[0].models["net"].params.items():
        assert value.tobytes() == made[1].models["net"].params[key].tobytes(), key


def test_models_share_the_trainers_memory() -> None:
    made = trainer()
    model, again = made.models["net"], made.models["net"]
    answers = model(x=BATCH["x"])["logits"]
    made.step(BATCH)
    assert not np.array_equal(model(x=BATCH["x"])["logits"], answers)
    assert np.shares_memory(model.params["fc1.weight"], again.params["fc1.weight"])


def test_steps_by_hand_give_the_bytes_of_a_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """100 steps, so that clearing tiny moments is part of it; full batches in order, with dropout."""
    write_toy(tmp_path)
    monkeypatch.chdir(tmp_path)
    text = TOY.replace("  split = { val: 0.25 }\n", "").replace("batch     = 8", "batch     = all")
    fitted, stepped = trainer(text, epochs=100), trainer(text)
    run = fitted.fit()
    data = arrays()
    # As the field's expression computes it.
    batch = {"x": data["x"] / np.float32(10), "label": data["y"]}
    figures = [stepped.step(batch) for _ in range(100)]
    assert figures[0]["loss"] == run.history[0]["loss"]
    assert figures[-1]["acc"] == run.history[-1]["acc"]
    ours, theirs = stepped.models["net"].params, fitted.models["net"].params
    assert all(np.array_equal(ours[key], theirs[key]) for key in ours)


def test_tiny_moments_are_cleared_every_64_steps() -> None:
    made = trainer()
    prepared: Prepared = made._prepared
    for step in range(1, 65):
        prepared.state.arenas["m/all"][0] = 1e-38
        made.step({**BATCH, "x": np.zeros((6, 3), np.float32)})
        assert (prepared.state.arenas["m/all"][0] == 0) == (step == 64)


@pytest.mark.parametrize(
    ("batch", "code"),
    [
        ({"x": BATCH["x"]}, "DL5040"),
        ({**BATCH, "x": BATCH["x"][:3]}, "DL5040"),
        ({**BATCH, "label": BATCH["label"].astype(float)}, "DL5040"),
        ({**BATCH, "label": BATCH["label"] + 3}, "DL5041"),
        ({**BATCH, "x": np.full((6, 3), np.nan, np.float32)}, "DL5030"),
    ],
)
def test_batches_at_fault_are_coded_errors_and_update_nothing(batch: dict[str, np.ndarray], code: str) -> None:
    made = trainer()
    before = {key: value.copy() for key, value in made.models["net"].params.items()}
    with pytest.raises(dslc.DslcError, match=code):
        made.step(batch)
    assert all(np.array_equal(value, before[key]) for key, value in made.models["net"].params.items())


def test_several_steps_make_an_update_where_gradients_are_accumulated() -> None:
    large, small = trainer(), dslc.parse(PLAIN.replace("batch     = 8", "batch     = 2\n  accumulate = 2")).trainer()
    before = {key: value.copy() for key, value in small.models["net"].params.items()}
    for rows, moved in ((slice(0, 4), False), (slice(4, 6), True)):
        small.step({name: array[rows] for name, array in BATCH.items()})
        same = all(np.array_equal(value, before[key]) for key, value in small.models["net"].params.items())
        assert same != moved
    large.step(BATCH)
    for key, value in large.models["net"].params.items():
        np.testing.assert_allclose(small.models["net"].params[key], value, rtol=1e-5, atol=1e-7)
    assert repr(small) == "Trainer(toy: 1 steps)"


def test_a_step_that_fails_takes_back_what_the_steps_before_it_did() -> None:
    made = dslc.parse(SECOND_FAILS).trainer()
    before = made.models["net"].params["w"].copy()
    with pytest.raises(dslc.DslcError, match="DL5030"):
        made.step({"x": np.array([1.0], np.float32)})
    assert np.array_equal(made.models["net"].params["w"], before)
    assert not made._prepared.state.arenas["first.velocity/first+second"].any()


SECOND_FAILS = """
dim B
model Line { input x: f32[B]; output y: f32[B]; param w: f32[] = ones(); y = x * w }
data points { source = inline({ x: [1.0, 2.0] }); field x: f32[] = source["x"] }
train line {
  use net   = Line()
  data      = points
  optimizer = sgd(lr = 0.5, momentum = 0.9)
  step first  { update net; loss = mean(square(net.y)) }
  step second { update net; loss = mean(log(net.y - 0.5)) }
}
"""


# ---------------------------------------------------------------------------------------------- fit


def test_fit_without_a_folder_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = dslc.load(write_toy(tmp_path))
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    run = program.trainer().fit()
    assert run.path is None
    assert len(run.history) == 3
    assert list(empty.iterdir()) == []


def test_a_run_opened_again_is_the_run(tmp_path: Path) -> None:
    run = dslc.load(write_toy(tmp_path)).trainer(set={"train.toy.seed": 2}).fit(out=tmp_path / "r")
    again = dslc.open_run(tmp_path / "r")
    assert again.path == run.path == tmp_path / "r"
    assert again.history == run.history
    assert list(again.models) == ["net"]
    for key, value in run.models["net"].params.items():
        assert np.array_equal(again.models["net"].params[key], value)


def test_ctrl_c_ends_the_script_and_keeps_the_finished_epochs(tmp_path: Path) -> None:
    made = dslc.load(write_toy(tmp_path)).trainer(set={"train.toy.epochs": 10**8})
    history = tmp_path / "r" / "history.jsonl"

    def press() -> None:
        deadline = time.monotonic() + 60
        while not (history.exists() and history.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    (presser := threading.Thread(target=press)).start()
    with pytest.raises(KeyboardInterrupt):
        made.fit(out=tmp_path / "r")
    presser.join()
    run = dslc.open_run(tmp_path / "r")
    assert checkpoint.load(tmp_path / "r/last.safetensors").facts["epoch"] == len(run.history) >= 1
    assert (tmp_path / "r/report.html").exists()
    for key, value in made.models["net"].params.items():
        assert np.array_equal(run.models["net"].params[key], value)


def test_fit_once_more_goes_on_from_the_trained_weights_with_a_new_history(tmp_path: Path) -> None:
    made = dslc.load(write_toy(tmp_path)).trainer(set={"train.toy.epochs": 10})
    first, second = made.fit(), made.fit()
    assert [row["epoch"] for row in second.history] == [row["epoch"] for row in first.history]
    assert second.history[0]["val.loss"] < first.history[0]["val.loss"]


def test_an_error_as_text_says_where_and_how_to_mend_it(tmp_path: Path) -> None:
    made = dslc.load(write_toy(tmp_path)).trainer()
    made.fit(out=tmp_path / "r")
    with pytest.raises(dslc.DslcError) as caught:
        made.fit(out=tmp_path / "r")
    assert str(caught.value).splitlines() == [
        "error[DL5026]: this folder holds a run already",
        f" --> {tmp_path / 'r'}",
        "  = help: name another folder; `--resume` goes on with this run, `--force` replaces it",
    ]
    with pytest.raises(dslc.DslcError, match=r"(?m)^ --> <string>:1:24$"):
        dslc.parse("model M { input x: f32[B, 2]; output y: f32[B, 2] = x }")


def test_settings_are_python_values(tmp_path: Path) -> None:
    settings = {"train.toy.epochs": 2, "train.toy.net.hidden": 6, "data.points.split.val": 0.5}
    program = dslc.load(write_toy(tmp_path))
    run = program.trainer("toy", set=settings).fit()
    assert len(run.history) == 2
    assert run.models["net"].params["fc1.weight"].shape == (3, 6)
    with pytest.raises(dslc.DslcError, match="DL3081"):
        program.trainer(set={"train.toy.epoch": 2})
    with pytest.raises(dslc.DslcError, match="DL0053"):
        program.trainer("boy")
    with pytest.raises(dslc.DslcError, match="DL6006"):
        program.trainer(engine="torch")  # type: ignore[arg-type]


def test_data_at_fault_is_a_coded_error(tmp_path: Path) -> None:
    path = write_toy(tmp_path)
    np.savez(tmp_path / "toy.npz", allow_pickle=False, **arrays(highest=4))
    with pytest.raises(dslc.DslcError, match="DL5007"):
        dslc.load(path).trainer().fit()
