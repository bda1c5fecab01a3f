"""A run is used by any command: with its threads, on its engines, damaged, of several models, and after it was moved."""

from __future__ import annotations

import json
import shutil
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import onnx
import pytest
from toy import write
from toy_runs import logits, needs_ort, rows

from dslc_runtime import checkpoint, ort
from dslc_runtime.threads import limited


@pytest.mark.parametrize(("recorded", "used"), [(1, 1), (2, 2), (10**9, 2), (-3, 1)])
def test_a_run_is_used_with_the_threads_it_was_trained_with(
    dslc, run: Path, monkeypatch: pytest.MonkeyPatch, recorded: int, used: int
) -> None:
    """Two threads where one did cost minutes on a busy machine; of more than there are cores, as many as there are."""
    seen: list[int | None] = []

    def spy(threads: int | None) -> AbstractContextManager[None]:
        seen.append(threads)
        return limited(threads)

    monkeypatch.setattr("dslc.driver.runs.usable_cores", lambda: 2)
    monkeypatch.setattr("dslc.driver.using.limited", spy)
    about = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**about, "threads": recorded}))
    assert dslc("eval", run).exit_code == 0
    logits(dslc, run)
    assert seen == [used, used]


@needs_ort
@pytest.mark.skipif("onnxruntime-gpu" in ort.packages(), reason="this ONNX Runtime may have the device")
@pytest.mark.parametrize("command", [("eval",), ("predict", "--input", "rows.npz")])
def test_a_device_that_cannot_be_had_is_an_error(dslc, run: Path, command: tuple[str, ...]) -> None:
    np.savez("rows.npz", x=rows())
    name, *more = command
    result = dslc(name, run, *more, "--device", "cuda")
    assert result.exit_code == 1
    assert "error[DL6002]: the device `cuda` was asked for and cannot be had" in result.stderr
    assert result.stdout == ""


def test_numpy_on_cuda_is_wrong_usage(dslc, run: Path) -> None:
    assert dslc("eval", run, "--engine", "numpy", "--device", "cuda").exit_code == 2


def test_the_ort_engine_without_onnx_runtime_is_one_message(dslc, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dslc_runtime.ort.is_installed", lambda: False)
    result = dslc("eval", run, "--engine", "ort")
    assert result.exit_code == 1
    assert "error[DL6001]: ONNX Runtime is not installed" in result.stderr


def test_a_folder_without_a_run_is_one_message(dslc, toy: Path) -> None:
    for command in (("eval", "."), ("predict", ".", "--input", "x.npz"), ("export", ".", "-o", "x.onnx")):
        result = dslc(*command)
        assert result.exit_code == 1
        assert "error[DL5024]: this folder holds no run" in result.stderr
    assert "DL5024" in dslc("eval", "absent").stderr


def test_a_damaged_checkpoint_is_one_message(dslc, run: Path) -> None:
    whole = (run / "model.safetensors").read_bytes()
    for broken in (whole[:-3], b"", whole[:40], b"\xff" * len(whole)):
        (run / "model.safetensors").write_bytes(broken)
        result = dslc("eval", run)
        assert result.exit_code == 1
        assert "error[DL5020]: `model.safetensors` is not a readable safetensors file" in result.stderr


def test_weights_of_another_program_are_refused(dslc, run: Path) -> None:
    config = run / "config.dl"
    config.write_text(config.read_text().replace("hidden: int = 4", "hidden: int = 5"))
    result = dslc("eval", run)
    assert result.exit_code == 1
    assert "error[DL5021]" in result.stderr
    assert "`fc1.weight` is f32[3, 4] in the file and f32[3, 5] in the model" in result.stderr


def test_a_config_with_mistakes_is_checked_like_any_program(dslc, run: Path) -> None:
    config = run / "config.dl"
    config.write_text(config.read_text().replace("relu", "rleu"))
    result = dslc("eval", run)
    assert result.exit_code == 1
    assert "config.dl:" in result.stderr
    assert "did you mean `relu`?" in result.stderr


@pytest.mark.parametrize("text", ["{", "[]", '{"format_version": "1"}', '{"format_version": 99}'])
def test_a_damaged_or_newer_run_json_is_one_message(dslc, run: Path, text: str) -> None:
    (run / "run.json").write_text(text)
    result = dslc("eval", run)
    assert result.exit_code == 1
    assert ("DL5022" if "99" in text else "DL5024") in result.stderr


def test_a_history_that_is_damaged_does_not_stop_eval(dslc, run: Path) -> None:
    (run / "history.jsonl").write_text("{")
    assert dslc("eval", run).exit_code == 0


def test_a_moved_run_works_without_its_program(dslc, toy: Path, tmp_path: Path) -> None:
    first = tmp_path / "first"
    first.mkdir()
    for name in ("toy.dl", "toy.npz"):
        shutil.move(name, first / name)
    assert dslc("train", first / "toy.dl", "--out", first / "r", "-q").exit_code == 0
    before = json.loads(dslc("eval", first / "r", "--json").stdout)
    expected = logits(dslc, first / "r")
    shutil.move(first / "r", "elsewhere")
    shutil.move(first / "toy.npz", "data.npz")
    shutil.rmtree(first)

    assert np.array_equal(logits(dslc, Path("elsewhere")), expected)
    assert dslc("export", "elsewhere", "-o", "m.onnx").exit_code == 0
    assert json.loads(dslc("eval", "elsewhere", "--data", "data.npz", "--json").stdout) == before
    result = dslc("eval", "elsewhere")
    assert result.exit_code == 1
    assert "error[DL5001]: the data file `toy.npz` cannot be read" in result.stderr
    assert "`--data PATH` replaces this one" in result.stderr


TWO = """\
dim B
model Left { input x: f32[B, 2]; output y: f32[B, 2]; y = x |> fc: Dense(2) }
model Right { input x: f32[B, 2]; output p: f32[B, 1]; p = x |> fc: Dense(1) }
data rows {
  source = inline({ x: [[0, 1], [1, 1]], t: [[0], [1]] })
  field x: f32[2] = source["x"]
  field t: f32[1] = source["t"]
}
train both {
  use l = Left()
  use r = Right()
  data  = rows
  loss  = mse(r.p, data.t) + mse(l.y, data.x)
}
"""


def test_one_of_several_trained_models_is_named(dslc, toy: Path) -> None:
    assert dslc("train", write(Path(), "two.dl", TWO), "--out", "two", "-q").exit_code == 0
    assert set(checkpoint.load(Path("two/model.safetensors")).tensors) == {
        "l.fc.weight",
        "l.fc.bias",
        "r.fc.weight",
        "r.fc.bias",
    }
    Path("x.json").write_text('{"x": [[1, 2]]}')
    for command in (("predict", "--input", "x.json"), ("export", "-o", "m.onnx")):
        name, *more = command
        several = dslc(name, "two", *more)
        assert several.exit_code == 1
        assert "error[DL0054]: there are several uses: `l`, `r`" in several.stderr
        assert dslc(name, "two:r", *more).exit_code == 0
    found = json.loads(dslc("predict", "two:r", "--input", "x.json").stdout)
    assert np.shape(found["p"]) == (1, 1)
    assert {item.name for item in onnx.load("m.onnx").graph.initializer} >= {"fc.weight", "fc.bias"}
