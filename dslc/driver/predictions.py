"""Results of `predict` -> npz, npy, csv and json."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dslc.driver.rows import FORMATS
from dslc_runtime.errors import RuntimeFault, listed
from dslc_runtime.files import write_atomic

Array = npt.NDArray[Any]


def as_json(results: Mapping[str, Array]) -> str:
    """Results as a JSON object of nested lists, in ASCII; numbers that JSON cannot say become null."""
    return json.dumps({name: _plain(array) for name, array in results.items()})


def _plain(array: Array) -> Any:
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        array = array.astype(object)
        array[~np.isfinite(array.astype(np.float64))] = None
    return array.tolist()


def write_results(path: Path, results: Mapping[str, Array], labels: Mapping[str, Array] | None = None) -> None:
    """Write results by the ending of the path.

    Args:
        labels: text by name, which stands beside them; .npy has no place for it.

    Raises:
        RuntimeFault: the ending is unknown or does not suit (DL5002), or the file cannot be written (DL5023).
    """
    if path.suffix not in FORMATS:
        raise RuntimeFault("DL5002", f"`{path}` does not end in one of {', '.join(FORMATS)}")
    buffer = io.BytesIO()
    if path.suffix == ".npz":
        np.savez(buffer, allow_pickle=False, **results, **(labels or {}))
    elif path.suffix == ".npy":
        if len(results) != 1:
            help_ = "use .npz for several"
            raise RuntimeFault("DL5002", f".npy holds one array, and the outputs are {listed(results)}", help=help_)
        np.save(buffer, next(iter(results.values())), allow_pickle=False)
    elif path.suffix == ".csv":
        buffer.write(_csv_text({**results, **(labels or {})}).encode("utf-8", "surrogatepass"))
    else:
        buffer.write((as_json({**results, **(labels or {})}) + "\n").encode())
    write_atomic(path, buffer.getvalue())


def _csv_text(results: Mapping[str, Array]) -> str:
    """One row per row, one column per element: `y` for numbers, `y_0`, `y_1`, ... for more."""
    header: list[str] = []
    blocks: list[Array] = []
    for name, array in results.items():
        rows = array.reshape(len(array) if array.ndim else 1, -1)
        header += [name] if array.ndim <= 1 else [f"{name}_{i}" for i in range(rows.shape[1])]
        blocks.append(rows)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    for cells in zip(*blocks, strict=False):
        writer.writerow([value for block in cells for value in block.tolist()])
    return text.getvalue()
