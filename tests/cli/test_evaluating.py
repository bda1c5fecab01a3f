"""`eval`: its figures, of which part of which data, on both engines."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from toy import arrays
from toy_runs import needs_ort, rows

from dslc.driver.evaluated import Evaluation, evaluation_text


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


def test_small_figures_keep_their_digits() -> None:
    shown = evaluation_text(Evaluation("test", 4, "numpy, cpu", {"loss": 2.3546e-5, "accuracy": 1.0}, None))
    assert shown.splitlines()[1:] == ["  loss         2.3546e-05", "  accuracy     1"]


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


def test_a_file_with_the_arrays_of_one_part_is_enough_for_it(dslc, toy: Path) -> None:
    toy.write_text(toy.read_text().replace('source["x"] / 10', 'standardize(source["x"])'))
    assert dslc("train", toy, "--out", "run").exit_code == 0
    whole = np.load("toy.npz")
    np.savez("tests.npz", tx=whole["tx"], ty=whole["ty"])
    np.savez("trains.npz", x=whole["x"], y=whole["y"])

    def evaluated(data: str, part: str) -> object:
        result = dslc("eval", "run", "--json", "--data", data, "--split", part)
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    for part, name in (("test", "tests.npz"), ("train", "trains.npz"), ("val", "trains.npz"), ("all", "trains.npz")):
        assert evaluated(name, part) == evaluated("toy.npz", part)
    assert dslc("eval", "run", "--data", "tests.npz").stdout == dslc("eval", "run").stdout
    for name, more in (("tests.npz", ("--split", "val")), ("trains.npz", ())):
        result = dslc("eval", "run", "--data", name, *more)
        assert result.exit_code == 1
        assert "error[DL5003]" in result.stderr
        assert "no other is read: `train` reads `x`, `y`; `test` reads `tx`, `ty`" in result.stderr
    assert "there is `train`, `test`, `val`" in dslc("eval", "run", "--data", "tests.npz", "--split", "tset").stderr


def test_data_may_be_a_folder_with_a_file_of_the_same_name(dslc, run: Path) -> None:
    moved = Path("elsewhere")
    moved.mkdir()
    shutil.move("toy.npz", moved / "toy.npz")
    assert dslc("eval", run).exit_code == 1
    assert dslc("eval", run, "--data", moved).exit_code == 0
