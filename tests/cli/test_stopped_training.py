"""`train` is stopped by data, a disk, numbers or Ctrl-C: one message, and the epochs before are kept."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from toy import LOOKUP, TOY, arrays, write
from toy_runs import history

from dslc_runtime import checkpoint


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


def test_an_id_beyond_a_table_is_one_message(dslc, toy: Path) -> None:
    write(Path(), "lookup.dl", LOOKUP.replace("ids: [0, 1, 2]", "ids: [0, 1, 5]"))
    result = dslc("train", "lookup.dl")
    assert result.exit_code == 1
    assert "error[DL3041]: field `ids` holds the id 5, but the table has 5 rows" in result.stderr


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


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "stopped"), (signal.SIGHUP, 129, "stopped")],
    ids=["Ctrl-C", "SIGTERM", "SIGHUP"],
)
def test_who_asks_a_training_to_end_keeps_the_finished_epochs(
    dslc, toy: Path, asked: signal.Signals, status: int, said: str
) -> None:
    command = [sys.executable, "-m", "dslc", "train", "toy.dl", "--epochs", "100000000", "--out", "r", "-q"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 120
        while not (Path("r/history.jsonl").exists() and Path("r/history.jsonl").stat().st_size > 1000):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(asked)
        _, stderr = process.communicate(timeout=120)
    assert process.returncode == status
    assert f"{said}; `--resume --out r` goes on after epoch " in stderr
    assert "Traceback" not in stderr
    epochs = len(history("r"))
    assert checkpoint.load(Path("r/last.safetensors")).facts["epoch"] == epochs
    assert dslc("eval", "r").exit_code == 0
    assert dslc("train", toy, "--epochs", epochs + 1, "--out", "r", "--resume", "-q").exit_code == 0
    assert len(history("r")) == epochs + 1


def test_a_training_whose_progress_nobody_reads_any_more_goes_on(dslc, toy: Path) -> None:
    command = [sys.executable, "-m", "dslc", "train", "toy.dl", "--epochs", "8", "--out", "r"]
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert subprocess.run(command, stdout=writer, stderr=writer, timeout=120, check=False).returncode == 0
    finally:
        os.close(writer)
    assert len(history("r")) == 8
    assert Path("r/report.html").exists()
    assert dslc("eval", "r").exit_code == 0


def test_a_training_whose_terminal_hangs_up_keeps_its_run_and_report(dslc, toy: Path) -> None:
    command = [sys.executable, "-m", "dslc", "train", "toy.dl", "--epochs", "100000000", "--out", "r"]
    ours, theirs = os.openpty()
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True) as process:
        os.close(theirs)
        deadline = time.monotonic() + 120
        while not (Path("r/history.jsonl").exists() and Path("r/history.jsonl").stat().st_size > 1000):
            assert process.poll() is None
            assert time.monotonic() < deadline
            os.read(ours, 1 << 16)
        os.close(ours)  # what is written there from now on is an error
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGHUP)
        assert process.wait(timeout=120) == 129
    assert Path("r/report.html").exists()
    assert dslc("eval", "r").exit_code == 0
