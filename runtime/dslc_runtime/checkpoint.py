"""Tensors on disk: safetensors files with a format version, written atomically, read with suspicion.

`save` and `load` move named arrays; `Checkpoint` is what they hold. What the tensors mean is the caller's (`run_folder`).
A file may come from a stranger: every size in its header is compared with the bytes there are before anything is made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save as to_bytes

from dslc_runtime.errors import RuntimeFault, listed, near_name, why
from dslc_runtime.files import write_atomic

Array: TypeAlias = npt.NDArray[Any]

FORMAT_VERSION = 1
MAX_HEADER = 8 << 20  # bytes of JSON
MAX_TENSORS = 20_000

_DTYPES = {
    "F16": "<f2",
    "F32": "<f4",
    "F64": "<f8",
    "I8": "<i1",
    "U8": "<u1",
    "I32": "<i4",
    "I64": "<i8",
    "BOOL": "|b1",
}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Named tensors, and facts about them that are JSON. `kind` is "" for a file of another program."""

    tensors: Mapping[str, Array]
    kind: str
    facts: Mapping[str, Any]


def save(path: Path, kind: str, tensors: Mapping[str, Array], facts: Mapping[str, Any]) -> None:
    """Write tensors and facts; equal arguments give equal bytes.

    Raises:
        RuntimeFault: DL5023, the file could not be written; the one that was there is untouched.
    """
    # One entry only: the library writes several in an order that changes from process to process.
    about = json.dumps({"kind": kind, "format_version": FORMAT_VERSION, **facts}, sort_keys=True)
    whole = {name: np.asarray(tensor, order="C") for name, tensor in tensors.items()}
    write_atomic(path, to_bytes(whole, {"dslc": about}))


def load(path: Path) -> Checkpoint:
    """Read a safetensors file whole.

    Raises:
        RuntimeFault: DL5020 the file is absent, damaged or over a limit, DL5022 a newer version of dslc wrote it.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise RuntimeFault("DL5020", f"`{path.name}` could not be read: {why(error)}", str(path)) from error
    header, start = _header(path, raw)
    kind, facts = _about(path, header.pop("__metadata__", {}))
    if len(header) > MAX_TENSORS:
        raise _damaged(path, f"it holds {len(header)} tensors; at most {MAX_TENSORS} are read")
    ends = [_check_entry(path, name, entry, len(raw) - start) for name, entry in header.items()]
    position = 0
    for begin, end in sorted(ends):
        if begin != position:
            raise _damaged(path, "its tensors overlap or leave gaps")
        position = end
    if position != len(raw) - start:
        raise _damaged(path, f"it holds {len(raw) - start} bytes of tensors, its header describes {position}")
    return Checkpoint({name: _tensor(raw, start, entry) for name, entry in header.items()}, kind, facts)


def require_fit(path: Path, tensors: Mapping[str, Array], expected: Mapping[str, Array], what: str = "model") -> None:
    """Check that a file's tensors are exactly those expected: keys, shapes, dtypes.

    Raises:
        RuntimeFault: DL5021, with every difference as a note.
    """
    notes = [f"`{key}` is not in the file" for key in expected if key not in tensors]
    for key in tensors:
        if key not in expected:
            hint = near_name(key, [name for name in expected if name not in tensors])
            notes.append(f"`{key}` is in the file and not in the {what}" + (f"; {hint}" if hint else ""))
    for key in expected:
        if key in tensors and tensor_type(tensors[key]) != tensor_type(expected[key]):
            notes.append(
                f"`{key}` is {tensor_type(tensors[key])} in the file and {tensor_type(expected[key])} in the {what}"
            )
    if notes:
        shown = notes[:12] + ([f"and {len(notes) - 12} more differences"] if len(notes) > 12 else [])
        raise RuntimeFault(
            "DL5021",
            f"the tensors of `{path.name}` are not those of this {what}",
            str(path),
            shown,
            "use the program and the settings the file was saved with (`config.dl` of its run)",
        )


def tensor_type(array: Array) -> str:
    """A tensor's type as the language writes it."""
    names = {"float": "f", "int": "i", "uint": "u"}
    kind = array.dtype.name.rstrip("0123456789")
    return f"{names.get(kind, kind)}{array.dtype.name[len(kind) :]}[{', '.join(map(str, array.shape))}]"


def _damaged(path: Path, how: str) -> RuntimeFault:
    return RuntimeFault("DL5020", f"`{path.name}` is not a readable safetensors file: {how}", str(path))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice in its header")
    return found


def _header(path: Path, raw: bytes) -> tuple[dict[str, Any], int]:
    """The parsed header and the offset of the first tensor byte."""
    if len(raw) < 8:
        raise _damaged(path, f"it is {len(raw)} bytes long")
    length = int.from_bytes(raw[:8], "little")
    if length > MAX_HEADER:
        raise _damaged(path, f"its header claims {length} bytes; at most {MAX_HEADER} are read")
    if 8 + length > len(raw):
        raise _damaged(path, f"its header claims {length} bytes and the file has {len(raw) - 8}")
    try:
        header: object = json.loads(raw[8 : 8 + length].decode(), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"its header is not JSON ({error})") from error
    if not isinstance(header, dict):
        raise _damaged(path, "its header is not a JSON object")
    return cast("dict[str, Any]", header), 8 + length


def _about(path: Path, metadata: object) -> tuple[str, dict[str, Any]]:
    """The kind and the facts; ("", {}) for a file of another program."""
    text: object = cast("dict[str, Any]", metadata).get("dslc") if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        return "", {}
    try:
        about: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, "its dslc metadata is not JSON") from error
    if not isinstance(about, dict):
        raise _damaged(path, "its dslc metadata is not a JSON object")
    facts = cast("dict[str, Any]", about)
    version: object = facts.pop("format_version", None)
    if not isinstance(version, int) or version < 1:
        raise _damaged(path, "its dslc metadata has no format version")
    if version > FORMAT_VERSION:
        raise RuntimeFault(
            "DL5022",
            f"`{path.name}` has format version {version}; this dslc reads up to {FORMAT_VERSION}",
            str(path),
            help="update dslc",
        )
    return str(facts.pop("kind", "")), facts


def _check_entry(path: Path, name: str, entry: object, available: int) -> tuple[int, int]:
    """The byte range of a tensor, proved to lie in the file and to fit its shape; sizes are Python integers throughout."""
    match entry:
        case {"dtype": str(dtype), "shape": list(), "data_offsets": [int(begin), int(end)]}:
            shape = cast("list[Any]", cast("dict[str, Any]", entry)["shape"])
        case _:
            raise _damaged(path, f"the entry of `{name}` is malformed")
    if dtype not in _DTYPES:
        raise _damaged(path, f"`{name}` has the type {dtype}; known are {listed(_DTYPES)}")
    if len(shape) > 32 or not all(type(size) is int and size >= 0 for size in shape):
        raise _damaged(path, f"the shape of `{name}` is malformed")
    need = prod(shape) * np.dtype(_DTYPES[dtype]).itemsize
    if not 0 <= begin <= end <= available or end - begin != need:
        raise _damaged(path, f"`{name}` needs {need} bytes, its header gives it {begin} to {end} of {available}")
    return begin, end


def _tensor(raw: bytes, start: int, entry: Mapping[str, Any]) -> Array:
    begin = start + int(entry["data_offsets"][0])
    shape = tuple(entry["shape"])
    dtype = np.dtype(_DTYPES[entry["dtype"]])
    array = np.frombuffer(raw, dtype, prod(shape), begin)
    return array.reshape(shape).astype(dtype.newbyteorder("="), copy=True)
