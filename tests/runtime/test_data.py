"""Data: only sound files are read, fields are what their expressions say, parts are disjoint and complete."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from dslc_runtime.data import (
    FieldProgram,
    Part,
    batches,
    materialise,
    memory_table,
    open_npz,
    require_ids,
    split_rows,
)
from dslc_runtime.data import fields as fields_module
from dslc_runtime.data import npz as npz_module
from dslc_runtime.errors import RuntimeFault


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    path = tmp_path / "digits.npz"
    image = np.arange(5 * 4, dtype=np.uint8).reshape(5, 2, 2)
    np.savez_compressed(path, x_train=image, y_train=np.arange(5, dtype=np.uint16), name=np.array(["a"] * 5))
    return path


def read_all(path: Path, columns: dict[str, str]) -> None:
    table = open_npz(path, columns)
    for column in columns:
        table.read(column)


def fault_of(path: Path, **columns: str) -> RuntimeFault:
    with pytest.raises(RuntimeFault) as caught:
        read_all(path, columns)
    return caught.value


def npy_header(text: str, version: bytes = b"\x01\x00") -> bytes:
    raw = text.encode() + b" " * (-(len(text) + 10 + 1) % 64) + b"\n"
    return b"\x93NUMPY" + version + len(raw).to_bytes(2, "little") + raw


def zip_of(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return path


def test_columns_are_typed_before_they_are_read(digits: Path) -> None:
    table = open_npz(digits, {"image": "x_train", "label": "y_train"})
    assert table.rows == 5
    assert table.columns["image"].dtype == np.uint8
    assert table.columns["image"].shape == (2, 2)
    assert table.columns["label"].dtype == np.int32  # u16 widens
    assert table.read("label").tolist() == [0, 1, 2, 3, 4]
    assert table.read("label").dtype == np.int32
    assert table.read("image").sum() == 190


def test_only_the_columns_asked_for_are_looked_at(digits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    real = zipfile.ZipFile.open

    def spy(self: zipfile.ZipFile, name: object, *rest: object, **more: object) -> object:
        opened.append(getattr(name, "filename", name))
        return real(self, name, *rest, **more)

    monkeypatch.setattr(zipfile.ZipFile, "open", spy)
    open_npz(digits, {"image": "x_train"}).read("image")
    assert set(opened) == {"x_train.npy"}


def test_byte_and_memory_order_do_not_matter(tmp_path: Path) -> None:
    want = np.arange(6.0).reshape(2, 3)
    np.savez(tmp_path / "a.npz", big=want.astype(">f8"), fortran=np.asfortranarray(want))
    table = open_npz(tmp_path / "a.npz", {"big": "big", "fortran": "fortran"})
    for name in ("big", "fortran"):
        column = table.read(name)
        assert np.array_equal(column, want)
        assert column.dtype.isnative
        assert column.flags.c_contiguous


def test_an_absent_file_names_its_neighbours(digits: Path) -> None:
    fault = fault_of(digits.with_name("digit.npz"), x="x_train")
    assert fault.code == "DL5001"
    assert "no such file" in fault.message
    assert fault.notes == ("that folder holds `digits.npz`",)
    assert fault_of(digits.parent, x="x").code == "DL5001"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs file permissions that bind")
def test_an_unreadable_file_is_a_fault(digits: Path) -> None:
    digits.chmod(0)
    assert "permission denied" in fault_of(digits, x="x_train").message


def test_a_missing_column_comes_with_the_near_name(digits: Path) -> None:
    fault = fault_of(digits, image="x_trian")
    assert fault.code == "DL5003"
    assert fault.notes == ("the file holds `x_train`, `y_train`, `name`",)
    assert fault.help == "did you mean `x_train`?"


def test_text_records_and_single_values_are_no_columns(digits: Path, tmp_path: Path) -> None:
    assert "holds text" in fault_of(digits, n="name").message
    np.savez(tmp_path / "a.npz", r=np.zeros(2, "i4,f4"), s=np.array(3.0), c=np.zeros(2, complex))
    for name, words in (("r", "records"), ("s", "single value"), ("c", "complex")):
        fault = fault_of(tmp_path / "a.npz", **{name: name})
        assert fault.code == "DL5004"
        assert words in fault.message


def test_pickles_are_never_read(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple:
            return os.mkdir, (str(tmp_path / "owned"),)

    np.savez(tmp_path / "a.npz", x=np.array([Evil(), Evil()], dtype=object))
    fault = fault_of(tmp_path / "a.npz", x="x")
    assert fault.code == "DL5004"
    assert "pickles" in fault.message
    assert not (tmp_path / "owned").exists()


def test_unequal_rows_and_no_rows_are_faults(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((3, 2)), y=np.zeros(4), e=np.zeros((0, 2)))
    fault = fault_of(tmp_path / "a.npz", x="x", y="y")
    assert fault.code == "DL5005"
    assert fault.notes == ("`x` has 3 rows", "`y` has 4 rows")
    assert fault_of(tmp_path / "a.npz", e="e").code == "DL5008"


@pytest.mark.parametrize(
    ("header", "data", "words"),
    [
        (
            "{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776, 2)}",
            b"x" * 16,
            "claims 17592186044416 bytes",
        ),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -2)}", b"x" * 16, "shape that is none"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", b"x" * 16, "there are 16"),
        ("{'descr': '<f8', 'shape': (2,)}", b"x" * 16, "other keys"),
        ("__import__('os').getcwd()", b"", "cannot be parsed"),
        ("(" * 3000, b"", "cannot be parsed"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (True,)}", b"x" * 8, "shape that is none"),
        ("{'descr': 'nonsense', 'fortran_order': False, 'shape': (2,)}", b"x" * 8, "type that is none"),
    ],
)
def test_a_lying_header_is_found_before_anything_is_made(tmp_path: Path, header: str, data: bytes, words: str) -> None:
    path = zip_of(tmp_path / "a.npz", x=npy_header(header) + data)
    fault = fault_of(path, x="x")
    assert fault.code == "DL5002"
    assert words in fault.message


def test_damage_anywhere_is_a_fault_and_never_a_traceback(digits: Path) -> None:
    whole = digits.read_bytes()
    source = np.random.default_rng(0)
    codes: set[str] = set()
    for _ in range(300):
        raw = bytearray(whole)
        for position in source.integers(0, len(raw), source.integers(1, 4)):
            raw[position] = source.integers(0, 256)
        digits.write_bytes(bytes(raw[: source.integers(1, len(raw) + 1)]) if source.random() < 0.3 else bytes(raw))
        try:
            read_all(digits, {"x": "x_train", "y": "y_train"})
        except RuntimeFault as fault:
            codes.add(fault.code)
    assert "DL5002" in codes
    assert codes <= {"DL5002", "DL5003", "DL5004", "DL5005", "DL5008"}


def test_other_formats_and_versions_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"x,y\n1,2\n")
    assert "not a sound .npz archive" in fault_of(tmp_path / "a.npz", x="x").message
    zip_of(tmp_path / "b.npz", x=npy_header("{}", b"\x09\x00"))
    assert "known version" in fault_of(tmp_path / "b.npz", x="x").message


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npz_module, "BOMB_BYTES", 1 << 16)
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros((100_000,)))
    fault = fault_of(tmp_path / "a.npz", x="x")
    assert fault.code == "DL5002"
    assert "would unpack" in fault.message


def test_more_than_the_machines_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros(10_000))
    monkeypatch.setattr(os, "sysconf", lambda name: 200)
    assert fault_of(tmp_path / "a.npz", x="x").code == "DL5009"


def test_a_fingerprint_changes_with_the_data(tmp_path: Path) -> None:
    prints = []
    for value in (1.0, 1.0, 2.0):
        np.savez(tmp_path / "a.npz", x=np.full(4, value))
        prints.append(open_npz(tmp_path / "a.npz", {"x": "x"}).fingerprint)
    assert prints[0] == prints[1] != prints[2]
    assert memory_table({"x": [1]}).fingerprint != memory_table({"x": [2]}).fingerprint
    assert memory_table({"x": [1]}).fingerprint != memory_table({"x": [1.0]}).fingerprint


def test_inline_rows_are_a_table() -> None:
    table = memory_table({"x": [[0, 1], [1, 1]], "y": [0.5, 1]})
    assert table.rows == 2
    assert table.columns["x"].dtype == np.int64
    assert table.columns["x"].shape == (2,)
    assert table.columns["y"].dtype == np.float64
    assert table.read("y").tolist() == [0.5, 1]
    for columns, code in (({"x": [[1], [1, 2]]}, "DL5004"), ({"x": 3}, "DL5004"), ({"x": [1], "y": [1, 2]}, "DL5005")):
        with pytest.raises(RuntimeFault, match=code):
            memory_table(columns)
    with pytest.raises(RuntimeFault, match="DL5004"):
        memory_table({"x": np.array([2**63], np.uint64)})


def scaled(name: str = "image", column: str = "image") -> FieldProgram:
    return FieldProgram(name, np.dtype("f4"), (2, 2), (column,), lambda chunk: chunk[column] / np.float32(10))


def test_fields_are_the_same_in_chunks_as_whole(digits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = open_npz(digits, {"image": "x_train"})
    whole = materialise(table, [scaled()])
    sizes = []

    def apply(chunk: dict) -> np.ndarray:
        sizes.append(len(chunk["image"]))
        return chunk["image"] / np.float32(10)

    monkeypatch.setattr(fields_module, "CHUNK_BYTES", 32)
    chunked = materialise(table, [FieldProgram("image", np.dtype("f4"), (2, 2), ("image",), apply)])
    assert sizes == [2, 2, 1]
    assert np.array_equal(chunked["image"], whole["image"])
    assert whole["image"].dtype == np.float32


def test_a_value_that_is_not_finite_names_its_row() -> None:
    x = np.ones((6, 2, 2))
    x[4, 1, 0] = np.nan
    with pytest.raises(RuntimeFault) as caught:
        materialise(memory_table({"image": x}), [scaled()])
    assert caught.value.code == "DL5006"
    assert caught.value.message == "field `image` is nan in row 4, at [1, 0]"
    assert "did" not in caught.value.help


def test_class_ids_outside_the_model_name_their_row() -> None:
    require_ids("f.npz", "label", np.array([0, 9, 3]), 10, "classes", "the model")
    for ids, row in (([0, 10], 1), ([-1, 0], 0)):
        with pytest.raises(RuntimeFault) as caught:
            require_ids("f.npz", "label", np.array(ids), 10, "classes", "the model")
        assert caught.value.code == "DL5007"
        assert f"in row {row}" in caught.value.message


def test_ids_outside_a_table_say_how_many_rows_it_has() -> None:
    with pytest.raises(RuntimeFault, match="field `tokens` has the id 12 in row 1") as caught:
        require_ids("f.npz", "tokens", np.array([[0, 9], [3, 12]]), 10, "rows", "the table `emb.weight`")
    assert caught.value.notes == ("`tokens` holds ids from 0 to 12; the table `emb.weight` has rows 0 to 9",)


@pytest.mark.parametrize("n", [10, 97, 1000])
@pytest.mark.parametrize("shares", [{"val": 0.1}, {"val": 0.2, "test": 0.3}, {"train": 0.5, "val": 0.25, "test": 0.25}])
@pytest.mark.parametrize("stratified", [False, True])
def test_parts_are_disjoint_complete_and_the_right_size(n: int, shares: dict, stratified: bool) -> None:
    labels = np.arange(n) % 3 if stratified else None
    parts = split_rows(n, shares, 7, labels)
    assert np.array_equal(np.sort(np.concatenate(list(parts.values()))), np.arange(n))
    for name, share in shares.items():
        if name != "train":
            assert len(parts[name]) == round(share * n)
    assert all(np.array_equal(parts[name], rows) for name, rows in split_rows(n, shares, 7, labels).items())


def test_a_share_that_rounds_to_nothing_is_a_fault() -> None:
    for shares in ({"val": 0.1}, {"val": 0.9}):
        with pytest.raises(RuntimeFault, match="DL5008"):
            split_rows(3, shares, 7)


def test_another_seed_splits_otherwise() -> None:
    assert not np.array_equal(split_rows(100, {"val": 0.2}, 1)["val"], split_rows(100, {"val": 0.2}, 2)["val"])


def test_a_stratified_part_has_its_share_of_every_class() -> None:
    labels = np.repeat([0, 1, 2, 7], [700, 200, 97, 3])
    parts = split_rows(1000, {"val": 0.1, "test": 0.2}, 3, labels)
    for part, share in (("val", 0.1), ("test", 0.2)):
        for value, size in ((0, 700), (1, 200), (2, 97), (7, 3)):
            assert abs(np.count_nonzero(labels[parts[part]] == value) - share * size) < 1
    assert np.count_nonzero(labels[parts["train"]] == 7) >= 1


def test_batches_cover_every_row_once_and_keep_the_short_one() -> None:
    part = Part({"x": np.zeros((10, 2))}, np.array([9, 2, 4, 6, 8]))
    assert [rows.tolist() for rows in batches(part, 2)] == [[9, 2], [4, 6], [8]]
    assert len(part) == 5
    assert [len(rows) for rows in batches(Part({"x": np.zeros((10, 2))}), 4)] == [4, 4, 2]


def test_a_header_read_from_numpy_agrees() -> None:
    """The hand-made header of the tests above is one NumPy reads, so those tests test what they say."""
    raw = npy_header("{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}") + np.array([1.0, 2.0]).tobytes()
    assert np.load(io.BytesIO(raw)).tolist() == [1.0, 2.0]
