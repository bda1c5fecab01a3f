"""Kernels: reductions."""

from __future__ import annotations

from dslc_runtime.kernels.kernel import Kernel

REDUCTION: dict[str, Kernel] = {}
