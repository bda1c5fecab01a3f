"""Opening data blocks: parts, fields, fingerprints, class ids."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from toy import TOY, arrays, write, write_toy

from dslc.check.id_limits import id_limits
from dslc.diagnostics import DslcError
from dslc.driver.data import Opened, open_data
from dslc.driver.field_programs import compile_fields
from dslc.driver.frontend import check_program, read_source
from dslc.driver.tables import open_table
from dslc_runtime.data.fields import FieldProgram
from dslc_runtime.errors import RuntimeFault


def opened(path: Path, fields: tuple[str, ...] = (), limited: bool = False) -> Opened:
    checked = check_program(read_source(path))
    (train,) = checked.file.trains.values()
    return open_data(checked, train.data, fields, id_limits(train.inference.body) if limited else None)


def test_parts_are_disjoint_and_complete(tmp_path: Path) -> None:
    found = opened(write_toy(tmp_path))
    assert {name: len(part) for name, part in found.parts.items()} == {"train": 30, "test": 20, "val": 10}
    train, val = found.part("train").rows, found.part("val").rows
    assert train is not None
    assert val is not None
    assert sorted([*train, *val]) == list(range(40))


def test_fields_are_computed_and_typed(tmp_path: Path) -> None:
    fields = opened(write_toy(tmp_path)).part("test").fields
    assert fields["x"].dtype == np.float32
    assert np.array_equal(fields["x"], arrays()["tx"] / np.float32(10))
    assert np.array_equal(fields["label"], arrays()["ty"])


def test_of_a_missing_file_the_comment_above_the_data_block_is_told(tmp_path: Path) -> None:
    text = TOY.replace("data points {", "## Points of the plane.\n## `make_points.py` makes them.\ndata points {")
    with pytest.raises(RuntimeFault) as caught:
        opened(write(tmp_path, "toy.dl", text))
    assert caught.value.code == "DL5001"
    assert "`data points`: Points of the plane. `make_points.py` makes them." in caught.value.notes


def test_only_the_fields_that_are_needed_are_read(tmp_path: Path) -> None:
    assert list(opened(write_toy(tmp_path), ("x",)).part("train").fields) == ["x"]


def test_stratified_parts_have_each_class_in_proportion(tmp_path: Path) -> None:
    text = TOY.replace("  split = { val: 0.25 }", "  split = { val: 0.25 }\n  stratify = label")
    found = opened(write_toy(tmp_path, text))
    labels = arrays()["y"]
    part = found.part("val")
    assert part.rows is not None
    for label in np.unique(labels):
        assert abs(np.sum(labels[part.rows] == label) - 0.25 * np.sum(labels == label)) < 1


def test_the_fingerprint_follows_the_data(tmp_path: Path) -> None:
    path = write_toy(tmp_path)
    first = opened(path).fingerprint
    assert opened(path).fingerprint == first
    changed = arrays()
    changed["x"][0, 0] += 1
    np.savez(tmp_path / "toy.npz", allow_pickle=False, **changed)
    assert opened(path).fingerprint != first


@pytest.mark.parametrize("part", ["train", "test"])
def test_class_ids_are_checked_in_every_part(tmp_path: Path, part: str) -> None:
    path = write_toy(tmp_path)
    changed = arrays()
    changed["y" if part == "train" else "ty"][4] = 3
    np.savez(tmp_path / "toy.npz", allow_pickle=False, **changed)
    with pytest.raises(RuntimeFault, match=rf"DL5007: field `label` has the class id 3 in row 4 .*\({part}\)"):
        opened(path, limited=True)
    assert opened(path).part(part)


def test_a_part_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(RuntimeFault, match="DL5010"):
        opened(write_toy(tmp_path)).part("dev")


INLINE = """\
dim B
model M { input x: f32[B, 2]; output y: f32[B]; param w: f32[2] = 1; y = x @ w }
data d {
  source = inline({ x: COLUMN, t: [0, 1] })
  field x: f32[2] = source["x"]
  field t: f32[] = source["t"]
}
train t { use net = M(); data = d; loss = mse(net.y, data.t) }
"""


def test_inline_rows_are_read(tmp_path: Path) -> None:
    found = opened(write(tmp_path, "d.dl", INLINE.replace("COLUMN", "[[1, 2], [3, 4.5]]")))
    assert found.part("train").fields["x"].tolist() == [[1, 2], [3, 4.5]]


@pytest.mark.parametrize("column", ["[[1, 2], [3]]", "[[1, 2]]", "[[1, 2, 3], [4, 5, 6]]", "[[1, true], [2, 3]]", "[]"])
def test_inline_rows_at_fault_are_coded(tmp_path: Path, column: str) -> None:
    with pytest.raises((DslcError, RuntimeFault), match="DL"):
        opened(write(tmp_path, "d.dl", INLINE.replace("COLUMN", column)))


SAME = """
data d {
  source = SOURCE
  field image: f32[2]  = (source["a"] - 33) / 79
  field index: i64[2]  = source["a"] - source["b"]
  field dark: bool[2]  = source["a"] - 33 < 0
  field pair: f32[2]   = source["c", "e"] - 100
  field scale: f32[2]  = standardize(source["a"] - 33)
  split = { val: 0.25 }
}
"""
BYTES = {
    "a": np.array([[0, 255], [33, 34], [112, 32], [1, 0]], np.uint8),
    "b": np.array([[255, 0], [1, 2], [3, 4], [5, 6]], np.uint8),
    "c": np.array([-128, 127, 0, 1], np.int8),
    "e": np.array([255, 0, 1, 2], np.uint8),
}


def same(folder: Path, source: str) -> Opened:
    text = SAME.replace("SOURCE", source)
    if source.startswith("csv"):
        text = text.replace('source["a"]', 'source["a0":"a1"]').replace('source["b"]', 'source["b0":"b1"]')
    checked = check_program(read_source(write(folder, "same.dl", text)))
    return open_data(checked, checked.file.datas["d"])


@pytest.fixture
def bytes_in_files(tmp_path: Path) -> Path:
    np.savez(tmp_path / "bytes.npz", **BYTES)
    rows = [",".join(map(str, [*a, *b, c, e])) for a, b, c, e in zip(*BYTES.values(), strict=True)]
    write(tmp_path, "bytes.csv", "\n".join(["a0,a1,b0,b1,c,e", *rows]) + "\n")
    for name, array in BYTES.items():
        kind = b"\x00\x00\x08" if array.dtype == np.uint8 else b"\x00\x00\x09"
        sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
        (tmp_path / f"{name}.idx").write_bytes(kind + bytes([array.ndim]) + sizes + array.tobytes())
    return tmp_path


@pytest.mark.parametrize(
    "source",
    [
        'npz("bytes.npz")',
        'csv("bytes.csv")',
        "idx(" + ", ".join(f'{name} = "{name}.idx"' for name in BYTES) + ")",
        f"inline({{ {', '.join(f'{name}: {array.tolist()}' for name, array in BYTES.items())} }})",
    ],
)
def test_numbers_of_one_byte_are_reckoned_with_as_whole_numbers_in_every_source(
    bytes_in_files: Path, source: str
) -> None:
    found = same(bytes_in_files, source)
    whole = found.whole().fields
    exact = {name: array.astype(np.int64) for name, array in BYTES.items()}
    assert np.array_equal(whole["image"], ((exact["a"] - 33) / 79).astype(np.float32))
    assert whole["index"].tolist() == [[-255, 255], [32, 32], [109, 28], [-4, -6]]
    assert whole["dark"].tolist() == [[True, False], [False, False], [False, True], [True, True]]
    assert whole["pair"].tolist() == [[-228, 155], [27, -100], [-100, -99], [-99, -98]]
    rows = exact["a"][found.part("train").rows] - 33
    assert np.allclose(whole["scale"], (exact["a"] - 33 - rows.mean(0)) / rows.std(0), rtol=1e-6)


def test_a_window_of_bytes_does_not_wrap_and_is_cut_of_what_the_file_holds(tmp_path: Path) -> None:
    np.savez(tmp_path / "series.npz", a=np.array([0, 1, 255, 254], np.uint8))
    text = 'data d {\n  source = npz("series.npz")\n  field x: i64[2] = window(source["a"], length = 2) - 33\n'
    text += '  field y: u8[2] = window(source["a"], length = 2)\n}\n'
    checked = check_program(read_source(write(tmp_path, "series.dl", text)))
    fields = open_data(checked, checked.file.datas["d"]).part("train").fields
    assert fields["x"].tolist() == [[-33, -32], [-32, 222], [222, 221]]
    assert fields["y"].tolist() == [[0, 1], [1, 255], [255, 254]]
    data = checked.file.datas["d"]
    table = open_table(tmp_path, data.sources["train"], data.fields["x"].reads)
    x, _ = compile_fields(checked, data, [*data.fields.values()], table, data.sources["train"])
    (window,) = x.program.derived.values()
    assert isinstance(window.operand, FieldProgram)
    assert window.operand.dtype == np.uint8


@pytest.mark.parametrize(
    ("first", "fault"), [(200, ""), (20, "field `x` is -13 in row 1, at [0], and u8 holds 0 to 255")]
)
def test_a_whole_number_that_its_field_does_not_hold_names_its_row(tmp_path: Path, first: int, fault: str) -> None:
    np.savez(tmp_path / "a.npz", a=np.array([[33, 34], [first, 255]], np.uint8))
    text = 'data d {\n  source = npz("a.npz")\n  field x: u8[2] = source["a"] - 33\n}\n'
    checked = check_program(read_source(write(tmp_path, "a.dl", text)))
    if not fault:
        fields = open_data(checked, checked.file.datas["d"]).part("train").fields
        assert fields["x"].tolist() == [[0, 1], [167, 222]]
        assert fields["x"].dtype == np.uint8
        return
    with pytest.raises(RuntimeFault) as caught:
        open_data(checked, checked.file.datas["d"])
    assert (caught.value.code, caught.value.message) == ("DL5070", fault)
