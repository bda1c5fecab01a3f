"""What is installed and which engines and devices really work: a session is opened and run on each."""

from __future__ import annotations

import importlib.metadata
import platform
from dataclasses import dataclass

import numpy as np

from dslc.backends.to_onnx import to_onnx
from dslc.graph import Builder
from dslc.tensor_type import DType, TensorType, symbol
from dslc_runtime import ort
from dslc_runtime.errors import RuntimeFault
from dslc_runtime.threads import describe

_PACKAGES = ("dslc", "numpy", "onnx", "networkx", "safetensors", "rich", "onnxruntime", "onnxruntime-gpu")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: what was looked at, whether it works, and what is to be said of it."""

    subject: str
    works: bool
    text: str
    help: str = ""
    required: bool = False


def examine() -> list[Finding]:
    """Look at Python, the packages, the BLAS library, and each engine on each device."""
    findings = [Finding("python", True, f"{platform.python_version()} on {platform.platform(terse=True)}")]
    findings += [
        _package(name) for name in _PACKAGES if name not in ("onnxruntime", "onnxruntime-gpu") or _installed(name)
    ]
    findings.append(_blas())
    runtimes = ort.packages()
    if len(runtimes) > 1:
        text = "two packages write into one folder: " + ", ".join(f"{name} {v}" for name, v in runtimes.items())
        help_ = "remove both with `pip uninstall onnxruntime onnxruntime-gpu`, then install one again"
        findings.append(Finding("onnx runtime", False, text, help_))
    findings.append(Finding("engine numpy, cpu", True, "trains, predicts, exports", required=True))
    findings += [_engine(device) for device in ort.devices()]
    return findings


def _installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _package(name: str) -> Finding:
    if not _installed(name):
        return Finding(name, False, "not installed", f"install it with `pip install {name}`", required=True)
    return Finding(name, True, importlib.metadata.version(name), required=True)


def _blas() -> Finding:
    pools = describe()
    if not pools:
        return Finding("blas", False, "NumPy uses no BLAS library that can be recognised; products will be slow")
    pool = pools[0]
    text = f"{pool['library']} {pool['version']}, {pool['threads']} threads"
    return Finding("blas", True, text)


def _engine(device: str) -> Finding:
    """Open a session on a device and run a product there."""
    subject = f"engine ort, {device}"
    builder = Builder()
    x = builder.leaf("input", TensorType(DType.F32, (symbol("B"), 4)), name="x")
    builder.graph.outputs["y"] = builder.apply("matmul", x, builder.apply("transpose", x))
    try:
        session = ort.open_session(to_onnx(builder.graph).SerializeToString(), device)
        found = session.run({"x": np.eye(4, dtype=np.float32)})["y"]
    except RuntimeFault as fault:
        return Finding(subject, False, fault.message, fault.help)
    if not np.array_equal(found, np.eye(4, dtype=np.float32)):
        return Finding(subject, False, "a product of matrices came out wrong")
    return Finding(subject, True, "a session opened and computed a product")
