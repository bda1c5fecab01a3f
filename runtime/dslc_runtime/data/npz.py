"""NumPy archives as tables: the directory and the headers are read and proved first, columns only when asked for.

A file may come from a stranger. Pickles are never read, sizes are worked out in Python integers and compared with the bytes
there are before anything is allocated, and an archive that unpacks to absurdly more than it holds is refused.
"""

from __future__ import annotations

import ast
import errno
import zipfile
import zlib
from collections.abc import Collection, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from math import prod
from pathlib import Path
from typing import IO, Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from dslc_runtime.data.memory import require_memory
from dslc_runtime.data.table import TEXT, Column, as_read, readable_dtype, require_equal_rows
from dslc_runtime.data.text_file import cannot_read
from dslc_runtime.errors import RuntimeFault, listed, near_name

Array: TypeAlias = npt.NDArray[Any]

MAX_ENTRIES = 10_000
MAX_HEADER = 10_000  # bytes, as in NumPy itself
BOMB_BYTES = 256 << 20  # an entry below this is never called a bomb
_VERSIONS = ((1, 0), (2, 0), (3, 0))
BOMB_RATIO = 200  # deflate can reach 1032; real arrays stay far below


@dataclass(frozen=True, slots=True)
class NpzTable:
    """An archive whose asked-for columns are proved readable."""

    path: Path
    rows: int
    columns: Mapping[str, Column]
    fingerprint: str
    _members: Mapping[str, str]

    @property
    def name(self) -> str:
        return str(self.path)

    def place(self, row: int) -> str:
        return f"row {row}"

    def read(self, name: str) -> Array:
        """The column, native and contiguous.

        Raises:
            RuntimeFault: DL5002, the stored bytes are damaged, or DL5009, they do not fit into memory.
        """
        with _archive(self.path) as archive, archive.open(self._members[name]) as member:
            try:
                stored: Array = npy.read_array(member, allow_pickle=False)
            except MemoryError as error:
                raise RuntimeFault("DL5009", f"column `{name}` does not fit into memory", self.name) from error
        if self.columns[name].dtype == TEXT:
            return np.array(stored.tolist(), TEXT)
        return as_read(self.name, name, stored)


def open_npz(path: Path, columns: Mapping[str, str], text: Collection[str] = ()) -> NpzTable:
    """Open an archive for some of its arrays.

    Args:
        columns: name in the program -> name in the file.
        text: the columns that may hold strings, one for each row.

    Raises:
        RuntimeFault: DL5001 to DL5005, DL5008, DL5009.
    """
    with _archive(path) as archive:
        entries = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        if len(entries) > MAX_ENTRIES:
            raise _damaged(path, f"it holds {len(entries)} arrays; at most {MAX_ENTRIES} are read")
        for stored in columns.values():
            if stored not in entries:
                raise _missing(path, stored, list(entries))
        chosen = {column: entries[stored] for column, stored in columns.items()}
        headers = {
            column: _header(path, archive, columns[column], info, column in text) for column, info in chosen.items()
        }
    require_memory(path, sum(info.file_size for info in chosen.values()))
    rows = require_equal_rows(str(path), {column: shape[0] for column, (shape, _) in headers.items()})
    return NpzTable(
        path,
        rows,
        {column: Column(dtype, shape[1:]) for column, (shape, dtype) in headers.items()},
        _fingerprint(chosen),
        {column: info.filename for column, info in chosen.items()},
    )


def array_names(path: Path) -> list[str]:
    """The names of the arrays in an archive.

    Raises:
        RuntimeFault: DL5001, DL5002.
    """
    with _archive(path) as archive:
        return [info.filename.removesuffix(".npy") for info in archive.infolist()[:MAX_ENTRIES]]


@contextmanager
def _archive(path: Path) -> Generator[zipfile.ZipFile]:
    """The open archive; whatever goes wrong inside is the file's fault."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except OSError as error:
        if error.errno == errno.EINVAL:  # a seek to a place the archive's directory made up
            raise _damaged(path, "its directory points outside the file") from error
        raise cannot_read(path, error) from error
    except zipfile.BadZipFile as error:
        raise _damaged(path, f"it is not a sound .npz archive ({str(error).lower()})") from error
    except (zlib.error, ValueError, EOFError, NotImplementedError, RuntimeError, SyntaxError) as error:
        raise _damaged(path, str(error).splitlines()[0] if str(error) else type(error).__name__) from error


def _header(
    path: Path, archive: zipfile.ZipFile, name: str, info: zipfile.ZipInfo, text: bool
) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and read type of an array, proved to agree with the bytes there are."""
    if info.file_size > BOMB_BYTES and info.file_size > BOMB_RATIO * info.compress_size:
        raise _damaged(path, f"`{name}` would unpack from {info.compress_size} to {info.file_size} bytes")
    with archive.open(info) as member:
        shape, dtype = _parse_header(path, name, member)
        start = member.tell()
    readable = TEXT if text and dtype.kind == "U" and len(shape) == 1 else readable_dtype(str(path), name, dtype)
    claimed = prod(shape) * dtype.itemsize
    if claimed != info.file_size - start:
        raise _damaged(path, f"the header of `{name}` claims {claimed} bytes, there are {info.file_size - start}")
    if not shape:
        raise RuntimeFault(
            "DL5004", f"column `{name}` is a single value, not an array with one row per sample", str(path)
        )
    return shape, readable


def _parse_header(path: Path, name: str, member: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and stored type from an .npy header. NumPy's own reader also mends headers of Python 2; nothing is mended here."""
    start = member.read(8)
    if start[:6] != npy.MAGIC_PREFIX or tuple(start[6:]) not in _VERSIONS:
        raise _damaged(path, f"`{name}` is not an .npy array of a known version")
    length = int.from_bytes(member.read(2 if start[6] == 1 else 4), "little")
    if length > MAX_HEADER:
        raise _damaged(path, f"the header of `{name}` claims {length} bytes; at most {MAX_HEADER} are read")
    try:
        header: Any = ast.literal_eval(member.read(length).decode("latin-1" if start[6] < 3 else "utf-8"))
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise _damaged(path, f"the header of `{name}` cannot be parsed") from error
    match header:
        case {"descr": str() | list(), "fortran_order": bool(), "shape": tuple()} if len(header) == 3:
            shape = cast("tuple[Any, ...]", header["shape"])
        case _:
            raise _damaged(path, f"the header of `{name}` has other keys than an .npy file")
    if len(shape) > 32 or not all(type(size) is int and size >= 0 for size in shape):
        raise _damaged(path, f"the header of `{name}` has a shape that is none")
    try:
        return shape, npy.descr_to_dtype(header["descr"])
    except (TypeError, ValueError, IndexError, KeyError, SyntaxError) as error:
        raise _damaged(path, f"the header of `{name}` has a type that is none") from error


def _missing(path: Path, name: str, known: list[str]) -> RuntimeFault:
    notes = [f"the file holds {listed(known)}"]
    return RuntimeFault(
        "DL5003", f"there is no array `{name}` in `{path.name}`", str(path), notes, near_name(name, known)
    )


def _damaged(path: Path, how: str) -> RuntimeFault:
    return RuntimeFault("DL5002", f"`{path.name}` cannot be used: {how}", str(path))


def _fingerprint(chosen: Mapping[str, zipfile.ZipInfo]) -> str:
    """From the archive's own checksums, so that it costs no reading."""
    digest = blake2b(digest_size=16)
    for column, info in sorted(chosen.items()):
        digest.update(f"{column}:{info.filename}:{info.file_size}:{info.CRC:08x};".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
