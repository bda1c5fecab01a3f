"""Golden files: what is written reads back to the same bits, and nothing leaves the program's folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dslc.driver.golden import golden_path, read_golden, write_golden
from dslc_runtime.errors import RuntimeFault


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "uint8", "int64", "bool"])
def test_arrays_read_back_to_the_same_bits(tmp_path: Path, dtype: str) -> None:
    generator = np.random.Generator(np.random.Philox(1))
    array = (generator.standard_normal((3, 4)) * 50).astype(dtype)
    write_golden(tmp_path / "a" / "g.json", array)
    found = read_golden(tmp_path / "a" / "g.json")
    assert found.dtype == array.dtype
    assert found.tobytes() == array.tobytes()


@pytest.mark.parametrize("array", [np.float32(0.1), np.zeros((0,)), np.array([np.nan, np.inf, -np.inf, -0.0])])
def test_odd_arrays_read_back_too(tmp_path: Path, array: np.ndarray) -> None:
    array = np.asarray(array)
    write_golden(tmp_path / "g.json", array)
    found = read_golden(tmp_path / "g.json")
    assert (found.shape, found.dtype, found.tobytes()) == (array.shape, array.dtype, array.tobytes())


@pytest.mark.parametrize("written", ["../g.json", "/g.json", "a/../../g.json", "g.txt", "", "."])
def test_paths_out_of_the_folder_are_refused(tmp_path: Path, written: str) -> None:
    with pytest.raises(RuntimeFault, match="DL5051"):
        golden_path(tmp_path, written)


def test_paths_inside_may_go_up_and_down(tmp_path: Path) -> None:
    assert golden_path(tmp_path, "a/../b/g.json") == tmp_path.resolve() / "b" / "g.json"


@pytest.mark.parametrize(
    "text",
    [
        '{"format_version": 1, "dtype": "float32", "shape": [2], "values": [1]}',
        '{"format_version": 1, "dtype": "float32", "shape": [2], "values": [1, [2]]}',
        '{"format_version": 1, "dtype": "int8", "shape": [1], "values": [1000]}',
        '{"format_version": 1, "dtype": "nonsense", "shape": [1], "values": [1]}',
        '{"format_version": 1, "dtype": "float32,int8", "shape": [1], "values": [1]}',
        '{"format_version": 1, "dtype": "U3", "shape": [1], "values": ["abc"]}',
        '{"dtype": "float32", "shape": [1], "values": [1]}',
        "\x00",
        "[" * 100_000,
    ],
)
def test_damaged_files_are_faults(tmp_path: Path, text: str) -> None:
    path = tmp_path / "g.json"
    path.write_text(text)
    with pytest.raises(RuntimeFault, match="DL5051"):
        read_golden(path)


def test_a_failed_write_keeps_the_golden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "g.json"
    write_golden(path, np.ones(2))
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(RuntimeFault, match="DL5023"):
        write_golden(path, np.zeros(2))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
