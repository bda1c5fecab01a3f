"""A declarative language and compiler for neural networks: checked, trained in NumPy, exported to ONNX with proof.

    import dslc

    program = dslc.load("models/xor.dl")
    run = program.trainer("xor").fit(out="runs/xor")
    run.models["net"](x=[[0, 1]])

Importing the package imports nothing heavy; a name is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "DslcError": "dslc.diagnostics",
    "Model": "dslc.api",
    "Program": "dslc.api",
    "Run": "dslc.api",
    "Trainer": "dslc.api",
    "__version__": "dslc.version",
    "load": "dslc.api",
    "open_run": "dslc.api",
    "parse": "dslc.api",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'dslc' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(_HOMES)
