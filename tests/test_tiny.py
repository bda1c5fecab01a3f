"""The first tests to run: the whole road from text to ONNX Runtime on XOR, in a few seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import dslc
from dslc_runtime import ort

XOR = Path(__file__).parent.parent / "models" / "xor.dl"
TABLE = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> dslc.Run:
    """XOR, trained for 200 epochs."""
    trainer = dslc.load(XOR).trainer(set={"train.xor.epochs": 200})
    return trainer.fit(out=tmp_path_factory.mktemp("tiny") / "run")


def test_a_program_is_parsed_and_named() -> None:
    program = dslc.load(XOR)
    assert program.models == ("Xor",)
    assert program.trainers == ("xor",)
    assert program.warnings == ()


def test_a_mistake_is_reported_with_its_code() -> None:
    with pytest.raises(dslc.DslcError) as caught:
        dslc.parse("model M { input x: f32[2]; output y: f32[2]; y = rleu(x) }")
    assert [d.code for d in caught.value.diagnostics] == ["DL1004"]


def test_training_learns_xor(run: dslc.Run) -> None:
    assert [row["epoch"] for row in run.history] == list(range(1, 201))
    assert run.history[-1]["loss"] < 0.05 < run.history[0]["loss"]
    assert np.round(run.models["net"](x=TABLE)["p"]).tolist() == [[0], [1], [1], [0]]


def test_the_run_folder_gives_the_same_answers(run: dslc.Run) -> None:
    assert run.path is not None
    again = dslc.open_run(run.path)
    assert again.history == run.history
    assert np.array_equal(again.models["net"](x=TABLE)["p"], run.models["net"](x=TABLE)["p"])


@pytest.mark.skipif(not ort.is_installed(), reason="ONNX Runtime is not installed")
def test_the_export_computes_the_same_in_onnx_runtime(run: dslc.Run, tmp_path: Path) -> None:
    model = run.models["net"]
    model.export(tmp_path / "xor.onnx")
    found = ort.open_session((tmp_path / "xor.onnx").read_bytes()).run({"x": TABLE})["p"]
    assert np.max(np.abs(found - model(x=TABLE)["p"])) < 1e-6
