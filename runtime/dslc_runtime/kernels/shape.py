"""Kernels: views and rearrangements."""

from __future__ import annotations

from dslc_runtime.kernels.kernel import Kernel

SHAPE: dict[str, Kernel] = {}
