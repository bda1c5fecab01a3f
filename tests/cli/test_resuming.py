"""`train --resume`: the bytes of running through, and what is refused or told."""

from __future__ import annotations

import json
from pathlib import Path

from toy_runs import WIDE, history, shares, weights


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


def test_a_short_setting_means_the_train_block_that_is_named_when_a_run_is_resumed_too(dslc, toy: Path) -> None:
    text = toy.read_text()
    block = text[text.index("train toy") : text.index('test "learns"')]
    toy.write_text(text + block.replace("train toy", "train other"))
    assert "error[DL3082]" in dslc("check", toy, "--set", "epochs=2").stderr
    for epochs, more in ((1, ()), (2, ("--resume",))):
        result = dslc("train", f"{toy}:other", "--set", f"epochs={epochs}", "--out", "run", *more)
        assert result.exit_code == 0, result.stderr
        assert len((Path("run") / "history.jsonl").read_text().splitlines()) == epochs


def test_tests_comments_and_layout_do_not_hinder_resuming(dslc, toy: Path) -> None:
    assert dslc("train", toy, "--out", "r", "--epochs", 1, "-q").exit_code == 0
    toy.write_text(
        "# a remark\n"
        + toy.read_text().replace("batch     = 8", "batch = 8")
        + 'test "one more" { train toy; expect train.loss < 9 }\n'
    )
    assert dslc("train", toy, "--out", "r", "--resume", "-q").exit_code == 0


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


def test_resuming_for_fewer_epochs_than_there_are_trains_nothing_and_says_so(dslc, toy: Path) -> None:
    assert dslc("train", toy, "--out", "r").exit_code == 0
    Path("r/report.html").write_text("kept")
    before = {path.name: path.read_bytes() for path in Path("r").iterdir()}
    found = dslc("train", toy, "--out", "r", "--resume", "--epochs", 2)
    assert found.exit_code == 0
    assert "nothing was trained: the run has 3 epochs already, and 2 are asked for" in found.stderr
    assert {path.name: path.read_bytes() for path in Path("r").iterdir()} == before


def test_a_report_that_a_killed_training_could_not_write_is_written_as_the_run_was(dslc, toy: Path) -> None:
    assert dslc("train", toy, "--out", "r").exit_code == 0
    report = Path("r/report.html").read_text()
    Path("r/report.html").unlink()
    assert dslc("train", toy, "--out", "r", "--resume").exit_code == 0
    assert Path("r/report.html").read_text() == report


def test_a_run_of_another_train_block_is_told_by_its_name(dslc, toy: Path) -> None:
    text = toy.read_text()
    block = text[text.index("train toy") : text.index('test "learns"')]
    toy.write_text(text + block.replace("train toy", "train other").replace("adam(lr = 0.05)", "sgd(lr = 0.1)"))
    assert dslc("train", f"{toy}:toy", "--out", "r", "--epochs", 1, "-q").exit_code == 0
    refused = dslc("train", f"{toy}:other", "--out", "r", "--resume")
    assert refused.exit_code == 1
    assert "error[DL5025]: the run is of train block `toy`, and this is `other`" in refused.stderr
    assert f"`dslc train {toy}:toy --resume --out r`" in refused.stderr


def test_a_setting_that_changes_the_tensors_of_a_run_is_named(dslc, toy: Path) -> None:
    assert dslc("train", toy, "--out", "r", "--epochs", 1, "-q").exit_code == 0
    for setting in ("hidden=5", "optimizer=sgd(lr=0.1)"):
        refused = dslc("train", toy, "--out", "r", "--resume", "--set", "optimizer.lr=0.01", "--set", setting)
        assert refused.exit_code == 1
        assert "error[DL5025]: `--set" in refused.stderr
        assert setting in refused.stderr.splitlines()[0]
        assert "optimizer.lr" not in refused.stderr.splitlines()[0]
        assert "would change the tensors that the run has trained" in refused.stderr
        assert "weight" not in refused.stderr


def test_the_settings_of_a_run_are_told_to_who_goes_on_without_them(dslc, toy: Path) -> None:
    def go_on(epochs: int, *more: str):
        return dslc("train", toy, "--out", "r", "--resume", "--epochs", epochs, *more)

    assert dslc("train", toy, "--out", "r", "--set", "hidden=5", "--epochs", 1, "-q").exit_code == 0
    lr = ("--set", "optimizer.lr=0.01")
    assert "repeat `--set hidden=5 --set optimizer.lr=0.01`, or go on with" in go_on(2, *lr).stderr
    assert go_on(2, "--set", "hidden=5", *lr, "--set", "epochs=2").exit_code == 0
    assert json.loads(Path("r/run.json").read_text())["set"] == ["hidden=5", "optimizer.lr=0.01", "epochs=2"]
    assert "repeat `--set hidden=5 --set optimizer.lr=0.01`, or go on with" in go_on(3).stderr
    assert go_on(3, "--set", "hidden=5", *lr).exit_code == 0
    toy.write_text(toy.read_text().replace("relu", "tanh"))
    assert "help: go on with the run's own program" in go_on(4).stderr


def test_a_batch_that_was_set_is_told_to_who_goes_on_without_it(dslc, toy: Path) -> None:
    assert dslc("train", toy, "--out", "r", "--set", "batch=4", "--epochs", 1, "-q").exit_code == 0
    refused = dslc("train", toy, "--out", "r", "--resume", "--seed", 4)
    assert "go on as the run began: with `--seed 0`, `--set batch=4`" in refused.stderr
    assert dslc("train", toy, "--out", "r", "--resume", "--seed", 0, "--set", "batch=4").exit_code == 0
