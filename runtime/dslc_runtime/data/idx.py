"""IDX files, as MNIST comes in, plain or gzipped: a file is one array, and a table has a file for each column.

The header is read and compared with the bytes there are before anything is made of them.
Format: two zero bytes, the element type, the number of axes, the sizes (u32), the elements; all big-endian.
Source: Y. LeCun, C. Cortes, "The MNIST database of handwritten digits".
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from hashlib import blake2b
from io import BufferedIOBase
from math import prod
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from dslc_runtime.data.memory import require_memory
from dslc_runtime.data.table import Column, MemoryTable, as_read, require_equal_rows
from dslc_runtime.data.text_file import cannot_read
from dslc_runtime.errors import RuntimeFault

Array: TypeAlias = npt.NDArray[Any]

_TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
_GZIP = b"\x1f\x8b"
_PIECE = 1 << 20


def open_idx(files: Mapping[str, Path]) -> MemoryTable:
    """The arrays of some files as columns.

    Raises:
        RuntimeFault: DL5001 a file cannot be read, DL5002 it is damaged or of another format, DL5004, DL5005, DL5008, DL5009.
    """
    digest = blake2b(digest_size=16)
    arrays: dict[str, Array] = {}
    for column, path in files.items():
        try:
            stored = _read(path)
        except OSError as error:
            raise cannot_read(path, error) from error
        except (EOFError, zlib.error) as error:
            raise _damaged(path, "it is no sound gzip file") from error
        except MemoryError as error:
            raise RuntimeFault("DL5009", f"`{path.name}` does not fit into memory", str(path)) from error
        digest.update(f"{column}:{stored.dtype.str}:{stored.shape};".encode())
        digest.update(stored.tobytes())
        arrays[column] = as_read(str(path), column, stored)
    name = ", ".join(dict.fromkeys(str(path) for path in files.values()))
    rows = require_equal_rows(name, {column: len(array) for column, array in arrays.items()})
    columns = {column: Column(array.dtype, array.shape[1:]) for column, array in arrays.items()}
    return MemoryTable(name, rows, columns, arrays, None, digest.hexdigest())


def _read(path: Path) -> Array:
    with path.open("rb") as plain:
        packed = plain.read(2) == _GZIP
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            return _array(path, file)
    except gzip.BadGzipFile as error:
        raise _damaged(path, "it is no sound gzip file") from error


def _array(path: Path, file: BufferedIOBase) -> Array:
    """The array, of which no more bytes are read than its header says, and one to see that it ends there."""
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in _TYPES:
        raise _damaged(path, "it is not an IDX file")
    sizes = file.read(4 * start[3])
    if len(sizes) < 4 * start[3]:
        raise _damaged(path, "its header is cut short")
    shape = tuple(int.from_bytes(sizes[at : at + 4], "big") for at in range(0, len(sizes), 4))
    if not 1 <= len(shape) <= 32:
        raise _damaged(path, f"its header has {len(shape)} axes")
    dtype = np.dtype(_TYPES[start[2]])
    claimed = prod(shape) * dtype.itemsize
    require_memory(path, claimed)
    held = bytearray()
    while len(held) <= claimed and (piece := file.read(min(_PIECE, claimed + 1 - len(held)))):
        held += piece
    if len(held) != claimed:
        there = "more" if len(held) > claimed else str(len(held))
        raise _damaged(path, f"its header claims {claimed} bytes, there are {there}")
    return np.frombuffer(held, dtype).reshape(shape)


def _damaged(path: Path, how: str) -> RuntimeFault:
    return RuntimeFault("DL5002", f"`{path.name}` cannot be used: {how}", str(path))
