"""What tests read of a run of the toy program, and settings that share its steps out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toy import arrays

from dslc_runtime import ort
from dslc_runtime.workers import can_fork

WIDE = ("--set", "hidden=200000", "--set", "batch=16")  # 1.4 million parameters: enough to do for two processes

shares = pytest.mark.skipif(not can_fork(), reason="this system cannot fork workers")

needs_ort = pytest.mark.skipif(not ort.is_installed(), reason="ONNX Runtime is not installed")


def history(run: Path | str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(run, "history.jsonl").read_text().splitlines()]


def weights(run: Path | str) -> bytes:
    return Path(run, "model.safetensors").read_bytes()


def rows(count: int = 5) -> np.ndarray:
    return arrays()["tx"][:count]


def logits(dslc, run: Path, *more: str) -> np.ndarray:
    """What `predict` says of the first rows, from an npz file with the program's own column name."""
    np.savez("rows.npz", x=rows())
    result = dslc("predict", run, "--input", "rows.npz", *more)
    assert result.exit_code == 0, result.stderr
    return np.array(json.loads(result.stdout)["logits"])
