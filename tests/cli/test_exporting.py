"""`export`: what it says was compared, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from dslc_runtime import ort


def test_export_says_what_was_compared(dslc, run: Path) -> None:
    result = dslc("export", run, "-o", "m.onnx")
    assert result.exit_code == 0
    expected = "at batch sizes 1, 2, 7" if ort.is_installed() else "not compared"
    assert expected in result.stdout


def test_export_without_onnx_runtime_says_that_nothing_was_compared(
    dslc, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dslc_runtime.ort.is_installed", lambda: False)
    result = dslc("export", run, "-o", "m.onnx")
    assert result.exit_code == 0
    assert "not compared with NumPy, because ONNX Runtime is not installed" in result.stdout
    assert Path("m.onnx").exists()


def test_export_of_a_program_has_initial_values(dslc, toy: Path) -> None:
    result = dslc("export", toy, "-o", "m.onnx", "--set", "hidden=6", "--seed", 3)
    assert "its parameters are initial values, not trained" in result.stdout


def test_exports_that_cannot_be_are_one_message(dslc, run: Path) -> None:
    assert "error[DL6007]: opset 21 is not served" in dslc("export", run, "-o", "m.onnx", "--opset", 21).stderr
    assert "error[DL5023]" in dslc("export", run, "-o", "absent/m.onnx").stderr
    assert "error[DL0050]" in dslc("export", "absent", "-o", "m.onnx").stderr
    for other in ("m.txt", "m", "m.onnx.txt"):
        assert f"error[DL0055]: `{other}` does not end in .onnx" in dslc("export", run, "-o", other).stderr
        assert not Path(other).exists()
    for folder in (".", run, "/"):
        assert "could not be written: is a folder" in dslc("export", run, "-o", folder).stderr
    assert (
        "error[DL0053]: there is no use named `nett`; there is `net`"
        in dslc("export", f"{run}:nett", "-o", "m.onnx").stderr
    )
    assert dslc("export", run, "-o", "m.onnx", "--set", "hidden=6").exit_code == 2
    assert not Path("m.onnx").exists()


def test_seed_is_not_for_a_run(dslc, run: Path) -> None:
    assert dslc("export", run, "-o", "m.onnx", "--seed", 3).exit_code == 2
