"""`predict`: every format of rows and results, columns as the program reads them, and rows at fault."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from toy import LOOKUP, write
from toy_runs import logits, needs_ort, rows

from dslc_runtime import ort


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


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.json", '{"txt": ["a b"]}'), ("a.csv", "txt\na b\n"), ("a.npz", "")],
    ids=["json", "csv", "npz"],
)
def test_of_a_column_of_almost_the_right_name_it_is_said_which_is_the_files(
    dslc, toy: Path, name: str, text: str
) -> None:
    program = toy.read_text().replace('source["x"] / 10', 'cast(tokenize(source["text"], vocab = 8, length = 3), f32)')
    program = program.replace('npz("toy.npz", x = "x", y = "y")', 'inline({ text: ["a b", "b"], y: [1, 2] })')
    program = program.replace('npz("toy.npz", x = "tx", y = "ty")', 'inline({ text: ["b"], y: [1] })')
    toy.write_text(program.replace("val: 0.25", "val: 0.5"))
    assert dslc("train", toy, "--out", "run").exit_code == 0
    Path(name).write_text(text, "utf-8")
    if name.endswith("npz"):
        np.savez(name, txt=np.array(["a b"]))
    result = dslc("predict", "run", "--input", name)
    assert "error[DL5003]: there is no column `text`" in result.stderr
    assert "= help: the file has `txt`, and the program reads `text`: rename the column" in result.stderr


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
