"""Kernels: flat vectors of tensors."""

from __future__ import annotations

from dslc_runtime.kernels.kernel import Kernel

ARENA: dict[str, Kernel] = {}
