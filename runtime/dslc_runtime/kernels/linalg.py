"""Kernels: matrix products."""

from __future__ import annotations

from dslc_runtime.kernels.kernel import Kernel

LINALG: dict[str, Kernel] = {}
