"""Labels and vocabularies of a run: in its exports, beside its predictions, and in Python."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import pytest

import dslc
from dslc.driver import meanings
from dslc.driver.frontend import check_program, read_source
from dslc.driver.meanings import Meanings, Names, meanings_of
from dslc.driver.training import train
from dslc.driver.using import export_run, predict_run

HOSTILE = "\u202egnp\x1b[31m"

PROGRAM = """
dim B
model Kinds {
  input  words: i64[B, 3]
  output scores: f32[B, 3]
  output p: f32[B, 3]
  output best: i64[B]
  output size: f32[B]
  scores = mean(words |> emb: Embedding(8, 4), axes = [1]) |> fc: Dense(3)
  p      = softmax(scores)
  best   = argmax(scores, axis = -1)
  size   = sum(scores * scores, axes = [1])
}
data flowers {
  source = csv("flowers.csv")
  field words: i64[3] = tokenize(source["note"], vocab = 8, length = 3)
  field kind: i64[]   = classes(source["kind"])
}
train kinds {
  use net = Kinds()
  data    = flowers
  loss    = cross_entropy(net.scores, data.kind)
  epochs  = 1
}
"""
KINDS = ("daisy", "poppy", HOSTILE)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    notes = ("small blue", "tall", "very tall red")
    rows = "\n".join(f"{notes[i % 3]},{KINDS[i % 3]}" for i in range(12))
    (folder / "flowers.csv").write_text(f"note,kind\n{rows}\n", "utf-8")
    (folder / "program.dl").write_text(PROGRAM)
    train(check_program(read_source(folder / "program.dl")), "kinds", out=folder / "run")
    return folder / "run"


def metadata(path: Path) -> Mapping[str, str]:
    return {entry.key: entry.value for entry in onnx.load(path).metadata_props}


# ---------------------------------------------------------------------------------------------- exports


def test_an_exported_run_carries_its_labels_and_its_vocabulary(run: Path, tmp_path: Path) -> None:
    export_run(run, None, tmp_path / "net.onnx", 18)
    found = metadata(tmp_path / "net.onnx")
    for output in ("scores", "p", "best"):
        assert json.loads(found[f"dslc.classes.{output}"]) == list(KINDS)
    assert "dslc.classes.size" not in found
    assert json.loads(found["dslc.tokens.words"]) == {
        "unit": "words", "lower": True, "length": 3, "padding": 0, "unknown": 1, "first": 2,
        "tokens": ["tall", "blue", "red", "small", "very"],
    }  # fmt: skip
    assert all(text.isascii() for key, text in found.items() if key.startswith(("dslc.classes", "dslc.tokens")))


def test_an_entry_that_is_too_large_is_left_out_and_told(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meanings, "MAX_BYTES", 80)
    said = export_run(run, None, tmp_path / "net.onnx", 18)
    assert said.endswith("; without dslc.tokens.words, of more than 16 MiB")
    assert "dslc.classes.p" in metadata(tmp_path / "net.onnx")
    assert "dslc.tokens.words" not in metadata(tmp_path / "net.onnx")


def test_a_model_that_was_not_trained_has_neither(tmp_path: Path) -> None:
    dslc.parse(PROGRAM).model().export(tmp_path / "net.onnx")
    assert {key for key in metadata(tmp_path / "net.onnx") if "classes" in key or "tokens" in key} == set()


# ---------------------------------------------------------------------------------------------- predictions


def predict(run: Path, tmp_path: Path, target: Path | None = None) -> str:
    (tmp_path / "rows.csv").write_text("note\nvery tall\nsmall\nred red\n")
    return predict_run(run, None, tmp_path / "rows.csv", target, False, "numpy", "cpu")


def test_predictions_name_the_best_class_and_the_class_of_an_id(run: Path, tmp_path: Path) -> None:
    found = json.loads(predict(run, tmp_path))
    expected = [KINDS[int(np.argmax(row))] for row in found["scores"]]
    assert expected == [KINDS[i] for i in found["best"]]
    assert found["scores.label"] == found["p.label"] == found["best.label"] == expected
    assert "size.label" not in found


def test_hostile_labels_are_escaped_where_they_are_printed(run: Path, tmp_path: Path) -> None:
    printed = predict(run, tmp_path)
    assert printed.isascii()
    assert printed.isprintable()


def test_labels_stand_in_csv_and_npz_too_and_npy_stays_numbers(run: Path, tmp_path: Path) -> None:
    found = json.loads(predict(run, tmp_path))["best.label"]
    predict(run, tmp_path, tmp_path / "out.csv")
    header, *rows = (tmp_path / "out.csv").read_text("utf-8").splitlines()
    assert [row.split(",")[header.split(",").index("best.label")] for row in rows] == found
    predict(run, tmp_path, tmp_path / "out.npz")
    with np.load(tmp_path / "out.npz", allow_pickle=False) as arrays:
        assert arrays["best.label"].tolist() == found


@pytest.mark.parametrize(
    ("result", "labels"),
    [
        (np.array([[0.1, 2, 1], [3, 0, 0]]), ["b", "a"]),
        (np.array([[0.1, 1, 2], [np.nan, 0, 0]]), ["2", ""]),
        (np.array([1, 0, 5]), ["b", "a", "5"]),
        (np.zeros((0, 3)), []),
        (np.zeros((2, 2, 3)), [["a", "a"], ["a", "a"]]),
    ],
)
def test_what_has_no_name_is_called_by_its_id_and_what_is_no_number_not_at_all(
    result: np.ndarray, labels: list[str]
) -> None:
    found = Meanings({}, {"y": Names("classes", ("a", "b"))}).labels({"y": result})
    assert found["y.label"].tolist() == labels


# ---------------------------------------------------------------------------------------------- python


def test_a_run_in_python_tells_classes_and_tokens(run: Path) -> None:
    trained = dslc.load(run.parent / "program.dl").trainer().fit()
    for net in (dslc.open_run(run).models["net"], trained.models["net"]):
        assert net.classes == {"scores": KINDS, "p": KINDS, "best": KINDS}
        assert net.tokens == {"words": ("", "", "tall", "blue", "red", "small", "very")}


def test_tokens_of_windows_name_the_characters_a_model_writes() -> None:
    checked = check_program(read_source(Path(__file__).parents[2] / "models" / "char_lm.dl"))
    typed = checked.file.trains["writer"]
    learned = {'tokenize(text "text", vocab = 67, unit = texts, lower = False)': {"tokens": ["e", "\n"]}}
    found = meanings_of(checked, typed, learned)["net"]
    assert found.inputs["x"].names == found.outputs["logits"].names == ("", "", "e", "\n")


def test_each_of_several_models_has_the_classes_of_its_own_loss() -> None:
    text = PROGRAM.replace("use net = Kinds()", "use a = Kinds()\n  use b = Kinds()").replace("net.scores", "b.scores")
    checked = dslc.parse(text.replace("loss    = ", "loss    = mean(a.size) + ")).checked
    found = meanings_of(checked, checked.file.trains["kinds"], {'classes(labels "kind")': {"labels": [3, 5]}})
    assert found["a"].outputs == {}
    assert found["b"].outputs["p"].names == ("3", "5")
