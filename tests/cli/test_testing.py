"""`dslc test`: expectations on every engine, goldens, and what may be written where."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from toy import write

from dslc.driver import training
from dslc_runtime import ort

MODEL = """\
dim B
model Twice(factor: float = 2) {
  input  x: f32[B, 2]
  output y: f32[B, 2]
  y = x * factor
}
"""

needs_ort = pytest.mark.skipif(not ort.is_installed(), reason="ONNX Runtime is not installed")


def program(*tests: str) -> Path:
    return write(Path(), "twice.dl", MODEL + "\n".join(tests) + "\n")


def case(name: str, *expectations: str, given: str = "[[1, 2], [3, 4]]") -> str:
    lines = ["use net = Twice()", f"given x = {given}", *expectations]
    return f'test "{name}" {{\n  ' + "\n  ".join(lines) + "\n}"


FROZEN = case("frozen", 'expect net.y ~= golden("golden/y.json")')


# ---------------------------------------------------------------------------------------------- running


@needs_ort
def test_every_test_runs_on_both_engines(dslc, toy: Path) -> None:
    result = dslc("test", toy)
    assert result.exit_code == 0
    assert result.stdout == "3 passed, 0 failed\n"
    assert result.stderr.splitlines() == [
        "passed  toy.dl: learns (numpy)",
        "passed  toy.dl: learns (onnx runtime)",
        "passed  toy.dl: no units (numpy)",
    ]


def test_without_onnx_runtime_its_expectations_are_skipped(dslc, toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dslc_runtime.ort.is_installed", lambda: False)
    result = dslc("test", toy)
    assert result.exit_code == 0
    assert result.stdout == "2 passed, 0 failed, 1 expectations skipped without ONNX Runtime\n"
    assert "passed  toy.dl: learns (numpy, 1 skipped)" in result.stderr


def test_a_name_behind_the_file_chooses_the_tests_of_a_model_or_a_training(dslc, toy: Path) -> None:
    path = program(case("frozen", "expect shape(net.y) == [2, 2]"))
    path.write_text(path.read_text() + MODEL.replace("dim B", "").replace("Twice", "Thrice"), encoding="utf-8")
    assert dslc("test", f"{path}:Twice", "-q").stdout.startswith("2 passed" if ort.is_installed() else "1 passed")
    nothing = dslc("test", f"{path}:Thrice")
    assert nothing.stdout == "0 passed, 0 failed\n"
    unknown = dslc("test", f"{path}:Twise")
    assert unknown.exit_code == 1
    assert "error[DL0053]" in unknown.stderr
    assert dslc("test", f"{toy}:toy", "-q").stdout.startswith(("1 passed", "2 passed"))


def test_ctrl_c_in_a_training_ends_the_tests(dslc, toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train = training.train

    def interrupted(*given: Any) -> training.Trained:
        found = train(*given)
        return replace(found, result=replace(found.result, interrupted=True))

    monkeypatch.setattr(training, "train", interrupted)
    result = dslc("test", toy)
    assert result.exit_code == 130
    assert result.stderr.splitlines()[-1] == "interrupted"


def test_a_pattern_chooses_tests(dslc, toy: Path) -> None:
    assert dslc("test", toy, "-k", "units").stdout == "1 passed, 0 failed\n"
    assert dslc("test", toy, "-k", "no*").stdout == "1 passed, 0 failed\n"
    nothing = dslc("test", toy, "-k", "absent")
    assert "no test has such a name" in nothing.stderr


@pytest.mark.parametrize(
    ("expectation", "text"),
    [
        ("expect net.y == [[2, 4], [6, 9]]", "at [1, 1]: 8 == 9 does not hold (1 of 4 elements)"),
        ("expect net.y ~= [[2, 4], [6, 8.1]] within 1e-3", "at [1, 1]: 8 is not 8.1"),
        ("expect shape(net.y) == [2, 3]", "2 == 3 does not hold"),
        ("expect params(net) == 1", "0 == 1 does not hold"),
        ("expect net.y != net.y", "the two sides are equal"),
        ("expect net.y < [[3, 4], [7, 9]]", "at [0, 1]: 4 < 4 does not hold"),
    ],
)
def test_an_expectation_that_fails_says_where_and_how(dslc, toy: Path, expectation: str, text: str) -> None:
    result = dslc("test", program(case("wrong", expectation)))
    assert result.exit_code == 1
    assert "error[DL5050]" in result.stderr
    assert text in result.stderr
    assert "twice.dl:" in result.stderr
    assert "FAILED  twice.dl: wrong (numpy)" in result.stderr


def test_a_mistake_that_was_expected_and_not_made_fails(dslc, toy: Path) -> None:
    result = dslc("test", program('test "e" { use net = Twice(); expect error DL2007 }'))
    assert result.exit_code == 1
    assert "the mistake DL2007 was expected and not made" in result.stderr


def test_settings_reach_the_tests(dslc, toy: Path) -> None:
    path = program(case("tripled", "expect net.y == [[3, 6], [9, 12]]"))
    assert dslc("test", path).exit_code == 1
    assert dslc("test", path, "--set", "factor=3").exit_code == 0


def test_data_at_fault_fails_the_test_that_needs_it_and_no_other(dslc, toy: Path) -> None:
    Path("toy.npz").unlink()
    result = dslc("test", toy)
    assert result.exit_code == 1
    assert "error[DL5001]" in result.stderr
    assert "passed  toy.dl: no units (numpy)" in result.stderr


def test_a_bad_file_does_not_keep_the_others_from_running(dslc, toy: Path) -> None:
    write(Path(), "bad.dl", "model {")
    result = dslc("test", "bad.dl", program(case("right", "expect net.y == [[2, 4], [6, 8]]")))
    assert result.exit_code == 1
    assert "bad.dl:1" in result.stderr
    assert "passed  twice.dl: right (numpy)" in result.stderr


# ---------------------------------------------------------------------------------------------- goldens


def test_a_missing_golden_fails_until_it_is_written(dslc, toy: Path) -> None:
    path = program(FROZEN)
    missing = dslc("test", path)
    assert missing.exit_code == 1
    assert "golden `y.json` does not exist" in missing.stderr
    assert "`dslc test --update` writes it" in missing.stderr
    written = dslc("test", path, "--update")
    assert written.exit_code == 0
    assert "golden golden/y.json: written, shape [2, 2]" in written.stdout
    assert dslc("test", path).exit_code == 0
    assert json.loads(Path("golden/y.json").read_text()) == {
        "format_version": 1,
        "dtype": "float32",
        "shape": [2, 2],
        "values": [[2.0, 4.0], [6.0, 8.0]],
    }


def test_update_shows_how_far_values_moved_and_keeps_what_did_not(dslc, toy: Path) -> None:
    path = program(FROZEN)
    dslc("test", path, "--update")
    assert "golden" not in dslc("test", path, "--update").stdout
    program(FROZEN.replace("[3, 4]", "[3, 5]"))
    assert dslc("test", path).exit_code == 1
    assert "golden golden/y.json: values moved by up to 2" in dslc("test", path, "--update").stdout
    assert dslc("test", path).exit_code == 0


@pytest.mark.parametrize("text", ["", "[1]", "{}", '{"format_version": 1, "dtype": "O", "shape": [], "values": 1}'])
def test_a_damaged_golden_fails_with_a_message(dslc, toy: Path, text: str) -> None:
    Path("golden").mkdir()
    Path("golden/y.json").write_text(text)
    result = dslc("test", program(FROZEN))
    assert result.exit_code == 1
    assert "`y.json` is not a golden file" in result.stderr


def test_a_golden_of_a_newer_version_is_refused(dslc, toy: Path) -> None:
    Path("golden").mkdir()
    Path("golden/y.json").write_text('{"format_version": 2, "dtype": "float32", "shape": [2, 2], "values": []}')
    assert "format version 2" in dslc("test", program(FROZEN)).stderr


@pytest.mark.parametrize("written", ["../y.json", "/tmp/y.json", "golden/../../y.json", "golden/y.txt", "twice.dl"])
@pytest.mark.parametrize("update", [False, True])
def test_a_golden_outside_the_programs_folder_is_refused(dslc, toy: Path, written: str, update: bool) -> None:
    inside = Path("inside")
    inside.mkdir()
    path = write(inside, "twice.dl", MODEL + FROZEN.replace("golden/y.json", written))
    before = path.read_text()
    result = dslc("test", path, *(["--update"] if update else []))
    assert result.exit_code == 1
    assert "error[DL3071]: a golden is a .json file inside the program's folder" in result.stderr
    assert not Path("y.json").exists()
    assert path.read_text() == before


@pytest.mark.skipif(os.name == "nt", reason="symbolic links need rights on Windows")
@pytest.mark.parametrize("linked", ["golden", "golden/y.json"])
def test_a_golden_behind_a_symbolic_link_out_of_the_folder_is_refused(dslc, toy: Path, linked: str) -> None:
    Path("inside/golden").mkdir(parents=True)
    Path("outside").mkdir()
    link = Path("inside", linked)
    if link.is_dir():
        link.rmdir()
    link.symlink_to(Path("outside").resolve() / ("y.json" if linked.endswith(".json") else ""))
    path = write(Path("inside"), "twice.dl", MODEL + FROZEN)
    result = dslc("test", path, "--update")
    assert result.exit_code == 1
    assert "inside the program's folder" in result.stderr
    assert list(Path("outside").iterdir()) == []


def test_a_golden_that_cannot_be_written_is_one_message(dslc, toy: Path) -> None:
    Path("golden").write_text("a file where a folder is needed")
    result = dslc("test", program(FROZEN), "--update")
    assert result.exit_code == 1
    assert Path("golden").read_text() == "a file where a folder is needed"


def test_a_pattern_that_chooses_no_test_fails(dslc, toy: Path) -> None:
    found = dslc("test", toy, "-k", "no such test")
    assert found.exit_code == 1
    assert "no test has such a name" in found.stderr
