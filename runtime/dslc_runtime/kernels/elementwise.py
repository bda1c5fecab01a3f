"""Kernels: arithmetic, comparison, functions of one number."""

from __future__ import annotations

from dslc_runtime.kernels.kernel import Kernel

ELEMENTWISE: dict[str, Kernel] = {}
