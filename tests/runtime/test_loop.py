"""The training loop: right means, the same bytes again, and the last good epoch kept whatever happens."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from regression import LAYOUT, HandProgram, make_job
from watching import Watch, files_of

from dslc_runtime import checkpoint, keeper
from dslc_runtime.data import Part
from dslc_runtime.early_stop import EarlyStop
from dslc_runtime.errors import RuntimeFault
from dslc_runtime.evaluate import evaluate, function_run, predict, program_run
from dslc_runtime.history import read_history
from dslc_runtime.loop import train
from dslc_runtime.run_folder import RunFolder, create_run
from dslc_runtime.state import Group, State


def test_a_training_learns_and_says_so(run: RunFolder) -> None:
    job = make_job(epochs=40)
    watch = Watch()
    result = train(job, run, watch)
    assert result.history[-1]["val.loss"] < 0.3 * result.history[0]["val.loss"]
    assert watch.told[0] == ("start", 1, 40, 6)
    assert watch.told[1:] == [*range(1, 41), ("end", False)]
    assert result.progress.epoch == 40
    assert result.progress.step == 240
    assert list(result.history[0]) == ["epoch", "step", "loss", "worst", "val.loss", "val.worst", "lr", "seconds"]
    assert result.history[0]["lr"] == 0.02 / 1.06
    assert read_history(run.history) == result.history


def test_the_loss_of_an_epoch_weighs_rows_and_not_batches() -> None:
    job = make_job(rate=lambda step: 0.0, epochs=1)
    x, y = job.train.fields["x"], job.train.fields["y"]
    row = train(job).history[0]
    assert np.isclose(row["val.loss"], np.mean(y[40:] ** 2), rtol=1e-6)
    assert np.isclose(row["loss"], np.mean(y[:40] ** 2), rtol=1e-6)  # w = b = 0, so the mask plays no part
    assert x.shape == (50, 3)


def test_a_training_is_the_sum_of_its_steps() -> None:
    """The loop against the same steps written out: order, masks, short batch."""
    from dslc_runtime.random import fill, permutation

    job = make_job(epochs=2)
    again = make_job(epochs=2)
    train(job)
    step = 0
    for epoch in (1, 2):
        rows = again.train.rows[permutation(40, 3, "shuffle", step=epoch)]
        for start in range(0, 40, 7):
            step += 1
            some = rows[start : start + 7]
            bound = HandProgram(True).bind({"B": len(some)}, again.state.for_training)
            bound.inputs["x"][...] = again.train.fields["x"][some]
            bound.inputs["y"][...] = again.train.fields["y"][some]
            fill(*bound.draws[0][:1], 3, step, bound.draws[0][1])
            bound.step(again.updates[0].rate(step))
    assert again.state.arenas["params/all"].tobytes() == job.state.arenas["params/all"].tobytes()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    found = {}
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        run = create_run(tmp_path / name, "", {})
        train(make_job(seed=seed), run)
        found[name] = files_of(run)
    assert found["a"] == found["b"]
    assert found["a"][0] != found["c"][0]


@pytest.mark.parametrize("first", [1, 2, 3])
@pytest.mark.parametrize("val", [True, False])
def test_resuming_gives_the_bytes_of_running_through(tmp_path: Path, first: int, val: bool) -> None:
    changes = {} if val else {"val": None}
    through, parts = create_run(tmp_path / "a", "", {}), create_run(tmp_path / "b", "", {})
    whole = train(make_job(**changes), through)
    train(make_job(epochs=first, **changes), parts)
    rest = train(make_job(**changes), parts, resume=True)
    assert files_of(through) == files_of(parts)
    assert rest.progress == whole.progress
    assert all(np.array_equal(rest.best[key], value) for key, value in whole.best.items())
    drop = {"seconds"}
    for a, b in zip(read_history(parts.history), whole.history, strict=True):
        assert {k: v for k, v in a.items() if k not in drop} == {k: v for k, v in b.items() if k not in drop}


def test_resuming_after_rows_that_were_never_committed_drops_them(run: RunFolder) -> None:
    train(make_job(epochs=2), run)
    with run.history.open("a") as file:
        file.write('{"epoch": 3, "loss": 1.0}\n{"epoch": 4, "lo')
    result = train(make_job(), run, resume=True)
    assert [row["epoch"] for row in result.history] == [1, 2, 3, 4]
    assert [row["epoch"] for row in read_history(run.history)] == [1, 2, 3, 4]
    assert "worst" in result.history[2]


@pytest.mark.parametrize(
    ("changes", "note", "mend"),
    [
        ({"seed": 9}, "the seed was 3 and is 9", "`--seed 3`"),
        ({"batch": 8}, "the batch size was 7 and is 8", "`--set batch=7`"),
        ({"data": "other"}, "the data's fingerprint was fingerprint and is other", "its data"),
    ],
)
def test_resuming_with_other_settings_is_refused(run: RunFolder, changes: dict, note: str, mend: str) -> None:
    train(make_job(epochs=1), run)
    with pytest.raises(RuntimeFault) as caught:
        train(make_job(**changes), run, resume=True)
    assert caught.value.code == "DL5025"
    assert caught.value.notes == (note,)
    assert caught.value.help == f"go on as the run began: with {mend}"


def test_resuming_nothing_is_a_fault(run: RunFolder) -> None:
    with pytest.raises(RuntimeFault) as caught:
        train(make_job(), run, resume=True)
    assert caught.value.code == "DL5024"


def test_what_begins_is_told_once_resuming_is_allowed_and_there_is_an_epoch_to_run(run: RunFolder) -> None:
    begun: list[int] = []
    train(make_job(epochs=2), run, begin=begun.append)
    assert begun == [1]
    with pytest.raises(RuntimeFault, match="DL5025"):
        train(make_job(epochs=3, seed=9), run, resume=True, begin=begun.append)
    train(make_job(epochs=2), run, resume=True, begin=begun.append)
    assert begun == [1]
    train(make_job(epochs=3), run, resume=True, begin=begun.append)
    assert begun == [1, 3]


def test_resuming_a_finished_run_changes_nothing(run: RunFolder) -> None:
    train(make_job(), run)
    before = files_of(run)
    result = train(make_job(), run, resume=True)
    assert files_of(run) == before
    assert len(result.history) == 4


def test_the_best_weights_are_those_of_the_lowest_validation_loss(run: RunFolder) -> None:
    rates = iter([0.05] * 18 + [-0.05] * 100)  # three epochs down, then up again
    job = make_job(epochs=6, rate=lambda step: next(rates) if step else 0.0)
    result = train(replace(job, early_stop=EarlyStop("val.loss", patience=9)), run)
    losses = [row["val.loss"] for row in result.history]
    best = losses.index(min(losses)) + 1
    assert best in (2, 3, 4)
    assert result.progress.best_epoch == best
    assert result.progress.best == min(losses)
    saved = checkpoint.load(run.model)
    assert saved.facts["epoch"] == best
    scores = evaluate(program_run(HandProgram(False), saved.tensors), job.val, 4)
    assert np.isclose(scores["loss"], min(losses), rtol=1e-6)
    assert not np.array_equal(saved.tensors["w"], job.state.params["w"])


def test_a_loss_that_is_not_finite_stops_with_step_and_culprit(run: RunFolder) -> None:
    seen = []

    def diagnose(inputs: dict, step: int) -> str:
        seen.append((step, set(inputs), inputs["x"].shape == inputs["net.mask"].shape))
        return "`net.h` (line 8)"

    job = make_job(epochs=9, rate=lambda step: 0.01 if step < 15 else 1e30, diagnose=diagnose)
    with pytest.raises(RuntimeFault) as caught:
        train(job, run)
    fault = caught.value
    assert fault.code == "DL5030"
    assert "epoch 3" in fault.message
    assert "`net.h` (line 8)" in fault.notes[0]
    assert "epoch 2 are kept" in fault.notes[1]
    assert fault.notes[2] == f"`dslc train {run.config} --resume --out {run.path}` goes on after epoch 2"
    ((step, given, same_rows),) = seen
    assert step in (16, 17, 18)
    assert given == {"x", "y", "net.mask"}
    assert same_rows
    saved = checkpoint.load(run.last)
    assert saved.facts["epoch"] == 2
    assert all(np.isfinite(tensor).all() for tensor in saved.tensors.values())
    assert len(read_history(run.history)) == 2


def test_a_parameter_that_is_not_finite_is_never_saved(run: RunFolder) -> None:
    job = make_job(epochs=9, rate=lambda step: 0.01 if step < 12 else float("inf"))
    with pytest.raises(RuntimeFault) as caught:
        train(job, run)
    assert caught.value.code == "DL5031"
    assert "after epoch 2" in caught.value.message
    assert checkpoint.load(run.last).facts["epoch"] == 1
    assert np.isfinite(job.state.arenas["params/all"]).all()


def test_a_fault_in_the_first_epoch_saves_nothing(run: RunFolder) -> None:
    with pytest.raises(RuntimeFault) as caught:
        train(make_job(rate=lambda step: 1e30), run)
    assert "nothing is saved" in caught.value.notes[0]
    assert not any("--resume" in note for note in caught.value.notes)
    assert not run.model.exists()


def test_epochs_are_written_at_most_once_a_second_and_at_the_end(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = []
    save = checkpoint.save
    monkeypatch.setattr(keeper.checkpoint, "save", lambda path, *rest: (writes.append(path.name), save(path, *rest)))
    train(make_job(epochs=30), run)
    assert writes.count("last.safetensors") < 10
    assert checkpoint.load(run.last).facts["epoch"] == 30


def test_a_full_disk_is_a_fault_and_leaves_the_older_files(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    train(make_job(epochs=2), run)
    before = files_of(run)

    def full(path: Path, *rest: object) -> None:
        raise RuntimeFault("DL5023", "the disk is full")

    monkeypatch.setattr(keeper.checkpoint, "save", full)
    with pytest.raises(RuntimeFault, match="DL5023"):
        train(make_job(epochs=4), run, resume=True)
    assert files_of(run) == before


def test_the_whole_batch_needs_no_shuffling_and_one_binding() -> None:
    job = make_job(batch=None, epochs=3)
    result = train(job)
    assert result.progress.step == 3
    assert job.updates[0].program.binds == 1


def test_training_on_nothing_is_a_fault() -> None:
    empty = Part({"x": np.zeros((0, 3), np.float32), "y": np.zeros((0, 1), np.float32)})
    with pytest.raises(RuntimeFault, match="DL5008"):
        train(make_job(train=empty))
    with pytest.raises(RuntimeFault, match="DL5008"):
        evaluate(program_run(HandProgram(False), {}), empty, 4)


def test_slots_are_saved_by_key(run: RunFolder) -> None:
    train(make_job(), run)
    saved = checkpoint.load(run.last)
    assert set(saved.tensors) == {"w", "b", "momentum/w", "momentum/b"}
    assert saved.tensors["momentum/w"].shape == (3,)
    assert set(checkpoint.load(run.model).tensors) == {"w", "b"}


def test_history_stays_json_when_a_score_is_not_finite(run: RunFolder) -> None:
    job = make_job(epochs=1)
    job.val.fields["y"][45] = np.inf
    result = train(job, run)
    assert result.history[0]["val.loss"] == np.inf
    line = json.loads(run.history.read_text(), parse_constant=pytest.fail)
    assert line["val.loss"] is None
    assert result.progress.best_epoch == 1


def test_predictions_come_in_order_whatever_the_batch() -> None:
    fields = {"x": np.arange(10.0), "unused": np.zeros(10)}
    part = Part(fields, np.array([3, 1, 4, 1, 5]))
    run = function_run(lambda feeds: {"y": feeds["x"] * 2})
    for batch in (1, 2, 5, 9, None):
        assert predict(run, part, batch)["y"].tolist() == [6, 2, 8, 2, 10]


def test_large_finite_parameters_are_finite() -> None:
    state = make_job().state
    state.arenas["params/all"][...] = 3e38  # the sum of their squares overflows
    with np.errstate(all="ignore"):
        assert state.non_finite() == ""
        state.params["b"][...] = np.nan
        assert state.non_finite() == "b"


@pytest.mark.parametrize(("dtype", "subnormal", "kept"), [("f4", 1e-40, 1e-30), ("f8", 1e-310, 1e-280)])
def test_tiny_moments_become_zero_and_others_stay(dtype: str, subnormal: float, kept: float) -> None:
    state = State.of({"w": np.full(3, subnormal), "b": np.ones(1)}, [Group("all", LAYOUT, dtype, ("m", "v"))])
    before = np.array([subnormal, -subnormal, kept, -1.0], dtype)
    state.arenas["m/all"][...] = before
    state.arenas["v/all"][...] = np.nan
    state.drop_tiny()
    assert state.arenas["m/all"].tolist() == [0, 0, before[2], -1]
    assert state.params["w"][0] == np.dtype(dtype).type(subnormal), "parameters are left alone"


def test_a_long_training_leaves_no_subnormal_moments() -> None:
    """A column of zeros: its weight's gradient is 0 after the first step, and its momentum decays for good."""
    job = make_job(epochs=1200, val=None, batch=None, rate=lambda step: 0.0)
    job.train.fields["x"][:, 0] = 0
    job.state.arenas["momentum/all"][0] = 1.0
    train(job)
    assert job.state.arenas["momentum/all"][0] == 0
    assert np.finfo(np.float32).tiny > 0.9**1200
