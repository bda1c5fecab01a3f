"""Opening data blocks: parts, fields, fingerprints, class ids."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from toy import TOY, arrays, write, write_toy

from dslc.check.id_limits import id_limits
from dslc.diagnostics import DslcError
from dslc.driver.data import Opened, open_data
from dslc.driver.frontend import check_program, read_source
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
