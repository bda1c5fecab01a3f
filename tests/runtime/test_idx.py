"""IDX files: arrays as they were written, and nothing but a fault where the bytes are not those that the header claims."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from dslc_runtime.data.idx import open_idx
from dslc_runtime.errors import RuntimeFault


def idx(array: np.ndarray, code: int) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes((0, 0, code, array.ndim)) + sizes + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.mark.parametrize(
    ("dtype", "code", "read_as"),
    [("u1", 8, "u1"), ("i1", 9, "i1"), ("i2", 11, "i4"), ("i4", 12, "i4"), ("f4", 13, "f4"), ("f8", 14, "f8")],
)
@pytest.mark.parametrize("packed", [False, True])
def test_an_array_is_read_as_it_was_written(tmp_path: Path, dtype: str, code: int, read_as: str, packed: bool) -> None:
    array = np.arange(24).reshape(4, 3, 2).astype(dtype)
    raw = idx(array, code)
    (tmp_path / "x").write_bytes(gzip.compress(raw, mtime=0) if packed else raw)
    table = open_idx({"x": tmp_path / "x"})
    assert table.rows == 4
    assert table.columns["x"].shape == (3, 2)
    assert table.read("x").dtype == np.dtype(read_as)
    np.testing.assert_array_equal(table.read("x"), array)


IMAGES = idx(np.arange(12, dtype=np.uint8).reshape(3, 2, 2), 8)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "DL5002"),
        (b"PK\3\4", "DL5002"),
        (IMAGES[:9], "DL5002"),
        (IMAGES[:-1], "DL5002"),
        (IMAGES + b"\0", "DL5002"),
        (b"\0\0\7\1" + IMAGES[4:], "DL5002"),
        (b"\0\0\x08\0", "DL5002"),
        (gzip.compress(IMAGES, mtime=0)[:-9], "DL5002"),
        (b"\x1f\x8bnothing", "DL5002"),
        (bytes((0, 0, 8, 3)) + b"\xff" * 12, "DL5009"),
        (idx(np.zeros((0, 2), np.uint8), 8), "DL5008"),
    ],
)
def test_a_file_at_fault_is_coded(tmp_path: Path, raw: bytes, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sysconf", lambda name: 1 << 20)
    (tmp_path / "x").write_bytes(raw)
    with pytest.raises(RuntimeFault, match=code):
        open_idx({"x": tmp_path / "x"})


def test_files_of_different_rows_do_not_go_together(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(IMAGES)
    (tmp_path / "y").write_bytes(idx(np.arange(2, dtype=np.uint8), 8))
    with pytest.raises(RuntimeFault, match="DL5005"):
        open_idx({"x": tmp_path / "x", "y": tmp_path / "y"})


def test_damage_anywhere_is_a_fault_and_never_a_traceback(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    codes = {""}
    for raw in (IMAGES, gzip.compress(IMAGES, mtime=0)):
        for _ in range(500):
            damaged = bytearray(raw)
            start = int(rng.integers(len(damaged)))
            damaged[start : start + int(rng.integers(0, 3))] = rng.bytes(int(rng.integers(0, 3)))
            (tmp_path / "x").write_bytes(damaged)
            try:
                assert open_idx({"x": tmp_path / "x"}).read("x").size
            except RuntimeFault as fault:
                codes.add(fault.code)
    assert codes <= {"", "DL5002", "DL5008", "DL5009"}
    assert "DL5002" in codes
