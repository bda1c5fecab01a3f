"""Trainings written as files of their own, run as commands: the numbers of `dslc train`, and a line for each mistake."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from dslc.driver.frontend import Checked, check_program
from dslc.driver.scripting import script_of
from dslc.driver.training import train
from dslc.source import Source

ROWS = 19

# All that counts batches, updates or epochs: 5 batches an epoch, the last of 3 rows; 3 updates, the last of one batch.
COUNTING = """
train line {
  use net = Line()
  data = d
  loss = mse(net.y, data.y)
  optimizer = adamw(lr = warmup(1 epochs, to = 0.1) |> cosine(2 epochs, to = 0.01), weight_decay = 0.1)
  accumulate = 2
  batch = 4
  epochs = 3
  ema = 0.9
  seed = 5
}
"""

# Products that two threads of OpenBLAS share out, and that they round otherwise.
SHORT = """
train line { use net = Line(512); data = d; loss = mse(net.y, data.y); optimizer = adam(); batch = 16; epochs = 3; seed = 5 }
"""


def program(folder: Path, training: str) -> Checked:
    """A training on rows of an archive in a folder."""
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(ROWS, 29, 12)).astype("f4"), generator.normal(size=ROWS).astype("f4")
    np.savez(folder / "rows.npz", x=x, y=y)
    text = f"""
dim B
model Line(h: int = 3) {{
  input x: f32[B, 29, 12]; output y: f32[B]
  y = x |> wide: Dense(h) |> relu |> back: Dense(1) |> mean(axes = [1, 2])
}}
data d {{ source = npz("{(folder / "rows.npz").as_posix()}"); field x: f32[29, 12] = source["x"]; field y: f32[] = source["y"] }}
{training}"""
    return check_program(Source("net.dl", text))


def written(folder: Path, training: str = COUNTING) -> Checked:
    """A program as `step.py` in a folder, beside its rows."""
    checked = program(folder, training)
    (folder / "step.py").write_text(script_of(checked.file.trains["line"]), encoding="utf-8")
    return checked


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "step.py", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env={})


@pytest.mark.parametrize("training", [COUNTING, SHORT], ids=["counting", "on one thread"])
def test_a_script_learns_the_weights_of_the_training_command_to_the_byte(tmp_path: Path, training: str) -> None:
    checked = written(tmp_path, training)
    done = run(tmp_path, "rows.npz", "--epochs", "3", "--save", "learned")
    assert (done.returncode, done.stderr) == (0, "")
    expected = train(checked).prepared.state.weights
    with np.load(tmp_path / "learned") as learned:
        assert {key: learned[key].tobytes() for key in learned} == {
            key: value.tobytes() for key, value in expected.items()
        }


@pytest.mark.parametrize(("batch", "alone"), [("16", True), ("all", True), ("50_000", False)])
def test_a_script_takes_one_thread_where_the_steps_of_a_training_are_short(
    tmp_path: Path, batch: str, alone: bool
) -> None:
    checked = program(tmp_path, SHORT.replace("batch = 16", f"batch = {batch}"))
    assert ('os.environ.setdefault("OMP_NUM_THREADS", "1")' in script_of(checked.file.trains["line"])) is alone


def test_the_help_says_the_batch_of_the_program(tmp_path: Path) -> None:
    written(tmp_path)
    assert "rows of a batch; by default 4" in run(tmp_path, "--help").stdout
    written(tmp_path, SHORT.replace("batch = 16", "batch = all"))
    assert "rows of a batch; by default all" in run(tmp_path, "--help").stdout


X, Y = np.zeros((6, 29, 12), np.float32), np.zeros(6, np.float32)


@pytest.mark.parametrize(
    ("arrays", "arguments", "message"),
    [
        pytest.param({"x": X, "y": Y[:4]}, (), "`x` in given.npz has 6 rows, `y` has 4", id="lengths"),
        pytest.param({"x": X, "z": Y}, (), "given.npz has no `y`; it has `x`, `z`", id="an array is missing"),
        pytest.param({"x": X[:0], "y": Y}, (), "`x` in given.npz has no rows", id="no rows"),
        pytest.param({"x": X, "y": Y[0]}, (), "`y` in given.npz has no rows", id="a number"),
        pytest.param({"x": X + 1j, "y": Y}, (), "`x` in given.npz is complex64, the program takes float32", id="kind"),
        pytest.param({"x": X[:, :, 1:], "y": Y}, (), "axis 2 of `x` must be 12, got 11", id="shape"),
        pytest.param({"x": X, "y": Y + np.nan}, (), "`loss` is not finite", id="not finite"),
        pytest.param({"x": X, "y": Y}, ("--batch", "0"), "--batch must be at least 1, not 0", id="batch"),
        pytest.param({"x": X, "y": Y}, ("--epochs", "-1"), "--epochs must be at least 1, not -1", id="epochs"),
        pytest.param({"x": X, "y": Y}, ("--save", "no/w.npz"), "--save: there is no folder no", id="folder"),
    ],
)
def test_a_mistake_is_one_line(
    tmp_path: Path, arrays: dict[str, np.ndarray], arguments: Sequence[str], message: str
) -> None:
    written(tmp_path)
    np.savez(tmp_path / "given.npz", allow_pickle=False, **arrays)
    done = run(tmp_path, "given.npz", *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"step.py: {message}\n")


@pytest.mark.parametrize(
    ("name", "why"), [("none.npz", "No such file or directory"), ("step.py", "File is not a zip file")]
)
def test_a_file_that_is_no_archive_is_one_line(tmp_path: Path, name: str, why: str) -> None:
    written(tmp_path)
    done = run(tmp_path, name)
    assert (done.returncode, done.stderr) == (2, f"step.py: {name} cannot be read as an .npz file: {why}\n")


def test_weights_that_cannot_be_written_are_one_line(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "taken").mkdir()
    done = run(tmp_path, "rows.npz", "--save", "taken")
    assert (done.returncode, done.stdout[:9]) == (2, "epoch 1  ")
    assert done.stderr == "step.py: taken cannot be written: Is a directory; nothing was saved\n"


@pytest.mark.parametrize("save", [True, False])
def test_ctrl_c_keeps_the_last_finished_epoch_where_it_is_to_be_saved(tmp_path: Path, save: bool) -> None:
    written(tmp_path)
    command = [sys.executable, "step.py", "rows.npz", "--epochs", "1000000", *(["--save", "kept.npz"] if save else [])]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={}
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline().startswith("epoch 1  ")
        assert running.stdout.readline().startswith("epoch 2  ")
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    begun = int(said.split("interrupted in epoch ")[1].split(";")[0])
    after = f"the weights after epoch {begun - 1} are in kept.npz" if save else "nothing was saved"
    assert said == f"step.py: interrupted in epoch {begun}; {after}\n"
    if save:
        again = run(tmp_path, "rows.npz", "--epochs", str(begun - 1), "--save", "again.npz")
        assert again.returncode == 0
        with np.load(tmp_path / "kept.npz") as kept, np.load(tmp_path / "again.npz") as same:
            assert {key: kept[key].tobytes() for key in kept} == {key: same[key].tobytes() for key in same}
