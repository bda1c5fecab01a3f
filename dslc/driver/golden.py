"""Golden files: frozen values as JSON, beside the program that expects them and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from dslc_runtime.errors import RuntimeFault, why
from dslc_runtime.files import cannot_write, write_atomic

Array = npt.NDArray[Any]

FORMAT_VERSION = 1
MAX_BYTES = 50_000_000


def golden_path(folder: Path, written: str) -> Path:
    """Where a golden lies: a path relative to the program's folder and inside it, symbolic links resolved.

    Raises:
        RuntimeFault: it lies outside (DL5051).
    """
    path = (folder / written).resolve()
    if not path.is_relative_to(folder.resolve()) or path.suffix != ".json":
        raise RuntimeFault(
            "DL5051",
            f"golden {json.dumps(written)} is not a `.json` file inside the program's folder",
            help="goldens are kept beside the program: `golden/name.json`",
        )
    return path


def read_golden(path: Path) -> Array:
    """The frozen array.

    Raises:
        RuntimeFault: the file is missing or damaged (DL5051), or of a newer format (DL5022).
    """
    try:
        raw = path.read_bytes() if path.stat().st_size <= MAX_BYTES else b""
        found: object = json.loads(raw)
    except FileNotFoundError as error:
        help_ = "`dslc test --update` writes it"
        raise RuntimeFault("DL5051", f"golden `{path.name}` does not exist", str(path), help=help_) from error
    except OSError as error:
        raise RuntimeFault("DL5051", f"golden `{path.name}` cannot be read: {why(error)}", str(path)) from error
    except (ValueError, RecursionError) as error:
        raise _damaged(path) from error
    return _array(path, found)


def _array(path: Path, found: object) -> Array:
    match found:
        case {"format_version": int(version)} if version > FORMAT_VERSION:
            raise RuntimeFault("DL5022", f"`{path.name}` has format version {version}", str(path), help="update dslc")
        case {"format_version": int(), "dtype": str(dtype), "shape": list(), "values": list() | int() | float()}:
            facts = cast("dict[str, Any]", found)
        case _:
            raise _damaged(path)
    try:
        array = np.array(facts["values"], np.dtype(dtype))
    except (ValueError, TypeError, OverflowError) as error:
        raise _damaged(path) from error
    if array.dtype.kind not in "biuf" or list(array.shape) != facts["shape"]:
        raise _damaged(path)
    return array


def _damaged(path: Path) -> RuntimeFault:
    help_ = "`dslc test --update` writes it anew"
    return RuntimeFault("DL5051", f"`{path.name}` is not a golden file", str(path), help=help_)


def write_golden(path: Path, array: Array) -> None:
    """Freeze an array; floats are written so that they read back to the same bits.

    Raises:
        RuntimeFault: the file cannot be written (DL5023).
    """
    facts = {
        "format_version": FORMAT_VERSION,
        "dtype": array.dtype.name,
        "shape": list(array.shape),
        "values": array.tolist(),
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(path.parent, error) from error
    write_atomic(path, (json.dumps(facts, allow_nan=True) + "\n").encode())
