"""`train`: what it prints, where it writes, what stops it, and what is left then."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toy import LOOKUP, TOY, arrays, write

from dslc_runtime import checkpoint
from dslc_runtime.workers import can_fork

FILES = {"model.safetensors", "last.safetensors", "history.jsonl", "report.html", "run.json", "config.dl"}


def history(run: Path | str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(run, "history.jsonl").read_text().splitlines()]


def weights(run: Path | str) -> bytes:
    return Path(run, "model.safetensors").read_bytes()


# ---------------------------------------------------------------------------------------------- a run


def test_train_writes_a_run_and_says_where_on_stdout(dslc, toy: Path) -> None:
    result = dslc("train", toy)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "run: runs/toy"
    assert result.stderr.splitlines()[0].startswith("epoch 1/3  loss ")
    assert {path.name for path in Path("runs/toy").iterdir()} == FILES
    rows = history("runs/toy")
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert {"loss", "acc", "val.loss", "val.acc", "step"} <= set(rows[0])
    assert rows[-1]["step"] == 3 * 4  # 30 rows, 8 at a time


def test_the_default_folder_never_overwrites(dslc, toy: Path) -> None:
    places = [dslc("train", toy, "--epochs", 1, "-q").stdout.splitlines()[-1] for _ in range(3)]
    assert places == ["run: runs/toy", "run: runs/toy-2", "run: runs/toy-3"]


def test_quiet_training_prints_the_result_only(dslc, toy: Path) -> None:
    result = dslc("train", toy, "-q", "--out", "r")
    assert result.stderr == ""
    assert result.stdout.startswith("epoch ")


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(dslc, toy: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        assert dslc("train", toy, "--out", name, "--seed", seed, "--epochs", 2, "-q").exit_code == 0
    assert weights("a") == weights("b")
    assert Path("a/last.safetensors").read_bytes() == Path("b/last.safetensors").read_bytes()
    assert weights("a") != weights("c")


def test_options_are_written_into_the_resolved_program(dslc, toy: Path) -> None:
    options = ("--set", "hidden=7", "--set", "optimizer.lr=0.01", "--seed", 9, "--epochs", 1, "--threads", 1)
    assert dslc("train", toy, "--out", "r", *options, "-q").exit_code == 0
    config = Path("r/config.dl").read_text()
    assert "hidden: int = 7" in config
    assert "adam(lr = 0.01)" in config
    assert "seed = 9" in config
    assert "epochs    = 1\n" in config
    about = json.loads(Path("r/run.json").read_text())
    assert (about["seed"], about["threads"], about["format_version"]) == (9, 1, 1)
    assert checkpoint.load(Path("r/model.safetensors")).tensors["fc1.weight"].shape == (3, 7)
    assert dslc("check", "-q", "r/config.dl").exit_code == 0


def test_resuming_gives_the_bytes_of_running_through(dslc, toy: Path) -> None:
    assert dslc("train", toy, "--out", "whole", "--epochs", 4, "-q").exit_code == 0
    assert dslc("train", toy, "--out", "parts", "--epochs", 2, "-q").exit_code == 0
    assert dslc("train", toy, "--out", "parts", "--epochs", 4, "--resume", "-q").exit_code == 0
    assert Path("parts/last.safetensors").read_bytes() == Path("whole/last.safetensors").read_bytes()
    assert weights("parts") == weights("whole")
    assert [row["epoch"] for row in history("parts")] == [1, 2, 3, 4]


def test_the_program_of_a_resumed_run_is_the_one_that_went_on(dslc, toy: Path) -> None:
    assert dslc("train", toy, "--out", "r", "--epochs", 1, "-q").exit_code == 0
    assert dslc("train", toy, "--out", "r", "--epochs", 2, "--set", "lr=0.01", "--resume", "-q").exit_code == 0
    config = Path("r/config.dl").read_text()
    assert "epochs    = 2\n" in config
    assert "adam(lr = 0.01)" in config


def test_another_data_file_replaces_the_programs(dslc, toy: Path) -> None:
    Path("toy.npz").rename("moved.npz")
    missing = dslc("train", toy)
    assert missing.exit_code == 1
    assert "error[DL5001]: the data file `toy.npz` cannot be read: no such file or directory" in missing.stderr
    assert "that folder holds `moved.npz`" in missing.stderr
    assert dslc("train", toy, "--data", "moved.npz", "-q").exit_code == 0


# ---------------------------------------------------------------------------------------------- processes

WIDE = ("--set", "hidden=200000", "--set", "batch=16")  # 1.4 million parameters: enough to do for two processes
shares = pytest.mark.skipif(not can_fork(), reason="this system cannot fork workers")


@shares
def test_a_training_on_several_processes_says_so_unless_it_is_quiet(dslc, toy: Path) -> None:
    told = dslc("train", toy, *WIDE, "--epochs", 1, "--threads", 2).stderr
    assert told.splitlines()[0] == "on 2 processes (`--threads 1` keeps to one)"
    assert "process" not in dslc("train", toy, *WIDE, "--epochs", 1, "--threads", 1).stderr
    assert dslc("train", toy, *WIDE, "--epochs", 1, "--threads", 2, "-q").stderr == ""


@shares
def test_a_run_that_goes_on_with_other_processes_says_so_and_records_its_parts(dslc, toy: Path) -> None:
    def go_on(epochs: int, threads: int) -> str:
        found = dslc("train", toy, *WIDE, "--epochs", epochs, "--threads", threads, "--out", "r", "--resume")
        assert found.exit_code == 0
        return found.stderr

    assert dslc("train", toy, *WIDE, "--epochs", 1, "--threads", 2, "--out", "r", "-q").exit_code == 0
    assert "rounding" not in go_on(2, 2)
    assert "parts" not in json.loads(Path("r/run.json").read_text())
    assert (
        "epochs before ran on 2 processes (`--threads 2`); this goes on with 1 (`--threads 1`): other rounding\n"
        in go_on(3, 1)
    )
    about = json.loads(Path("r/run.json").read_text())
    assert (about["threads"], about["processes"]) == (1, 1)
    assert about["parts"] == [
        {"from_epoch": 1, "processes": 2, "threads": 2},
        {"from_epoch": 3, "processes": 1, "threads": 1},
    ]
    assert "rounding" not in go_on(4, 1)
    assert "nothing was trained" in go_on(1, 2)
    assert json.loads(Path("r/run.json").read_text())["parts"] == about["parts"]


# ---------------------------------------------------------------------------------------------- mistakes


def test_resume_wants_a_folder(dslc, toy: Path) -> None:
    assert dslc("train", toy, "--resume").exit_code == 2


def test_resume_of_nothing_says_so(dslc, toy: Path) -> None:
    result = dslc("train", toy, "--resume", "--out", "absent")
    assert result.exit_code == 1
    assert "error[DL5024]: there is nothing to resume" in result.stderr
    assert not Path("absent").exists()


def test_a_run_whose_last_state_was_never_written_leads_in_no_circle(dslc, toy: Path) -> None:
    assert dslc("train", toy, "--out", "r", "-q").exit_code == 0
    Path("r/last.safetensors").unlink()  # as a disk leaves it that is full after `model.safetensors`
    resumed = dslc("train", toy, "--out", "r", "--resume")
    assert resumed.exit_code == 1
    assert "error[DL5024]: there is nothing to resume: `last.safetensors` is not there" in resumed.stderr
    assert "no epoch was finished" not in resumed.stderr
    assert "with `--force` instead of `--resume`" in resumed.stderr
    refused = dslc("train", toy, "--out", "r")
    assert refused.exit_code == 1
    assert "`--force` replaces this run, which cannot go on: it has no `last.safetensors`" in refused.stderr
    assert "--resume" not in refused.stderr
    assert dslc("eval", "r").exit_code == 0
    assert dslc("train", toy, "--out", "r", "--force", "-q").exit_code == 0
    assert Path("r/last.safetensors").exists()


def test_resume_with_another_seed_is_refused_and_the_run_stays(dslc, toy: Path) -> None:
    assert dslc("train", toy, "--out", "r", "--epochs", 1, "-q").exit_code == 0
    before = {path.name: path.read_bytes() for path in Path("r").iterdir()}
    result = dslc("train", toy, "--out", "r", "--resume", "--seed", 4)
    assert result.exit_code == 1
    assert "error[DL5025]" in result.stderr
    assert "the seed was 0 and is 4" in result.stderr
    assert {path.name: path.read_bytes() for path in Path("r").iterdir()} == before


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        (lambda a: a.pop("y"), "DL5003", "there is no array `y` in `toy.npz`"),
        (lambda a: a.update(y=a["y"].astype(object)), "DL5004", "stored as pickles"),
        (lambda a: a.update(y=a["y"].astype(str)), "DL5004", "column `y` holds text"),
        (lambda a: a.update(y=a["y"][:-1]), "DL5005", "`y` has 39 rows"),
        (lambda a: a["x"].__setitem__((7, 1), np.nan), "DL5006", "field `x` is nan in row 7, at [1]"),
        (lambda a: a["y"].__setitem__(7, 3), "DL5007", "field `label` has the class id 3 in row 7"),
        (lambda a: a["ty"].__setitem__(2, -1), "DL5007", "field `label` has the class id -1 in row 2"),
        (lambda a: a.update(x=a["x"][:0], y=a["y"][:0]), "DL5008", "no rows"),
        (lambda a: a.update(x=a["x"][:, :2]), "DL", "f32[2]"),
        (lambda a: a.update(y=a["y"].astype(float)), "DL", "i64"),
    ],
)
def test_data_at_fault_is_one_message(dslc, toy: Path, change, code: str, text: str) -> None:
    changed = arrays()
    change(changed)
    np.savez("toy.npz", allow_pickle=True, **changed)
    result = dslc("train", toy, "--out", "r")
    assert result.exit_code == 1
    assert f"error[{code}" in result.stderr
    assert text in result.stderr
    assert result.stderr.splitlines()[-1] == "1 error"
    assert not Path("r").exists()


def test_a_column_at_fault_is_named_with_its_own_file_and_name(dslc, toy: Path) -> None:
    changed = arrays()
    changed["tx"] = changed["tx"][:, :2]
    np.savez("toy.npz", allow_pickle=False, **changed)
    assert "a row of array `tx` of toy.npz is f32[2]" in dslc("train", toy, "--out", "r").stderr


def test_a_file_that_is_no_archive_is_one_message(dslc, toy: Path) -> None:
    Path("toy.npz").write_text("x,y\n1,2\n")
    assert "error[DL5002]" in dslc("train", toy).stderr


def test_an_out_folder_that_is_a_file_is_one_message(dslc, toy: Path) -> None:
    Path("r").write_text("mine")
    result = dslc("train", toy, "--out", "r")
    assert result.exit_code == 1
    assert "error[DL5023]" in result.stderr
    assert Path("r").read_text() == "mine"


def test_a_full_disk_is_one_message(dslc, toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    result = dslc("train", toy, "--out", "r")
    assert result.exit_code == 1
    assert "could not be written: the disk is full" in result.stderr
    assert [path.name for path in Path("r").iterdir()] == []


def test_a_program_without_training_says_so(dslc, toy: Path) -> None:
    Path("m.dl").write_text("model M { input x: f32[2]; output y: f32[2]; y = x * 2 }")
    result = dslc("train", "m.dl")
    assert result.exit_code == 1
    assert "error[DL0053]: there is no train block in this program" in result.stderr


# ---------------------------------------------------------------------------------------------- numbers


DIVERGES = TOY.replace("adam(lr = 0.05)", "sgd(lr = 1e30)")


def test_a_loss_that_is_not_finite_stops_with_step_and_value(dslc, toy: Path) -> None:
    toy.write_text(DIVERGES)
    result = dslc("train", toy, "--out", "r")
    assert result.exit_code == 1
    assert "error[DL5030]: the loss is not finite at step 2 (epoch 1)" in result.stderr
    # The value is made inside the library's Dense, so it has no line of this file.
    assert re.search(r"the first value that is not finite is `[\w.]+`\n", result.stderr), result.stderr
    assert "error[DL5024]: the run has no weights: no epoch was finished" in dslc("eval", "r").stderr


LOG = """\
dim B
model M {
  input x: f32[B]
  output y: f32[B]
  param w: f32[] = 0.25
  y = w * x
}
data d {
  source = inline({ x: [1, 1], t: [0, 0] })
  field x: f32[] = source["x"]
  field t: f32[] = source["t"]
}
train t {
  use net   = M()
  data      = d
  loss      = mean(log(net.y)) + 0 * mse(net.y, data.t)
  optimizer = sgd(lr = 0.03)
  batch     = all
  epochs    = 50
}
"""


def test_the_last_good_epoch_is_kept_when_a_logarithm_runs_out(dslc, toy: Path) -> None:
    Path("log.dl").write_text(LOG)
    result = dslc("train", "log.dl", "--out", "r", "-q")
    assert result.exit_code == 1
    assert "DL5030" in result.stderr
    rows = history("r")
    assert 1 <= len(rows) < 50
    assert all(np.isfinite(row["loss"]) for row in rows)
    kept = checkpoint.load(Path("r/last.safetensors"))
    assert kept.facts["epoch"] == len(rows)
    assert np.isfinite(kept.tensors["w"])
    write(Path(), "x.json", '{"x": [2]}')
    assert dslc("predict", "r", "--input", "x.json").exit_code == 0


def test_a_resumed_run_that_ends_in_a_fault_keeps_the_program_that_went_on(dslc, toy: Path) -> None:
    Path("log.dl").write_text(LOG)
    assert dslc("train", "log.dl", "--out", "r", "--epochs", 1, "-q").exit_code == 0
    result = dslc("train", "log.dl", "--out", "r", "--epochs", 49, "--set", "optimizer.lr=0.05", "--resume", "-q")
    assert "DL5030" in result.stderr
    assert "sgd(lr = 0.05)" in Path("r/config.dl").read_text()


def test_a_run_is_replaced_only_by_force(dslc, toy: Path) -> None:
    assert dslc("train", toy, "--out", "r", "--epochs", 1, "-q").exit_code == 0
    before = weights("r")
    refused = dslc("train", toy, "--out", "r", "--epochs", 2, "-q")
    assert refused.exit_code == 1
    assert "error[DL5026]: this folder holds a run already" in refused.stderr
    assert "`--force` replaces it" in refused.stderr
    assert weights("r") == before
    assert dslc("train", toy, "--out", "r", "--resume", "--force").exit_code == 2
    assert dslc("train", toy, "--out", "r", "--epochs", 2, "--force", "-q").exit_code == 0
    assert weights("r") != before
    assert len(history("r")) == 2


def test_an_id_beyond_a_table_is_one_message(dslc, toy: Path) -> None:
    write(Path(), "lookup.dl", LOOKUP.replace("ids: [0, 1, 2]", "ids: [0, 1, 5]"))
    result = dslc("train", "lookup.dl")
    assert result.exit_code == 1
    assert "error[DL3041]: field `ids` holds the id 5, but the table has 5 rows" in result.stderr


# ---------------------------------------------------------------------------------------------- Ctrl-C


def test_ctrl_c_keeps_the_finished_epochs_and_exits_130(dslc, toy: Path) -> None:
    command = [sys.executable, "-m", "dslc", "train", "toy.dl", "--epochs", "100000000", "--out", "r", "-q"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 120
        while not (Path("r/history.jsonl").exists() and Path("r/history.jsonl").stat().st_size > 1000):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "interrupted" in stderr
    assert "Traceback" not in stderr
    epochs = len(history("r"))
    assert checkpoint.load(Path("r/last.safetensors")).facts["epoch"] == epochs
    assert dslc("eval", "r").exit_code == 0
    assert dslc("train", toy, "--epochs", epochs + 1, "--out", "r", "--resume", "-q").exit_code == 0
    assert len(history("r")) == epochs + 1


# ---------------------------------------------------------------------------------------------- early stopping


def test_a_training_that_stops_early_says_why(dslc, toy: Path) -> None:
    text = toy.read_text().replace(
        "  epochs    = 3\n", '  epochs    = 3\n  early_stop(on = "val.acc", patience = 1 epochs, min_delta = 1)\n'
    )
    write(Path(), "stops.dl", text)
    result = dslc("train", "stops.dl", "--epochs", 9, "--out", "r")
    assert result.exit_code == 0
    assert "stopped early: `val.acc` has not become better for 1 epoch" in result.stderr
    assert "epoch 1 of 2 is kept" in result.stdout
    assert len(history("r")) == 2


def test_resuming_with_other_settings_is_refused_and_the_runs_own_program_goes_on(dslc, toy: Path) -> None:
    assert dslc("train", toy, "--out", "r", "--epochs", 1, "--set", "optimizer.lr=0.01", "-q").exit_code == 0
    before = {path.name: path.read_bytes() for path in Path("r").iterdir()}
    refused = dslc("train", toy, "--out", "r", "--resume")
    assert refused.exit_code == 1
    assert "error[DL5025]: the run was trained by another program" in refused.stderr
    assert "the run has `optimizer = adam(lr = 0.01)`" in refused.stderr
    assert "this program has `optimizer = adam(lr = 0.05)`" in refused.stderr
    assert {path.name: path.read_bytes() for path in Path("r").iterdir()} == before
    assert dslc("train", "r/config.dl", "--out", "r", "--resume", "--epochs", 2, "-q").exit_code == 0
    assert [row["lr"] for row in history("r")] == [0.01, 0.01]


def test_tests_comments_and_layout_do_not_hinder_resuming(dslc, toy: Path) -> None:
    assert dslc("train", toy, "--out", "r", "--epochs", 1, "-q").exit_code == 0
    toy.write_text(
        "# a remark\n"
        + toy.read_text().replace("batch     = 8", "batch = 8")
        + 'test "one more" { train toy; expect train.loss < 9 }\n'
    )
    assert dslc("train", toy, "--out", "r", "--resume", "-q").exit_code == 0


def test_resuming_for_fewer_epochs_than_there_are_trains_nothing_and_says_so(dslc, toy: Path) -> None:
    assert dslc("train", toy, "--out", "r").exit_code == 0
    before = Path("r/config.dl").read_text()
    found = dslc("train", toy, "--out", "r", "--resume", "--epochs", 2)
    assert found.exit_code == 0
    assert "nothing was trained: the run has 3 epochs already, and 2 are asked for" in found.stderr
    assert Path("r/config.dl").read_text() == before


# ---------------------------------------------------------------------------------------------- memory


def test_computing_again_trains_the_same_weights(dslc, toy: Path) -> None:
    for name, more in (("a", ()), ("b", ("--remat",)), ("c", ("--memory", "1GB")), ("d", ("--remat", "--profile"))):
        assert dslc("train", toy, "--out", name, "-q", *more).exit_code == 0
    assert weights("a") == weights("b") == weights("c") == weights("d")


@pytest.mark.parametrize("amount", ["much", "12XB", "-5MB", "MB"])
def test_an_amount_of_memory_is_a_number_with_a_unit(dslc, toy: Path, amount: str) -> None:
    result = dslc("train", toy, "--memory", amount)
    assert result.exit_code == 2
    assert "200MB" in result.stderr


@pytest.mark.parametrize("amount", ["200000", "200kB", "0.2MB", "200K", "196 KiB"])
def test_units_are_thousands_or_powers_of_two(dslc, toy: Path, amount: str) -> None:
    assert dslc("train", toy, "--memory", amount, "--out", "r", "-q").exit_code == 0


def test_a_short_setting_means_the_train_block_that_is_named_when_a_run_is_resumed_too(dslc, toy: Path) -> None:
    text = toy.read_text()
    block = text[text.index("train toy") : text.index('test "learns"')]
    toy.write_text(text + block.replace("train toy", "train other"))
    assert "error[DL3082]" in dslc("check", toy, "--set", "epochs=2").stderr
    for epochs, more in ((1, ()), (2, ("--resume",))):
        result = dslc("train", f"{toy}:other", "--set", f"epochs={epochs}", "--out", "run", *more)
        assert result.exit_code == 0, result.stderr
        assert len((Path("run") / "history.jsonl").read_text().splitlines()) == epochs
