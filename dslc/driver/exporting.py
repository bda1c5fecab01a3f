"""A model with its weights -> an ONNX file, proved before it is put in place."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy.typing as npt

from dslc.backends.prove_onnx import Proof, prove
from dslc.backends.to_onnx import OPSET, to_onnx
from dslc.driver.models import Compiled
from dslc.lower import lower
from dslc.passes.export import optimize_for_export
from dslc.version import __version__
from dslc_runtime.errors import RuntimeFault
from dslc_runtime.files import write_atomic

__all__ = ["OPSET", "export_model", "onnx_bytes"]

FORMAT_VERSION = 1
MAX_BYTES = 2**31 - 1


def onnx_bytes(
    compiled: Compiled, params: Mapping[str, npt.NDArray[Any]], facts: Mapping[str, str] | None = None
) -> tuple[bytes, Proof]:
    """The ONNX file of a model, and what was proved of it.

    Args:
        facts: further entries of its `metadata_props`.

    Raises:
        RuntimeFault: it is too large for one file (DL6005), or the engines disagree (DL6004).
    """
    size = sum(array.nbytes for array in params.values())
    if size > MAX_BYTES - 1_000_000:
        raise RuntimeFault("DL6005", f"the parameters take {size:_} bytes; one ONNX file holds less than 2 GiB")
    typed = compiled.typed
    metadata = {
        "dslc.format_version": str(FORMAT_VERSION),
        "dslc.model": typed.name,
        "dslc.source_sha256": sha256(typed.span.source.text.encode()).hexdigest(),
        "dslc.version": __version__,
        **(facts or {}),
    }
    graph = optimize_for_export(lower(typed.body, typed.outputs))
    model = to_onnx(graph, params, name=typed.name, doc=typed.doc, metadata=metadata)
    return model.SerializeToString(deterministic=True), prove(model, compiled.graph, params)


def export_model(
    compiled: Compiled,
    params: Mapping[str, npt.NDArray[Any]],
    path: Path,
    opset: int = OPSET,
    facts: Mapping[str, str] | None = None,
) -> Proof:
    """Write a model as ONNX; `facts` are further entries of its `metadata_props`.

    Raises:
        RuntimeFault: the path does not end in `.onnx` (DL0055), the opset is not served (DL6007), and what `onnx_bytes` and
            writing raise.
    """
    if path.suffix != ".onnx" and not path.is_dir():
        help_ = "an export is ONNX; `dslc compile FILE -o OUT` writes a program in other forms"
        raise RuntimeFault("DL0055", f"`{path.name}` does not end in .onnx", help=help_)
    if opset != OPSET:
        raise RuntimeFault("DL6007", f"opset {opset} is not served; exports are written at opset {OPSET}")
    data, proof = onnx_bytes(compiled, params, facts)
    write_atomic(path, data)
    return proof
