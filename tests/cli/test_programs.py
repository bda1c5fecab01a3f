"""`check`, `info`, `compile`, `explain`, `doctor`, and what all commands have in common."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from toy import LOOKUP, arrays, write

from dslc.cli import main
from dslc.diagnostics import CODES

BAD = "model M { input x: f32[2]; output y: f32[2]; y = rleu(x) }"

# ---------------------------------------------------------------------------------------------- check


def test_check_of_a_good_program_says_so_on_stderr(dslc, toy: Path) -> None:
    result = dslc("check", toy)
    assert result.exit_code == 0
    assert result.stdout == ""
    assert result.stderr == "toy.dl: no errors (its data was not opened: --data)\n"


def test_check_says_nothing_of_data_where_it_is_opened_or_is_in_no_file(dslc, toy: Path) -> None:
    assert dslc("check", toy, "--data").stderr.endswith("toy.dl: no errors\n")
    write(Path(), "lookup.dl", LOOKUP)
    assert dslc("check", "lookup.dl").stderr == "lookup.dl: no errors\n"


def test_check_reports_all_bad_files_and_exits_1(dslc, toy: Path) -> None:
    Path("bad.dl").write_text(BAD)
    Path("worse.dl").write_text("model {")
    result = dslc("check", "bad.dl", toy, "worse.dl", "absent.dl")
    assert result.exit_code == 1
    assert "DL1004" in result.stderr
    assert "worse.dl:1:" in result.stderr
    assert "toy.dl: no errors" in result.stderr
    assert "error[DL0050]: cannot read `absent.dl`: no such file or directory" in result.stderr
    assert result.stdout == ""


def test_check_takes_settings(dslc, toy: Path) -> None:
    assert dslc("check", toy, "--set", "hidden=4").exit_code == 0
    result = dslc("check", toy, "--set", "hidden=0")
    assert result.exit_code == 1
    assert "error[DL2007]" in result.stderr


def test_check_of_a_name_wants_it_declared(dslc, toy: Path) -> None:
    assert dslc("check", f"{toy}:Toy").exit_code == 0
    result = dslc("check", f"{toy}:Toi")
    assert result.exit_code == 1
    assert "error[DL0053]: nothing in this program is named `Toi`" in result.stderr
    assert "= help: did you mean" in result.stderr
    assert "`Toy`" in result.stderr


def test_check_opens_the_data_only_when_asked(dslc, toy: Path) -> None:
    result = dslc("check", toy, "--data")
    assert result.exit_code == 0, result.stderr
    assert "data `points`: train 30 rows" in result.stderr
    Path("toy.npz").unlink()
    assert dslc("check", toy).exit_code == 0
    result = dslc("check", toy, "--data")
    assert result.exit_code == 1
    assert "error[DL5001]" in result.stderr


def test_check_of_data_finds_class_ids_beyond_the_logits(dslc, toy: Path) -> None:
    np.savez("toy.npz", allow_pickle=False, **arrays(highest=7))
    result = dslc("check", toy, "--data")
    assert result.exit_code == 1
    assert "error[DL5007]" in result.stderr


def test_another_data_path_for_rows_in_the_program_is_an_error(dslc, toy: Path) -> None:
    result = dslc("train", write(Path(), "lookup.dl", LOOKUP), "--data", "toy.npz", "--out", "r")
    assert result.exit_code == 1
    assert "error[DL0056]" in result.stderr
    assert not Path("r").exists()


def test_quiet_check_prints_nothing(dslc, toy: Path) -> None:
    result = dslc("check", "-q", toy)
    assert (result.exit_code, result.output) == (0, "")


def test_json_diagnostics_are_one_object_a_line(dslc, toy: Path) -> None:
    Path("bad.dl").write_text(BAD)
    result = dslc("check", "bad.dl", "absent.dl", "--error-format", "json")
    found = [json.loads(line) for line in result.stderr.splitlines()]
    assert [item["code"] for item in found] == ["DL1004", "DL0050"]
    assert result.exit_code == 1


def test_a_file_that_is_not_utf8_is_one_message(dslc, toy: Path) -> None:
    Path("latin.dl").write_bytes(b"# caf\xe9\n")
    result = dslc("check", "latin.dl")
    assert result.exit_code == 1
    assert "error[DL0051]: `latin.dl` is not UTF-8 text: byte 5 cannot be read" in result.stderr


def test_a_folder_is_no_program(dslc, toy: Path) -> None:
    assert "DL0050" in dslc("check", ".").stderr


def test_a_forgotten_ending_is_proposed(dslc, toy: Path) -> None:
    assert "did you mean `toy.dl`?" in dslc("check", "toy").stderr


# ---------------------------------------------------------------------------------------------- names


def test_one_of_several_models_is_named_after_a_colon(dslc, toy: Path) -> None:
    two = (
        "model A { input x: f32[2]; output y: f32[2]; y = x * 2 }\nmodel C { input x: f32[3]; output y: f32[3]; y = x }"
    )
    Path("two.dl").write_text(two)
    assert "x: f32[3]" in dslc("info", "two.dl:C").stdout
    several = dslc("info", "two.dl")
    assert several.exit_code == 1
    assert "error[DL0054]: there are several models: `A`, `C`" in several.stderr
    assert "error[DL0053]: there is no model named `D`; there is `A`, `C`" in dslc("info", "two.dl:D").stderr


def test_an_unknown_setting_is_an_error_with_a_near_name(dslc, toy: Path) -> None:
    result = dslc("info", toy, "--set", "hiden=8")
    assert result.exit_code == 1
    assert "hidden" in result.stderr


# ---------------------------------------------------------------------------------------------- compile


@pytest.mark.parametrize("stage", ["tree", "typed", "graph", "optimized", "training", "plan", "python"])
def test_each_stage_prints_the_same_text_twice(dslc, toy: Path, stage: str) -> None:
    first, second = dslc("compile", toy, "--emit", stage), dslc("compile", toy, "--emit", stage)
    assert first.exit_code == 0
    assert len(first.stdout.splitlines()) > 3
    assert first.stdout == second.stdout
    assert first.stdout == first.stdout.rstrip() + "\n"


def test_the_emitted_python_is_python(dslc, toy: Path) -> None:
    text = dslc("compile", toy, "--emit", "python").stdout
    compile(text, "step.py", "exec")
    assert "float(h" not in text, "a number of the host is converted to what it is already"


@pytest.mark.parametrize("name", ["toy.onnx", "toy.txt"])
def test_compile_writes_by_ending(dslc, toy: Path, name: str) -> None:
    assert dslc("compile", toy, "-o", name).exit_code == 0
    assert Path(name).stat().st_size > 100


def test_compile_of_an_unknown_ending_is_one_message(dslc, toy: Path) -> None:
    result = dslc("compile", toy, "-o", "toy.exe")
    assert result.exit_code == 1
    assert "DL0055" in result.stderr
    assert not Path("toy.exe").exists()


def test_compile_wants_a_file_or_a_stage(dslc, toy: Path) -> None:
    assert dslc("compile", toy).exit_code == 2


# ---------------------------------------------------------------------------------------------- explain, doctor


@pytest.mark.parametrize("code", sorted(CODES))
def test_explain_prints_every_code(dslc, code: str) -> None:
    result = dslc("explain", code.lower())
    assert result.exit_code == 0
    title, blank, *text = result.stdout.splitlines()
    assert title.endswith(f"[{code}]: {CODES[code].title}")
    assert blank == ""
    assert len("".join(text)) > 40


def test_explain_of_a_lint_says_how_to_allow_it(dslc) -> None:
    assert dslc("explain", "DL4001").stdout.endswith("or on the line above it, silences this.\n")
    assert "allow" not in dslc("explain", "DL2001").stdout


def test_explain_of_a_program_shows_formulas(dslc, toy: Path) -> None:
    shown = dslc("explain", toy, "--set", "hidden=5").stdout
    assert "d fc1.weight" in shown
    assert "f32[3, 5]" in shown
    assert "loss" in dslc("explain", f"{toy}:toy").stdout
    assert "error[DL0053]" in dslc("explain", f"{toy}:Toi").stderr
    assert "error[DL0050]" in dslc("explain", "absent.dl").stderr


def test_explain_of_an_unknown_code_shows_near_ones(dslc) -> None:
    result = dslc("explain", "DL2099")
    assert result.exit_code == 1
    assert "error[DL0052]: there is no code `DL2099`" in result.stderr
    assert "DL20" in result.stderr.split("note")[1]


def test_doctor_names_packages_and_engines(dslc) -> None:
    result = dslc("doctor")
    assert result.exit_code == 0
    assert "ok  numpy" in result.stdout
    assert "ok  engine numpy, cpu" in result.stdout
    assert "engine ort, cuda" in result.stdout


# ---------------------------------------------------------------------------------------------- common ground


@pytest.mark.parametrize("command", ["check", "info", "compile", "train", "eval", "predict", "export", "test"])
def test_every_command_helps_and_refuses_unknown_options(dslc, command: str) -> None:
    shown = dslc(command, "--help")
    assert shown.exit_code == 0
    assert "--error-format [human|json]" in shown.stdout
    assert "-q, --quiet" in shown.stdout
    assert dslc(command, "x", "--nonsense").exit_code == 2


def test_an_unknown_command_suggests_a_near_one(dslc) -> None:
    result = dslc("trian")
    assert result.exit_code == 2
    assert "Did you mean 'train'?" in result.stderr


def test_help_lists_every_command(dslc) -> None:
    shown = dslc("--help").stdout
    for command in (
        "check",
        "info",
        "compile",
        "train",
        "eval",
        "predict",
        "export",
        "test",
        "explain",
        "doc",
        "doctor",
    ):
        assert f"  {command}  " in shown


def _modules(code: str, folder: Path) -> set[str]:
    """The top-level modules a fresh Python has after some code."""
    program = f"import sys\n{code}\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True)
    return set(done.stderr.splitlines()[-1].split())


def test_dslc_alone_imports_nothing_heavy(tmp_path: Path) -> None:
    loaded = _modules("import dslc", tmp_path)
    assert "dslc" in loaded
    assert not loaded & {"numpy", "networkx", "onnx", "rich", "click", "dslc_runtime", "onnxruntime"}


_HEAVY = {"numpy", "networkx", "onnx", "rich", "dslc_runtime", "onnxruntime", "lark"}


@pytest.mark.parametrize("options", [[], ["-q"]])
def test_check_imports_nothing_heavy_and_waits_for_click_only_where_there_are_options(
    toy: Path, options: list[str]
) -> None:
    arguments = ["check", "toy.dl", *options]
    code = f"from dslc.cli import main\ntry: main({arguments!r})\nexcept SystemExit as end: assert not end.code"
    loaded = _modules(code, toy.resolve().parent)
    assert "dslc" in loaded
    assert not loaded & _HEAVY
    assert ("click" in loaded) == bool(options)


def test_both_ways_of_a_check_say_the_same(dslc, toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.dl").write_text(BAD)
    files = [str(toy), "bad.dl", "absent.dl", f"{toy}:Nothing"]
    with pytest.raises(SystemExit) as ended:
        main(["check", *files])
    longer = dslc("check", *files, "--error-format", "human")
    assert longer.exit_code == ended.value.code == 1
    assert capsys.readouterr().err == longer.stderr


def test_colour_is_for_terminals_without_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    from dslc.cli.output import wants_color

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert wants_color(True)
    assert not wants_color(False)
    monkeypatch.setenv("NO_COLOR", "1")
    assert not wants_color(True)


def test_a_reader_that_goes_away_is_no_error(toy: Path) -> None:
    command = f"{sys.executable} -m dslc compile toy.dl --emit python | true"
    done = subprocess.run(["sh", "-c", command], cwd=toy.resolve().parent, capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_explain_lists_every_code_and_takes_a_bare_number(dslc) -> None:
    listed = dslc("explain").stdout.splitlines()
    assert [line.split()[0] for line in listed] == sorted(CODES)
    assert dslc("explain", "2001").stdout == dslc("explain", "DL2001").stdout


def test_a_stage_is_written_to_a_file(dslc, toy: Path) -> None:
    assert dslc("compile", toy, "--emit", "python", "-o", "step.py").exit_code == 0
    assert Path("step.py").read_text() == dslc("compile", toy, "--emit", "python").stdout


def test_a_folder_in_place_of_a_program_says_what_is_in_it(dslc, toy: Path) -> None:
    found = dslc("check", ".")
    assert found.exit_code == 1
    assert "name a program in it: `toy.dl`" in found.stderr
