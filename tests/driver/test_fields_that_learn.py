"""Fields that learn, from text to a run: the training part alone is learned from, and everything later uses what was saved."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from dslc.diagnostics import DslcError
from dslc.driver.data import Opened, open_data, verify_data
from dslc.driver.frontend import check_program, read_source
from dslc.driver.training import train
from dslc.driver.using import evaluate_run, predict_run
from dslc_runtime.errors import RuntimeFault

FLOWERS = """
dim B
model Kinds {
  input  x: f32[B, 2]
  input  words: i64[B, 3]
  output logits: f32[B, 3]
  h      = mean(words |> emb: Embedding(8, 4), axes = [1])
  logits = concat(x, h, axis = -1) |> fc: Dense(3)
}
data flowers {
  source = csv("flowers.csv")
  field x: f32[2]      = standardize(source["width", "length"])
  field words: i64[3]  = tokenize(source["note"], vocab = 8, length = 3)
  field n: i64[]       = lengths(tokenize(source["note"], vocab = 8, length = 3))
  field kind: i64[]    = classes(source["kind"])
  split = { val: 0.25 }
}
train kinds {
  use net = Kinds()
  data    = flowers
  loss    = cross_entropy(net.logits, data.kind)
  metrics = { n: mean(cast(data.n, f32)) }
  batch   = 8
  epochs  = 4
}
"""
NOTES = ("small blue", "tall", "very tall, red flower", "blue blue sky")


def write_flowers(folder: Path, rows: int = 40, kinds: str = "abc") -> Path:
    rng = np.random.default_rng(1)
    lines = ["width,length,note,kind"]
    for i in range(rows):
        width, length = rng.normal(5, 2), rng.integers(10, 90)
        lines.append(f'{width:.3f},{length},"{NOTES[i % 4]}",{kinds[i % len(kinds)]}')
    (folder / "flowers.csv").write_text("\n".join(lines) + "\n")
    path = folder / "flowers.dl"
    path.write_text(FLOWERS)
    return path


def opened(path: Path) -> Opened:
    checked = check_program(read_source(path))
    return open_data(checked, next(iter(checked.file.datas.values())))


def test_the_training_part_alone_is_learned_from(tmp_path: Path) -> None:
    path = write_flowers(tmp_path)
    raw = np.genfromtxt(tmp_path / "flowers.csv", delimiter=",", skip_header=1, usecols=(0, 1))
    found = opened(path)
    rows = found.part("train").rows
    assert rows is not None
    expected = (raw - raw[rows].mean(axis=0)) / raw[rows].std(axis=0)
    np.testing.assert_allclose(found.part("train").fields["x"], expected, rtol=1e-5, atol=1e-6)
    assert abs(raw.mean(axis=0) - raw[rows].mean(axis=0)).min() > 1e-3  # so the whole would have given something else
    assert found.labels == {"kind": ("a", "b", "c")}


def test_lengths_count_the_tokens_that_were_kept(tmp_path: Path) -> None:
    fields = opened(write_flowers(tmp_path)).part("train").fields
    assert fields["n"][:4].tolist() == [2, 1, 3, 3]
    assert (fields["words"][:4] != 0).sum(axis=1).tolist() == [2, 1, 3, 3]


def test_a_label_of_no_row_of_the_training_part_is_told_with_its_line(tmp_path: Path) -> None:
    path = write_flowers(tmp_path)
    text = (tmp_path / "flowers.csv").read_text().splitlines()
    val = opened(path).part("val").rows
    assert val is not None
    text[1 + val[0]] = text[1 + val[0]][:-1] + "z"
    (tmp_path / "flowers.csv").write_text("\n".join(text))
    with pytest.raises(RuntimeFault, match=rf"DL5064: .*`z` in line {val[0] + 2}"):
        opened(path)


def test_check_with_data_reads_the_whole_file(tmp_path: Path) -> None:
    path = write_flowers(tmp_path)
    assert verify_data(check_program(read_source(path))) == ["data `flowers`: train 30 rows, val 10 rows"]
    with (tmp_path / "flowers.csv").open("a") as file:
        file.write("x,1,a,a\n")
    with pytest.raises(DslcError, match="DL5062"):
        verify_data(check_program(read_source(path)))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("flowers")
    train(check_program(read_source(write_flowers(folder))), out=folder / "run")
    return folder / "run"


def test_a_run_saves_what_its_fields_learned(run: Path) -> None:
    learned = json.loads((run / "fields.json").read_text())["learned"]
    assert sorted(len(each) for each in learned.values()) == [1, 1, 2]  # labels, tokens, mean and deviation
    assert ["a", "b", "c"] in [each.get("labels") for each in learned.values()]


def test_evaluation_uses_what_was_learned_and_names_the_classes(run: Path, tmp_path: Path) -> None:
    other = write_flowers(tmp_path, rows=6, kinds="cb").parent / "flowers.csv"
    found = evaluate_run(run, other, "all", "numpy", "cpu")
    assert found.names == ("a", "b", "c")
    assert found.classes is not None
    assert [score.support for score in found.classes.classes] == [0, 3, 3]


def test_predict_applies_the_fields_to_raw_columns(run: Path, tmp_path: Path) -> None:
    rows = [{"width": 5.5, "length": 30, "note": "blue sky"}, {"width": 1, "length": 80, "note": "unheard of"}]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    lines = [f"{row['note']},{row['length']},{row['width']}" for row in rows]
    (tmp_path / "rows.csv").write_text("note,length,width\n" + "\n".join(lines))
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    np.savez(tmp_path / "rows.npz", allow_pickle=False, **columns)
    answers = [
        predict_run(run, None, tmp_path / f"rows.{kind}", None, False, "numpy", "cpu")
        for kind in ("json", "csv", "npz")
    ]
    assert answers[0] == answers[1] == answers[2]
    learned = json.loads((run / "fields.json").read_text())["learned"]
    scale = next(each for each in learned.values() if "mean" in each)
    tokens = next(each["tokens"] for each in learned.values() if "tokens" in each)
    x = (np.array([[5.5, 30], [1, 80]]) - scale["mean"]) / scale["deviation"]
    ids = [[tokens.index("blue") + 2, tokens.index("sky") + 2, 0], [1, 1, 0]]
    weights = load_file(run / "model.safetensors")
    h = weights["emb.weight"][ids].mean(axis=1)
    expected = np.concatenate([x, h], axis=-1) @ weights["fc.weight"] + weights["fc.bias"]
    np.testing.assert_allclose(json.loads(answers[0])["logits"], expected, rtol=1e-4, atol=1e-5)


def test_a_run_that_was_interrupted_ends_like_one_that_was_not(run: Path, tmp_path: Path) -> None:
    path = write_flowers(tmp_path)
    train(check_program(read_source(path), ["train.kinds.epochs=2"]), out=tmp_path / "run")
    before = (tmp_path / "run" / "fields.json").read_bytes()
    train(check_program(read_source(path)), out=tmp_path / "run", resume=True)
    assert (tmp_path / "run" / "fields.json").read_bytes() == before
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == (run / "model.safetensors").read_bytes()


@pytest.mark.parametrize("spoil", ["delete", "change"])
def test_weights_without_what_the_fields_learned_are_refused(tmp_path: Path, spoil: str) -> None:
    train(check_program(read_source(write_flowers(tmp_path))), out=tmp_path / "run")
    saved = tmp_path / "run" / "fields.json"
    if spoil == "delete":
        saved.unlink()
    else:
        saved.write_text(saved.read_text().replace('"blue"', '"bleu"'))
    with pytest.raises(RuntimeFault, match="DL5068"):
        evaluate_run(tmp_path / "run", None, None, "numpy", "cpu")
    with pytest.raises(RuntimeFault, match="DL5068"):
        train(check_program(read_source(tmp_path / "flowers.dl")), out=tmp_path / "run", resume=True)


SERIES = """
data series {
  source = csv("series.csv")
  field x: f32[4] = window(standardize(source["x"]), length = 5)[:4]
  field y: f32[]  = window(standardize(source["x"]), length = 5)[4]
  field z: f64[]  = window(source["x"], length = 1, offset = 4)[0]
  SPLIT
}
"""


def write_series(folder: Path, split: str = "split = { test: 0.2, val: 0.1 }") -> Path:
    (folder / "series.csv").write_text("x\n" + "\n".join(str(i * i) for i in range(100)))
    path = folder / "series.dl"
    path.write_text(SERIES.replace("SPLIT", split))
    return path


def test_a_series_is_split_in_its_order_and_windows_stay_in_their_part(tmp_path: Path) -> None:
    found = opened(write_series(tmp_path))
    squares = np.arange(100.0) ** 2
    parts = {name: part.fields["z"].tolist() for name, part in found.parts.items()}
    assert parts == {"train": squares[4:70].tolist(), "val": squares[74:80].tolist(), "test": squares[84:].tolist()}
    mean, deviation = squares[:70].mean(), squares[:70].std()
    series = (squares - mean) / deviation
    test = found.part("test").fields
    np.testing.assert_allclose(test["x"], np.lib.stride_tricks.sliding_window_view(series[80:99], 4), rtol=1e-6)
    np.testing.assert_allclose(test["y"], series[84:], rtol=1e-6)
    assert len(found.whole()) == 96


def test_a_part_that_is_shorter_than_a_window_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(RuntimeFault, match="DL5069"):
        opened(write_series(tmp_path, "split = { val: 0.03 }")).part("val")


def test_new_rows_of_a_series_are_evaluated_whole(tmp_path: Path) -> None:
    head = "dim B\nmodel Line { input x: f32[B, 4]; output y: f32[B]; y = x |> fc: Dense(1) |> squeeze(axis = -1) }\n"
    path = write_series(tmp_path)
    path.write_text(
        head + path.read_text() + "train t { use net = Line()(data.x); data = series; loss = mse(net.y, data.y) }\n"
    )
    train(check_program(read_source(path)), out=tmp_path / "run")
    (tmp_path / "new.csv").write_text("x\n" + "\n".join(map(str, range(7))))
    found = evaluate_run(tmp_path / "run", tmp_path / "new.csv", "all", "numpy", "cpu")
    assert found.rows == 3
    with pytest.raises(RuntimeFault, match="DL5069"):
        evaluate_run(tmp_path / "run", tmp_path / "new.csv", "val", "numpy", "cpu")


def test_an_id_beyond_a_one_hot_code_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("k\n0\n2\n3\n")
    (tmp_path / "d.dl").write_text(
        'data d { source = csv("d.csv"); field k: f32[3] = one_hot(source["k"], classes = 3) }\n'
    )
    with pytest.raises(RuntimeFault, match=r"DL5007: field `k`: id 3 is .*, in line 4"):
        opened(tmp_path / "d.dl")


ONE_HOT = """
data d {
  source = csv("d.csv")
  field kind: f32[3] = one_hot(classes(source["kind"]), classes = 3)
  field x: f32[2]    = source["a":"b"]
}
"""


def test_one_hot_of_classes_and_a_range_of_columns(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("a,b,kind\n1,2.5,z\n3,4,x\n5,6,y\n")
    (tmp_path / "d.dl").write_text(ONE_HOT)
    fields = opened(tmp_path / "d.dl").part("train").fields
    assert fields["kind"].tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
    assert fields["x"].tolist() == [[1, 2.5], [3, 4], [5, 6]]


def test_a_file_for_each_column_is_found_in_another_folder_too(tmp_path: Path) -> None:
    source = 'source = idx(x = "a/x.idx", y = "a/y.idx")'
    fields = 'field x: f32[2] = source["x"]; field y: i64[] = source["y"]'
    (tmp_path / "d.dl").write_text(f"data d {{ {source}; {fields} }}\n")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x.idx").write_bytes(bytes((0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4)))
    (tmp_path / "b" / "y.idx").write_bytes(bytes((0, 0, 8, 1, 0, 0, 0, 2, 7, 9)))
    checked = check_program(read_source(tmp_path / "d.dl"), data=tmp_path / "b")
    found = open_data(checked, checked.file.datas["d"]).part("train").fields
    assert found["x"].tolist() == [[1, 2], [3, 4]]
    assert found["y"].tolist() == [7, 9]
    (tmp_path / "e.dl").write_text(f"data d {{ {source}; {fields.replace('f32[2]', 'f32[3]')} }}\n")
    checked = check_program(read_source(tmp_path / "e.dl"), data=tmp_path / "b")
    with pytest.raises(DslcError) as caught:
        open_data(checked, checked.file.datas["d"])
    notes = [note.text for note in caught.value.diagnostics[0].footers]
    assert any(re.fullmatch(r"a row of .*x\.idx is u8\[2\]", note) for note in notes), notes
