"""Checkpoints: exact bytes back, no half-written file, and a clear fault for every wrong one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from dslc_runtime import checkpoint, files
from dslc_runtime.errors import RuntimeFault

TENSORS = {
    "fc1.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "scale": np.array(2.5),
    "ids": np.array([1, -2], np.int64),
    "flag": np.array([True, False]),
    "empty": np.zeros((0, 4), np.float16),
}


def fault_of(path: Path) -> RuntimeFault:
    with pytest.raises(RuntimeFault) as caught:
        checkpoint.load(path)
    return caught.value


def raw_file(path: Path, header: object, data: bytes = b"") -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    checkpoint.save(path, "weights", TENSORS, {"epoch": 3})
    back = checkpoint.load(path)
    assert back.kind == "weights"
    assert back.facts == {"epoch": 3}
    assert set(back.tensors) == set(TENSORS)
    for key, tensor in TENSORS.items():
        assert back.tensors[key].dtype == tensor.dtype
        assert back.tensors[key].shape == tensor.shape
        assert np.array_equal(back.tensors[key], tensor)
        assert back.tensors[key].flags.writeable


def test_the_official_reader_reads_our_files_and_we_read_its(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "ours", "weights", TENSORS, {})
    theirs = load_file(tmp_path / "ours")
    assert all(np.array_equal(theirs[key], tensor) for key, tensor in TENSORS.items())
    save_file(TENSORS, tmp_path / "theirs", {"format": "pt", "x": "y"})
    back = checkpoint.load(tmp_path / "theirs")
    assert back.kind == ""
    assert np.array_equal(back.tensors["fc1.weight"], TENSORS["fc1.weight"])


def test_equal_tensors_give_equal_bytes(tmp_path: Path) -> None:
    for name in "ab":
        checkpoint.save(tmp_path / name, "weights", TENSORS, {"seed": 1, "epoch": 2, "data": "x"})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_format_version_is_written_and_a_newer_one_refused(tmp_path: Path) -> None:
    path = tmp_path / "m"
    checkpoint.save(path, "weights", TENSORS, {})
    length = int.from_bytes(path.read_bytes()[:8], "little")
    header = json.loads(path.read_bytes()[8 : 8 + length])
    assert json.loads(header["__metadata__"]["dslc"])["format_version"] == checkpoint.FORMAT_VERSION
    newer = {"__metadata__": {"dslc": json.dumps({"kind": "weights", "format_version": 99})}}
    assert fault_of(raw_file(path, newer)).code == "DL5022"


ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    ("header", "data", "words"),
    [
        (b"{", b"", "not JSON"),
        (b"[1]", b"", "not a JSON object"),
        (b"[" * 100_000, b"", "not JSON"),
        (b'{"a": {"dtype":"F32","shape":[0],"data_offsets":[0,0]}, "a": 1}', b"", "twice"),
        ({"a": ENTRY}, b"1234", "needs 8 bytes"),
        ({"a": ENTRY}, b"123456789", "9 bytes of tensors"),
        ({"a": {**ENTRY, "shape": [2**40, 2**40]}}, b"12345678", "needs"),
        ({"a": {**ENTRY, "shape": [-1, -2]}}, b"12345678", "shape of `a` is malformed"),
        ({"a": {**ENTRY, "shape": [True, 2]}}, b"12345678", "shape of `a` is malformed"),
        ({"a": {**ENTRY, "dtype": "PICKLE"}}, b"12345678", "type PICKLE"),
        ({"a": {**ENTRY, "data_offsets": [-8, 0]}}, b"12345678", "needs 8 bytes"),
        ({"a": {"dtype": "F32"}}, b"", "malformed"),
        ({"a": ENTRY, "b": ENTRY}, b"12345678", "overlap"),
        ({"a": {**ENTRY, "data_offsets": [8, 16]}}, b"x" * 16, "gaps"),
        ({str(i): {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(20_001)}, b"", "20001 tensors"),
        ({"__metadata__": {"dslc": "[]"}}, b"", "metadata"),
    ],
)
def test_a_malformed_file_is_one_clear_fault(tmp_path: Path, header: object, data: bytes, words: str) -> None:
    fault = fault_of(raw_file(tmp_path / "bad", header, data))
    assert fault.code == "DL5020"
    assert words in fault.message


def test_short_absent_and_lying_files_are_faults(tmp_path: Path) -> None:
    assert "no such file" in fault_of(tmp_path / "none").message
    assert fault_of(tmp_path).code == "DL5020"
    short = tmp_path / "short"
    short.write_bytes(b"abc")
    assert "3 bytes long" in fault_of(short).message
    short.write_bytes((1 << 62).to_bytes(8, "little") + b"{}")
    assert "header claims" in fault_of(short).message
    short.write_bytes((1 << 20).to_bytes(8, "little") + b"{}")
    assert "header claims 1048576 bytes" in fault_of(short).message


def test_every_difference_to_the_model_is_told(tmp_path: Path) -> None:
    have = {"fc1.weight": np.zeros((2, 3), np.float32), "fc1.bias": np.zeros(3, np.float64), "fc3.bias": np.zeros(3)}
    want = {"fc1.weight": np.zeros((2, 4), np.float32), "fc1.bias": np.zeros(3, np.float32), "fc2.bias": np.zeros(3)}
    with pytest.raises(RuntimeFault) as caught:
        checkpoint.require_fit(tmp_path / "m", have, want)
    assert caught.value.code == "DL5021"
    assert caught.value.notes == (
        "`fc2.bias` is not in the file",
        "`fc3.bias` is in the file and not in the model; did you mean `fc2.bias`?",
        "`fc1.weight` is f32[2, 3] in the file and f32[2, 4] in the model",
        "`fc1.bias` is f64[3] in the file and f32[3] in the model",
    )
    checkpoint.require_fit(tmp_path / "m", want, want)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m"
    checkpoint.save(path, "weights", TENSORS, {})
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(RuntimeFault) as caught:
        checkpoint.save(path, "weights", {"x": np.zeros(9)}, {})
    assert caught.value.code == "DL5023"
    assert "disk is full" in caught.value.message
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["m"]


def test_a_missing_folder_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(RuntimeFault, match="DL5023"):
        checkpoint.save(tmp_path / "no" / "m", "weights", TENSORS, {})


KILLER = """
import itertools, os, pathlib, signal, sys, time
import numpy as np
from dslc_runtime import checkpoint

path = pathlib.Path(sys.argv[1])


def write_forever(first):
    for i in itertools.count(first):
        checkpoint.save(path, "weights", {"a": np.full(40_000, i, np.float32), "b": np.full(3, i, np.float32)}, {"i": i})


for kill in range(25):
    child = os.fork()
    if child == 0:
        write_forever(1000 * kill)
    time.sleep(0.03 + 0.0013 * kill)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    back = checkpoint.load(path)
    i = back.facts["i"]
    assert (back.tensors["a"] == i).all() and (back.tensors["b"] == i).all()
    print(i)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX processes")
def test_a_killed_writer_leaves_a_complete_file(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    checkpoint.save(path, "weights", {"a": np.zeros(40_000, np.float32), "b": np.zeros(3, np.float32)}, {"i": 0})
    done = subprocess.run([sys.executable, "-c", KILLER, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    seen = [int(line) for line in done.stdout.split()]
    assert len(seen) == 25
    assert len(set(seen)) > 5, "the writers were killed before they wrote anything"
    files.sweep(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["m.safetensors"]
