"""`train`: what it prints, what it writes and where, and what its options do."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from toy import write
from toy_runs import WIDE, history, shares, weights

from dslc_runtime import checkpoint

FILES = {"model.safetensors", "last.safetensors", "history.jsonl", "report.html", "run.json", "config.dl"}


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


def test_another_data_file_replaces_the_programs(dslc, toy: Path) -> None:
    Path("toy.npz").rename("moved.npz")
    missing = dslc("train", toy)
    assert missing.exit_code == 1
    assert "error[DL5001]: the data file `toy.npz` cannot be read: no such file or directory" in missing.stderr
    assert "that folder holds `moved.npz`" in missing.stderr
    assert dslc("train", toy, "--data", "moved.npz", "-q").exit_code == 0


def test_an_archive_without_named_columns_has_those_that_fields_read(dslc, toy: Path) -> None:
    np.savez("plain.npz", X=np.ones((6, 2), np.float32), y=np.ones((6, 1), np.float32), unrelated=np.zeros(3))
    Path("plain.dl").write_text(
        "dim B\nmodel M {\n  input x: f32[B, 2]\n  output p: f32[B, 1]\n  p = x |> fc: Dense(1)\n}\n"
        'data d {\n  source = npz("plain.npz")\n  field x: f32[2] = source["X"]\n  field y: f32[1] = source["y"]\n}\n'
        "train t {\n  use net = M()\n  data = d\n  loss = mse(net.p, data.y)\n}\n"
    )
    found = dslc("train", "plain.dl", "--out", "plain")
    assert found.exit_code == 0, found.stderr


@shares
def test_a_training_on_several_processes_says_so_unless_it_is_quiet(dslc, toy: Path) -> None:
    told = dslc("train", toy, *WIDE, "--epochs", 1, "--threads", 2).stderr
    assert told.splitlines()[0] == "on 2 processes (`--threads 1` keeps to one)"
    assert "process" not in dslc("train", toy, *WIDE, "--epochs", 1, "--threads", 1).stderr
    assert dslc("train", toy, *WIDE, "--epochs", 1, "--threads", 2, "-q").stderr == ""


def test_a_training_that_stops_early_says_why(dslc, toy: Path) -> None:
    text = toy.read_text().replace(
        "  epochs    = 3\n", '  epochs    = 3\n  early_stop(on = "val.acc", patience = 1 epochs, min_delta = 1)\n'
    )
    write(Path(), "stops.dl", text)
    result = dslc("train", "stops.dl", "--epochs", 9, "--out", "r")
    assert result.exit_code == 0
    assert "stopped early, after epoch 2: `val.acc` has not become better for 1 epoch" in result.stderr
    assert "epoch 1 of 9 is kept" in result.stdout
    assert len(history("r")) == 2


def test_a_program_without_training_says_so(dslc, toy: Path) -> None:
    Path("m.dl").write_text("model M { input x: f32[2]; output y: f32[2]; y = x * 2 }")
    result = dslc("train", "m.dl")
    assert result.exit_code == 1
    assert "error[DL0053]: there is no train block in this program" in result.stderr


def test_computing_again_trains_the_same_weights(dslc, toy: Path) -> None:
    for name, more in (("a", ()), ("b", ("--remat",)), ("c", ("--memory", "1GB")), ("d", ("--remat", "--profile"))):
        assert dslc("train", toy, "--out", name, "-q", *more).exit_code == 0
    assert weights("a") == weights("b") == weights("c") == weights("d")


@pytest.mark.parametrize("amount", ["much", "12XB", "-5MB", "MB"])
def test_an_amount_of_memory_is_a_number_with_a_unit(dslc, toy: Path, amount: str) -> None:
    result = dslc("train", toy, "--memory", amount)
    assert result.exit_code == 2
    assert "200MB" in result.stderr


@pytest.mark.parametrize(("amount", "bytes_"), [("0MB", 0), ("5", 5), ("0.001k", 1)])
def test_an_amount_of_memory_in_which_nothing_trains_is_one_line(dslc, toy: Path, amount: str, bytes_: int) -> None:
    result = dslc("train", toy, "--memory", amount)
    assert result.exit_code == 2
    assert f"`{amount}` means {bytes_} bytes, in which nothing trains" in " ".join(result.stderr.split())


@pytest.mark.parametrize("amount", ["200000", "200kB", "0.2MB", "200K", "200k", "196 KiB", "9" * 400])
def test_units_are_thousands_or_powers_of_two(dslc, toy: Path, amount: str) -> None:
    assert dslc("train", toy, "--memory", amount, "--out", "r", "-q").exit_code == 0
