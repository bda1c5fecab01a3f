"""`eval`, `predict`, `export`: what is done with a run, on both engines, here and after it was moved."""

from __future__ import annotations

import csv
import json
import shutil
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import onnx
import pytest
from toy import LOOKUP, arrays, write

from dslc.driver.evaluated import Evaluation, evaluation_text
from dslc_runtime import checkpoint, ort
from dslc_runtime.threads import limited

needs_ort = pytest.mark.skipif(not ort.is_installed(), reason="ONNX Runtime is not installed")


def rows(count: int = 5) -> np.ndarray:
    return arrays()["tx"][:count]


def logits(dslc, run: Path, *more: str) -> np.ndarray:
    """What `predict` says of the first rows, from an npz file with the program's own column name."""
    np.savez("rows.npz", x=rows())
    result = dslc("predict", run, "--input", "rows.npz", *more)
    assert result.exit_code == 0, result.stderr
    return np.array(json.loads(result.stdout)["logits"])


# ---------------------------------------------------------------------------------------------- eval


def test_eval_prints_figures_and_the_confusion_matrix(dslc, run: Path) -> None:
    result = dslc("eval", run)
    assert result.exit_code == 0
    assert result.stderr == ""
    first, *rest = result.stdout.splitlines()
    assert first == "test: 20 rows, numpy, cpu"
    assert "confusion matrix" in "\n".join(rest)


def test_eval_json_agrees_with_the_predictions(dslc, run: Path) -> None:
    found = json.loads(dslc("eval", run, "--json").stdout)
    np.savez("all.npz", x=arrays()["tx"])
    answers = json.loads(dslc("predict", run, "--input", "all.npz").stdout)["logits"]
    truth = arrays()["ty"]
    predicted = np.argmax(answers, axis=1)
    assert found["acc"] == pytest.approx(np.mean(predicted == truth))
    scores = np.array(answers) - np.max(answers, axis=1, keepdims=True)
    cross_entropy = np.log(np.exp(scores).sum(1)) - scores[np.arange(20), truth]
    assert found["loss"] == pytest.approx(cross_entropy.mean(), abs=1e-6)
    assert np.sum(found["confusion"]) == 20
    for label in range(3):
        assert found["confusion"][label][label] == np.sum((predicted == label) & (truth == label))


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


def test_eval_of_a_part_that_is_asked_for(dslc, run: Path) -> None:
    sizes = {part: json.loads(dslc("eval", run, "--split", part, "--json").stdout)["rows"] for part in ("train", "val")}
    assert sizes == {"train": 30, "val": 10}
    unknown = dslc("eval", run, "--split", "valid")
    assert unknown.exit_code == 1
    assert "error[DL5010]: the data have no part `valid`" in unknown.stderr


@needs_ort
def test_eval_on_onnx_runtime_equals_numpy(dslc, run: Path) -> None:
    ours, theirs = (json.loads(dslc("eval", run, "--json", "--engine", e).stdout) for e in ("numpy", "ort"))
    assert theirs["engine"] == "ort, cpu"
    assert theirs["loss"] == pytest.approx(ours["loss"], abs=1e-5)
    assert theirs["confusion"] == ours["confusion"]


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


# ---------------------------------------------------------------------------------------------- damaged runs


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


# ---------------------------------------------------------------------------------------------- predict


@needs_ort
def test_predictions_of_both_engines_agree(dslc, run: Path) -> None:
    assert np.max(np.abs(logits(dslc, run) - logits(dslc, run, "--engine", "ort"))) < 1e-5


def test_field_expressions_are_applied_unless_the_rows_are_raw(dslc, run: Path) -> None:
    cooked = logits(dslc, run)
    np.savez("raw.npz", x=rows() / np.float32(10))
    raw = dslc("predict", run, "--input", "raw.npz", "--raw")
    assert np.max(np.abs(np.array(json.loads(raw.stdout)["logits"]) - cooked)) < 1e-6
    assert np.max(np.abs(logits(dslc, run, "--raw") - cooked)) > 0.1


def test_columns_may_have_the_names_of_the_programs_own_files(dslc, run: Path) -> None:
    expected = logits(dslc, run)
    np.savez("file.npz", tx=rows(), other=np.zeros(3))
    found = json.loads(dslc("predict", run, "--input", "file.npz").stdout)["logits"]
    assert np.array_equal(np.array(found), expected)


@pytest.mark.parametrize("ending", ["npy", "csv", "json", "rows.json"])
def test_every_input_format_gives_the_same(dslc, run: Path, ending: str) -> None:
    expected = logits(dslc, run)
    path, values = Path(f"in.{ending}"), rows().tolist()
    if ending == "npy":
        np.save(path, rows())
    elif ending == "csv":
        lines = [",".join(map(repr, row)) for row in values]
        path.write_text("\n".join(["x_0,x_1,x_2", *lines, ""]))
    elif ending == "json":
        path.write_text(json.dumps({"x": values}))
    else:
        path.write_text(json.dumps([{"x": row, "id": i} for i, row in enumerate(values)]))
    found = json.loads(dslc("predict", run, "--input", path).stdout)["logits"]
    assert np.max(np.abs(np.array(found) - expected)) < 1e-6


@pytest.mark.parametrize("ending", ["npz", "npy", "csv", "json"])
def test_every_output_format_holds_the_same(dslc, run: Path, ending: str) -> None:
    expected = logits(dslc, run)
    path = Path(f"out.{ending}")
    result = dslc("predict", run, "--input", "rows.npz", "-o", path)
    assert (result.exit_code, result.stdout) == (0, "")
    if ending == "npz":
        found = np.load(path, allow_pickle=False)["logits"]
    elif ending == "npy":
        found = np.load(path, allow_pickle=False)
    elif ending == "csv":
        header, *lines = csv.reader(path.read_text().splitlines())
        assert header == ["logits_0", "logits_1", "logits_2"]
        found = np.array(lines, float)
    else:
        found = np.array(json.loads(path.read_text())["logits"])
    assert np.max(np.abs(found - expected)) < 1e-6


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("a.json", '{"xx": [[1, 2, 3]]}', "DL5003"),
        ("a.json", '{"x": [[1, 2], [3]]}', "DL5004"),
        ("a.json", '{"x": [["a", "b", "c"]]}', "DL5004"),
        ("a.json", '{"x": 1}', "DL5004"),
        ("a.json", '{"x": [[1, null, 2]]}', "DL5004"),
        ("a.json", '{"x": {"a": 1}}', "DL5004"),
        ("a.csv", "x_0,x_1,x_2\n99999999999999999999,2,3\n", "DL5062"),
        ("a.json", '{"x": []}', "DL5008"),
        ("a.json", "[1]", "DL5002"),
        ("a.json", '{"x": [[1, 2, 3], null]}', "DL5061"),
        ("a.json", "[" * 10_000, "DL5002"),
        ("a.csv", "", "DL5060"),
        ("a.csv", "x_0,x_1,x_2\n1,2\n", "DL5060"),
        ("a.csv", "x_0,x_1,x_2\n1,2,three\n", "DL5062"),
        ("a.csv", "x_0,x_1,x_2\n1,2,nan\n", "DL5061"),
        ("a.csv", "x_0,x_1,x_2\n1,2,inf\n", "DL5006"),
        ("a.csv", "y\n1\n", "DL5003"),
        ("a.npy", "no array", "DL5002"),
        ("a.npz", "no archive", "DL5002"),
        ("a.txt", "1 2 3", "DL5002"),
    ],
)
@pytest.mark.parametrize("raw", [False, True])
def test_input_at_fault_is_one_message(dslc, run: Path, name: str, text: str, code: str, raw: bool) -> None:
    Path(name).write_text(text)
    result = dslc("predict", run, "--input", name, *(["--raw"] if raw else []))
    if raw and code == "DL5006":  # the model's own inputs may be anything
        assert json.loads(result.stdout) == {"logits": [[None, None, None]]}
        return
    assert result.exit_code == 1
    assert f"error[{code}]" in result.stderr
    assert result.stderr.splitlines()[-1] == "1 error"


def test_a_missing_column_of_a_csv_says_how_vectors_are_written(dslc, trained: Path, tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "a,b,c\n1,2,3\n")
    result = dslc("predict", trained / "run", "--input", path)
    assert result.exit_code == 1
    assert "= note: a column `x` of vectors is written as `x_0`, `x_1`, ..." in result.stderr


def test_small_figures_keep_their_digits() -> None:
    shown = evaluation_text(Evaluation("test", 4, "numpy, cpu", {"loss": 2.3546e-5, "accuracy": 1.0}, None))
    assert shown.splitlines()[1:] == ["  loss         2.3546e-05", "  accuracy     1"]


def test_rows_of_another_width_are_one_message(dslc, run: Path) -> None:
    Path("narrow.json").write_text('{"x": [[1, 2]]}')
    assert "a row of column `x` of narrow.json is i64[2]" in dslc("predict", run, "--input", "narrow.json").stderr
    np.savez("wide.npz", x=np.ones((2, 4), np.float32))
    for engine in ("numpy", "ort") if ort.is_installed() else ("numpy",):
        assert "error[DL5040]" in dslc("predict", run, "--input", "wide.npz", "--raw", "--engine", engine).stderr
    assert dslc("predict", run, "--input", "wide.npz").exit_code == 1


def test_missing_input_is_one_message(dslc, run: Path) -> None:
    for name in ("absent.npz", "absent.csv"):
        assert "error[DL5001]" in dslc("predict", run, "--input", name).stderr


def test_results_that_cannot_be_written_are_one_message(dslc, run: Path) -> None:
    np.savez("rows.npz", x=rows())
    assert "DL5023" in dslc("predict", run, "--input", "rows.npz", "-o", "absent/out.npz").stderr
    assert "DL5002" in dslc("predict", run, "--input", "rows.npz", "-o", "out.xlsx").stderr


AGES = """\
dim B

model Net {
  input  age: f32[B]
  output y: f32[B]
  y = expand_dims(age, axis = 1) |> fc: Dense(1) |> squeeze(axis = -1)
}

data people {
  source = csv("people.csv", missing = MISSING)
  field age: f32[] = source["age"]
  field y: f32[]   = source["y"]
}

train ages {
  use net = Net()
  data    = people
  loss    = mse(net.y, data.y)
}
"""


@pytest.mark.parametrize(("missing", "rows"), [('"drop"', 2), ("40", 3)])
def test_missing_values_of_rows_to_predict_are_filled_as_in_training_and_no_row_is_left_out(
    dslc, toy: Path, missing: str, rows: int
) -> None:
    write(Path(), "ages.dl", AGES.replace("MISSING", missing))
    write(Path(), "people.csv", "age,y\n31,1\n?,2\n22,3\n")
    assert dslc("train", "ages.dl", "--out", "ages", "-q").exit_code == 0
    assert f"all: {rows} rows" in dslc("eval", "ages", "--split", "all").stdout
    result = dslc("predict", "ages", "--input", "people.csv")
    if missing == "40":
        write(Path(), "filled.csv", "age\n31\n40\n22\n")
        assert result.stdout == dslc("predict", "ages", "--input", "filled.csv").stdout
    else:
        assert result.exit_code == 1
        assert "DL5061" in result.stderr
        assert "each row gets a result" in result.stderr


def test_an_id_beyond_a_table_is_one_message(dslc, toy: Path) -> None:
    write(Path(), "lookup.dl", LOOKUP)
    assert dslc("train", "lookup.dl", "--out", "r", "-q").exit_code == 0
    for wrong in (5, -1):
        Path("ids.json").write_text(json.dumps({"ids": [0, wrong]}))
        result = dslc("predict", "r", "--input", "ids.json")
        assert result.exit_code == 1
        assert f"error[DL5007]: field `ids` has the id {wrong} in row 1" in result.stderr


# ---------------------------------------------------------------------------------------------- export


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
    for folder in (".", run, "/"):
        assert "could not be written: is a folder" in dslc("export", run, "-o", folder).stderr
    assert (
        "error[DL0053]: there is no use named `nett`; there is `net`"
        in dslc("export", f"{run}:nett", "-o", "m.onnx").stderr
    )
    assert dslc("export", run, "-o", "m.onnx", "--set", "hidden=6").exit_code == 2
    assert not Path("m.onnx").exists()


# ---------------------------------------------------------------------------------------------- a moved run


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


# ---------------------------------------------------------------------------------------------- several models


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


# ---------------------------------------------------------------------------------------------- data named at the command


def of_one_file(toy: Path) -> str:
    """The toy program with all its rows in one source."""
    text = toy.read_text().replace(
        '  source = {\n    train: npz("toy.npz", x = "x", y = "y"),\n', '  source = npz("toy.npz", x = "x", y = "y")\n'
    )
    return text.replace('    test:  npz("toy.npz", x = "tx", y = "ty"),\n  }\n', "")


def test_new_data_are_evaluated_whole_and_the_runs_own_in_the_part_kept_aside(dslc, toy: Path) -> None:
    toy.write_text(of_one_file(toy))
    assert dslc("train", toy, "--out", "run").exit_code == 0
    np.savez("new.npz", x=np.load("toy.npz")["tx"], y=np.load("toy.npz")["ty"])

    def evaluated(*more: str) -> tuple[str, int]:
        found = json.loads(dslc("eval", "run", "--json", *more).stdout)
        return found["split"], found["rows"]

    assert evaluated() == ("val", 10)
    assert evaluated("--data", "new.npz") == ("all", 20)
    assert evaluated("--data", "new.npz", "--split", "val") == ("val", 5)
    shutil.copy("toy.npz", "moved.npz")
    assert evaluated("--data", "moved.npz") == ("val", 10)


def test_new_data_have_no_part_split_off_however_few_they_are(dslc, toy: Path) -> None:
    toy.write_text(of_one_file(toy).replace("{ val: 0.25 }", "{ val: 0.25, test: 0.25 }"))
    assert dslc("train", toy, "--out", "run").exit_code == 0
    for count in (20, 1):
        np.savez("new.npz", x=rows(count), y=arrays()["ty"][:count])
        for more in ((), ("--split", "all")):
            result = dslc("eval", "run", "--json", "--data", "new.npz", *more)
            assert result.exit_code == 0, result.stderr
            found = json.loads(result.stdout)
            assert (found["split"], found["rows"]) == ("all", count)
    assert json.loads(dslc("eval", "run", "--json").stdout)["split"] == "test"
    assert "error[DL5008]" in dslc("eval", "run", "--data", "new.npz", "--split", "val").stderr


def test_data_may_be_a_folder_with_a_file_of_the_same_name(dslc, run: Path) -> None:
    moved = Path("elsewhere")
    moved.mkdir()
    shutil.move("toy.npz", moved / "toy.npz")
    assert dslc("eval", run).exit_code == 1
    assert dslc("eval", run, "--data", moved).exit_code == 0


def test_an_archive_without_named_columns_has_those_that_fields_read(dslc, toy: Path) -> None:
    np.savez("plain.npz", X=np.ones((6, 2), np.float32), y=np.ones((6, 1), np.float32), unrelated=np.zeros(3))
    Path("plain.dl").write_text(
        "dim B\nmodel M {\n  input x: f32[B, 2]\n  output p: f32[B, 1]\n  p = x |> fc: Dense(1)\n}\n"
        'data d {\n  source = npz("plain.npz")\n  field x: f32[2] = source["X"]\n  field y: f32[1] = source["y"]\n}\n'
        "train t {\n  use net = M()\n  data = d\n  loss = mse(net.p, data.y)\n}\n"
    )
    found = dslc("train", "plain.dl", "--out", "plain")
    assert found.exit_code == 0, found.stderr


def test_seed_is_not_for_a_run(dslc, run: Path) -> None:
    assert dslc("export", run, "-o", "m.onnx", "--seed", 3).exit_code == 2


def test_an_input_that_is_no_field_is_taken_as_it_is(dslc, toy: Path) -> None:
    Path("noise.dl").write_text(
        "dim B\nmodel G {\n  input  z: f32[B, 2]\n  output p: f32[B, 3]\n  p = z |> fc: Dense(3)\n}\n"
        'data d {\n  source = npz("toy.npz")\n  field x: f32[3] = source["x"]\n}\n'
        "train t {\n  use g = G()\n  data = d\n  sample z: f32[B, 2] ~ normal(0, 1)\n  loss = mse(g(z), data.x)\n}\n"
    )
    assert dslc("train", "noise.dl", "--out", "noise").exit_code == 0
    Path("z.json").write_text('{"z": [[0, 1], [2, 3]]}')
    found = dslc("predict", "noise", "--input", "z.json")
    assert found.exit_code == 0, found.stderr
    assert np.shape(json.loads(found.stdout)["p"]) == (2, 3)
    assert dslc("predict", "noise", "--input", "z.json", "--raw").stdout == found.stdout
