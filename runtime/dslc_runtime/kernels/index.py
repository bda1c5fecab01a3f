"""Kernels: lookups."""

from __future__ import annotations

from dslc_runtime.kernels.kernel import Kernel

INDEX: dict[str, Kernel] = {}
